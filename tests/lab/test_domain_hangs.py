# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon of libvirt that hangs: it is stopped, which looks the same from outside."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import select
import signal
import subprocess

import pytest

from patience import patience, wait_for

# Of inotify(7).
IN_OPEN = 0x20

SILENT = (
    "expected an answer of libvirt within 5 s, found none: its daemon hangs or is very busy; restart it (Debian: systemctl "
    "restart libvirtd; FreeBSD: service libvirtd restart), which leaves guests running, or give it a longer `answer_timeout`"
)


@contextlib.contextmanager
def stopped(lab):
    daemon = int((lab.folder / "daemon.pid").read_text())
    os.kill(daemon, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(daemon, signal.SIGCONT)


@pytest.mark.parametrize("program", ["libvirt_domain", "libvirt_domain_info"])
def test_a_daemon_that_never_answers_is_told(lab, program):
    with stopped(lab):
        message = lab.refused({"name": "web1", "answer_timeout": 5}, name=program)
    assert message == "calling virConnectOpen: " + SILENT


@contextlib.contextmanager
def opened(path):
    """Gives a function that waits until somebody opens the file; who did so before does not count."""
    libc = ctypes.CDLL(None, use_errno=True)
    events = libc.inotify_init1(os.O_CLOEXEC)
    try:
        if libc.inotify_add_watch(events, os.fsencode(path), IN_OPEN) < 0:
            raise OSError(ctypes.get_errno(), "watching it", path)
        yield lambda: wait_for(f"{path} to be opened", lambda: select.select([events], [], [], 0)[0])
    finally:
        os.close(events)


def test_a_daemon_that_hangs_during_the_work_is_told(lab):
    lab.good({"name": "web1", "xml": lab.xml()})
    never = {"console": "never", "timeout": patience(300)}
    waits = {"uri": lab.uri, "name": "web1", "wait_for": never, "answer_timeout": 5}
    with opened(lab.log()) as wait_until_opened:
        program = subprocess.Popen([lab.program(), "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        program.stdin.write(json.dumps(waits).encode())
        program.stdin.close()
        # It has connected and looks again and again, at the console and whether the guest runs.
        wait_until_opened()
    with stopped(lab):
        message = json.loads(program.stdout.read())["msg"]
    assert program.wait() == 1
    assert re.fullmatch("calling vir[A-Za-z]+: " + re.escape(SILENT), message)
    assert lab.state() == "running"
