# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests that stop while they are waited for: why, and what they and their hypervisor wrote last."""

from __future__ import annotations

import concurrent.futures
import functools
import json
import os
import re
import signal
import subprocess

import pytest
from patience import patience, wait_for

LIMIT = int(patience(120))
WAITS = f'domain web1: waiting: expected "login:" on its console within {LIMIT} s, found that it has stopped: '
KILLED = "it has crashed, or its process was killed; "
NEVER = {"name": "web1", "wait_for": {"console": "login:", "timeout": LIMIT}}

# A boot sector that writes nothing and switches the machine off, through the register where the BIOS of qemu's q35 puts
# ACPI's: mov dx,0x604; mov ax,0x2000; out dx,ax; hlt.
OFF = bytes.fromhex("ba0406b80020eff4").ljust(510, b"\0") + b"\x55\xaa"


def stand(lab, **more):
    """Defines the guest and starts it without letting it run: whatever it does, it does while the next task waits."""
    lab.good({"name": "web1", "xml": lab.xml(**more), "state": "present"})
    lab.virsh("start", "web1", "--paused")


def runs(lab):
    return "web1" in lab.virsh("list", "--name", "--state-running").split()


def shown(lab):
    """Whether it has written its one line, so that this is on its console's log when it stops."""
    return runs(lab) and lab.banner in lab.log().read_text()


def kill(lab, number=signal.SIGKILL):
    os.kill(int(next(lab.folder.glob("run/**/web1.pid")).read_text()), number)


def waited(lab, stop, options=NEVER, seen=shown, ask=None):
    """The message of a task during which `stop` ended the guest."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        # It has been started, or let go on, before it stops.
        message = pool.submit(ask or functools.partial(lab.refused, changed=True), options)
        wait_for("the guest to run", lambda: seen(lab) or message.done())
        stop()
        return message.result()


def on_its_machine(lab, options):
    """The message of a run where the daemon is the machine's own: at the usual address, with its logs in the usual place."""
    daemon = (lab.folder / "daemon.pid").read_text().strip()
    done = subprocess.run(
        ["nsenter", f"--mount=/proc/{daemon}/ns/mnt", lab.program(), "-"],
        input=json.dumps({"uri": "qemu:///system", **options}), capture_output=True, text=True,
    )
    assert (done.returncode, done.stderr) == (1, "")
    return json.loads(done.stdout)["msg"]


@pytest.mark.parametrize(
    "reason, stop",
    [("somebody has powered it off; ", lambda lab: lab.virsh("destroy", "web1")), (KILLED, kill)],
    ids=["destroyed", "killed"],
)
def test_a_guest_that_is_ended(lab, reason, stop):
    stand(lab)
    assert waited(lab, lambda: stop(lab)) == (
        WAITS + reason + f"last lines of its console: {lab.banner}; its hypervisor's log was not read, because {lab.uri} does "
        "not tell where that is"
    )


def test_a_guest_without_a_word(lab):
    off = lab.folder / "off.raw"
    off.write_bytes(OFF.ljust(1 << 20, b"\0"))
    lab.good({"name": "web1", "xml": lab.xml().replace(str(lab.disk), str(off)), "state": "present"})
    lab.virsh("start", "web1", "--paused")
    assert lab.refused(NEVER, changed=True).startswith(WAITS + "it has shut down; last lines of its console: none; ")


def test_a_guest_whose_console_is_a_stream(lab):
    options = {**NEVER, "xml": lab.xml(log=False)}
    message = waited(lab, lambda: kill(lab), options, runs)
    at_once = "domain web1: expected it to run, found that it has stopped at once: "
    # What it has written by then is a matter of chance, and so is whether the task waits already.
    assert re.match(f"({re.escape(WAITS)}|{at_once})" + KILLED + "last lines of its console: ", message)


LOGS = pytest.mark.skipif(os.getuid() != 0, reason="needs root, to enter the daemon's mount namespace")


@LOGS
def test_the_hypervisor_s_log_is_quoted(lab):
    stand(lab)
    message = waited(lab, lambda: kill(lab, signal.SIGTERM), ask=lambda options: on_its_machine(lab, options))
    ours = r"; last lines of /var/log/libvirt/qemu/web1\.log: (.*)"
    lines = re.search(ours, message).group(1).split(" | ")
    assert any(re.search(f"terminating on signal 15 from pid {os.getpid()} ", line) for line in lines), message
    assert re.fullmatch(r"\S+ \S+: shutting down, reason=\S+", lines[-1]), message
    # Not the command line, which is as long as all of the rest.
    assert "-name" not in message and "starting up" not in message


@LOGS
def test_a_log_that_cannot_be_read_is_told(lab):
    log = lab.folder / "log/qemu/web1.log"
    stand(lab)
    log.unlink()
    log.mkdir()
    try:
        message = waited(lab, lambda: kill(lab), ask=lambda options: on_its_machine(lab, options))
    finally:
        log.rmdir()
    assert message == (
        WAITS + KILLED + f"last lines of its console: {lab.banner}; its hypervisor's log /var/log/libvirt/qemu/web1.log cannot "
        "be read: Is a directory (os error 21)"
    )
