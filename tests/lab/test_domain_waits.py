# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until a guest answers: on consoles of each kind, on a port, through an agent; and when it never does."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import socket
import subprocess

import pytest

from patience import patience, wait_for

NOW = {"force": True, "shutdown_timeout": 0}


def waiting(lab, wait_for, log=True, **more):
    return {"name": "web1", "xml": lab.xml(log=log, **more), "wait_for": {"timeout": patience(60), **wait_for}}


@pytest.mark.parametrize("log", [True, False], ids=["log", "stream"])
def test_the_console_is_waited_for_once_per_start(lab, log):
    options = waiting(lab, {"console": lab.banner}, log)
    for _ in range(2):
        assert lab.good(options)["domain"]["started"] is True
        lab.log().unlink(missing_ok=True)
        again = lab.good(options)
        assert (again["changed"], again.get("warnings")) == (False, None)
        lab.good({"name": "web1", "state": "shutoff", **NOW})


def test_a_guest_that_was_started_before_is_waited_for_later(lab):
    lab.good({"name": "web1", "xml": lab.xml()})
    reply = lab.good({"name": "web1", "wait_for": lab.up})
    assert (reply["changed"], reply.get("warnings")) == (False, None)


NOT_WAITED = "domain web1: the text on its console was not waited for: "
NO_HISTORY = (
    NOT_WAITED + "it was started before this task, and its console keeps no history of what it has written since"
)


@pytest.mark.parametrize("append", ["", "append='on'"], ids=["stream", "appended log"])
def test_what_a_start_before_this_task_wrote_without_history_is_not_waited_for(lab, append):
    log = f"<log file='{lab.log()}' {append}/>" if append else ""
    lab.log().write_text("never")
    xml = lab.xml(log=False).replace("<serial type='pty'>", "<serial type='pty'>" + log)
    never = {"name": "web1", "wait_for": {"console": "never", "timeout": patience(60)}}
    lab.good({"name": "web1", "xml": xml, "state": "present"})
    lab.virsh("start", "web1")
    assert lab.good(never)["warnings"] == [NO_HISTORY]
    lab.virsh("suspend", "web1")
    assert lab.good(never)["warnings"] == [NO_HISTORY]
    assert lab.state() == "running"
    if not append:
        lab.good({"name": "web1", "state": "shutoff", **NOW})
        lab.good({"name": "web1"})
        assert lab.good(never)["warnings"] == [NO_HISTORY]


def test_a_log_that_keeps_earlier_starts_is_read_from_this_start_on(lab):
    xml = lab.xml().replace("append='off'", "append='on'")
    assert "append='on'" in xml
    lab.log().write_text("an earlier start: login:")
    lab.good({"name": "web1", "xml": xml})
    reply = lab.good({"name": "web1", "wait_for": lab.up})
    assert (reply["changed"], reply.get("warnings")) == (False, None)
    assert "found other text or none" in lab.refused(
        {"name": "web1", "wait_for": {"console": "login:", "timeout": 0.3}}
    )


def fresh(lab):
    """A guest as a run leaves it that was killed before its processors ran."""
    lab.good({"name": "web1", "xml": lab.xml(log=False), "state": "present"})
    lab.virsh("start", "web1", "--paused")
    lab.virsh(
        "metadata", "web1", "urn:x-apiary:bhyve:instance:1", "--key", "apiaryinstance", "--live", "--set",
        "<instance fresh='yes'/>",
    )


def test_a_guest_that_has_not_run_yet_is_waited_for(lab):
    fresh(lab)
    wait = {"name": "web1", "wait_for": lab.up}
    for changed in (True, False):
        reply = lab.good(wait)
        assert (reply["changed"], reply.get("warnings")) == (changed, None)
    # From now on it has run: whoever suspends it does not make its text come again.
    lab.virsh("suspend", "web1")
    assert lab.good({"name": "web1", "wait_for": {"console": "other"}})["warnings"] == [NO_HISTORY]


def test_a_console_that_somebody_else_reads_does_not_keep_the_guest_from_running(lab):
    fresh(lab)
    ours, theirs = os.openpty()
    reader = subprocess.Popen(["virsh", "-c", lab.uri, "console", "web1"], stdin=theirs, stdout=theirs, stderr=theirs)
    os.set_blocking(ours, False)
    said = bytearray()

    def reads():
        try:
            said.extend(os.read(ours, 1024))
        except BlockingIOError:
            pass
        return b"Escape character" in said

    wait_for("virsh to read the console", reads)
    reply = lab.good({"name": "web1", "wait_for": lab.up})
    reader.kill()
    reader.wait()
    assert len(reply["warnings"]) == 1 and reply["warnings"][0].startswith(NOT_WAITED + "opening the console: ")
    assert lab.state() == "running"


def test_an_earlier_start_does_not_count(lab):
    lab.log().write_text(lab.banner)
    options = waiting(lab, {"console": lab.banner, "timeout": 0.2}, kind="qemu")
    options["xml"] = options["xml"].replace(str(lab.disk), str(lab.folder / "empty.raw"))
    (lab.folder / "empty.raw").write_bytes(bytes(1 << 20))
    assert "found other text or none" in lab.refused(options, changed=True)


def test_the_last_lines_are_in_the_error(lab):
    lab.good(waiting(lab, {"console": lab.banner}))
    never = {"name": "web1", "wait_for": {"console": "login:", "timeout": 0.3}}
    assert lab.refused(never) == (
        'domain web1: waiting: expected "login:" on its console within 0.3 s, found other text or none; last lines of '
        "its console: apiary demo guest 7 is up"
    )


def knocks(port):
    """Connections to a local port that have been begun, and not been answered: of state 2 in the kernel's table."""
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row for row in rows if row[2] == f"0100007F:{port:04X}" and row[3] == "02"]


def test_a_port_is_waited_for(lab):
    with socket.socket() as listener, concurrent.futures.ThreadPoolExecutor(1) as pool:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        at_port = {"host": "127.0.0.1", "port": port}
        assert "Connection refused" in lab.refused(waiting(lab, {**at_port, "timeout": 0.3}), changed=True)
        # Somebody else takes the one place in the queue, so whoever comes now has to wait.
        listener.listen(0)
        with socket.create_connection(("127.0.0.1", port)):
            reply = pool.submit(lab.good, waiting(lab, at_port))
            wait_for("the program to knock", lambda: knocks(port))
            assert not reply.done()
            listener.accept()[0].close()
            assert reply.result()["changed"] is False


def test_an_agent_that_is_not_there_is_told(lab):
    assert lab.refused(waiting(lab, {"agent": True, "timeout": 0.3}), changed=True).startswith(
        "domain web1: waiting: expected an answer from its agent within 0.3 s, found argument unsupported: QEMU guest "
        "agent is not configured; last lines of its console:"
    )
    channel = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
    lab.good({"name": "web1", "state": "absent", **NOW})
    message = lab.refused(waiting(lab, {"agent": True, "timeout": 0.3}, devices=channel), changed=True)
    assert "QEMU guest agent is not connected" in message


def failed(lab, options):
    reply = lab.call(options)
    assert reply["failed"], reply
    return reply["changed"]


def test_what_was_done_before_a_failure_is_told(lab):
    never = waiting(lab, {"console": "never", "timeout": 0.1})
    # Defined and started, and not answering; then nothing more has been done.
    assert failed(lab, never) is True and lab.state() == "running"
    assert failed(lab, never) is False
    # Defined, and it cannot be started: its disk is a folder.
    lab.good({"name": "web1", "state": "absent", **NOW})
    folder = lab.folder / "folder.raw"
    folder.mkdir()
    disk = f"<disk type='file'><driver name='qemu' type='raw'/><source file='{folder}'/><target dev='vdz' bus='virtio'/></disk>"
    assert failed(lab, {"name": "web1", "xml": lab.xml(devices=disk)}) is True and lab.state() == "shut off"
    assert failed(lab, {"name": "web1", "state": "running"}) is False
