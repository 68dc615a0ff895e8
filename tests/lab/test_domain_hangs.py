# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon of libvirt that hangs: it is stopped, which looks the same from outside."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time

import pytest

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


def test_a_daemon_that_hangs_during_the_work_is_told(lab):
    lab.good({"name": "web1", "xml": lab.xml()})
    waits = {"uri": lab.uri, "name": "web1", "wait_for": {"console": "never", "timeout": 200}, "answer_timeout": 5}
    program = subprocess.Popen([lab.program(), "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    program.stdin.write(json.dumps(waits).encode())
    program.stdin.close()
    # By then it has connected and looks again and again; if not, it hangs as well, in an earlier call.
    time.sleep(3)
    with stopped(lab):
        message = json.loads(program.stdout.read())["msg"]
    assert program.wait() == 1
    assert re.fullmatch("calling vir[A-Za-z]+: " + re.escape(SILENT), message)
    assert lab.state() == "running"
