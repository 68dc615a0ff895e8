# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until a guest answers: on consoles of each kind, on a port, through an agent; and when it never does."""

from __future__ import annotations

import socket
import threading

import pytest

NOW = {"force": True, "shutdown_timeout": 0}


def waiting(lab, wait_for, log=True, **more):
    return {"name": "web1", "xml": lab.xml(log=log, **more), "wait_for": {"timeout": 60, **wait_for}}


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
    reply = lab.good({"name": "web1", "wait_for": {"console": lab.banner, "timeout": 60}})
    assert (reply["changed"], reply.get("warnings")) == (False, None)


def test_a_stream_of_somebody_elses_start_is_not_waited_for(lab):
    lab.good({**waiting(lab, {}, log=False), "wait_for": None, "state": "present"})
    lab.virsh("start", "web1")
    reply = lab.good({"name": "web1", "wait_for": {"console": "never", "timeout": 60}})
    assert reply["warnings"] == [
        "domain web1 was started by somebody else, and its console keeps no history: its text was not waited for"
    ]


def test_an_earlier_start_does_not_count(lab):
    lab.log().write_text(lab.banner)
    options = waiting(lab, {"console": lab.banner, "timeout": 0.2}, kind="qemu")
    options["xml"] = options["xml"].replace(str(lab.disk), str(lab.folder / "empty.raw"))
    (lab.folder / "empty.raw").write_bytes(bytes(1 << 20))
    assert "found other text or none" in lab.refused(options)


def test_the_last_lines_are_in_the_error(lab):
    lab.good(waiting(lab, {"console": lab.banner}))
    never = {"name": "web1", "wait_for": {"console": "login:", "timeout": 0.3}}
    assert lab.refused(never) == (
        'domain web1: waiting: expected "login:" on its console within 0.3 s, found other text or none; last lines of '
        "its console: apiary demo guest 7 is up"
    )


@pytest.mark.parametrize("log", [True, False], ids=["log", "stream"])
def test_a_guest_that_stops_ends_the_wait(lab, log):
    lab.good({**waiting(lab, {}, log), "wait_for": None})
    timer = threading.Timer(1, lambda: lab.virsh("destroy", "web1"))
    timer.start()
    message = lab.refused({"name": "web1", "wait_for": {"console": "login:", "timeout": 120}})
    timer.join()
    assert message.startswith(
        'domain web1: waiting: expected "login:" on its console within 120 s, found that it has stopped; last lines'
    )


def test_a_port_is_waited_for(lab):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    wait_for = {"host": "127.0.0.1", "port": port}
    assert "Connection refused" in lab.refused(waiting(lab, {**wait_for, "timeout": 0.3}))
    timer = threading.Timer(0.5, listener.listen)
    timer.start()
    assert lab.good(waiting(lab, wait_for))["changed"] is False
    timer.join()
    listener.close()


def test_an_agent_that_is_not_there_is_told(lab):
    assert lab.refused(waiting(lab, {"agent": True, "timeout": 0.3})).startswith(
        "domain web1: waiting: expected an answer from its agent within 0.3 s, found argument unsupported: QEMU guest "
        "agent is not configured; last lines of its console:"
    )
    channel = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
    lab.good({"name": "web1", "state": "absent", **NOW})
    message = lab.refused(waiting(lab, {"agent": True, "timeout": 0.3}, devices=channel))
    assert "QEMU guest agent is not connected" in message
