# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a changed definition: the driver forgets one that was given while the guest ran."""

from __future__ import annotations

import os
import signal

from patience import wait_for


def memory(host, name="web1"):
    """MiB of the running guest."""
    return int(host.virsh("dominfo", name).split("Max memory:")[1].split()[0]) // 1024


def test_a_guest_is_made_and_the_second_run_changes_nothing(host):
    options = {"name": "web1", "xml": host.xml("web1"), "state": "running"}
    assert host.run(check=True, **options)["changed"] is True
    assert host.good(**options)["changed"] is True
    assert len(host.processes("web1")) == 1
    assert host.good(**options)["changed"] is False
    assert host.run(check=True, **options)["changed"] is False


def test_a_restart_takes_the_new_definition_once(host):
    first = {"name": "web1", "xml": host.xml("web1"), "state": "running"}
    host.good(**first)
    changed = {**first, "xml": host.xml("web1", memory=512), "restart": "if_changed"}
    reply = host.good(**changed)
    assert (reply["changed"], reply["domain"]["restart_required"], memory(host)) == (True, False, 512)
    again = host.good(**changed)
    assert (again["changed"], again["domain"]["restart_required"]) == (False, False)


def test_without_a_restart_one_is_due_until_it_is_made(host):
    first = {"name": "web1", "xml": host.xml("web1"), "state": "running"}
    host.good(**first)
    changed = {**first, "xml": host.xml("web1", memory=512)}
    reply = host.good(**changed)
    assert (reply["changed"], reply["domain"]["restart_required"], memory(host)) == (True, True, 256)
    for _each in range(2):
        again = host.good(**changed)
        assert (again["changed"], again["domain"]["restart_required"]) == (False, True)
    host.good(**{**changed, "restart": "if_changed"})
    assert memory(host) == 512
    assert host.good(**changed)["domain"]["restart_required"] is False


def test_a_new_definition_of_one_that_is_shut_off_is_there_at_the_next_start(host):
    host.good(name="web1", xml=host.xml("web1"), state="running")
    host.good(name="web1", xml=host.xml("web1", memory=512), state="shutoff", force=True)
    host.good(name="web1", state="running")
    assert memory(host) == 512


def test_what_was_given_to_an_earlier_instance_is_forgotten(host):
    """The driver keeps what was given while the guest ran, and would save it in place of what was started since."""
    host.good(name="web1", xml=host.xml("web1"), state="running")
    host.good(name="web1", xml=host.xml("web1", memory=512), state="running")
    host.good(name="web1", xml=host.xml("web1", memory=512), state="shutoff", force=True)
    third = {"name": "web1", "xml": host.xml("web1", memory=384), "state": "running"}
    assert host.good(**third)["domain"]["restart_required"] is False
    assert host.good(**third)["changed"] is False
    assert ">524288<" not in (host.folder / "etc/bhyve/web1.xml").read_text()


def test_a_guest_that_reboots_itself_is_the_same(host):
    options = {"name": "web1", "xml": host.xml("web1"), "state": "running"}
    host.good(**options)
    (before,) = host.processes("web1")
    os.kill(before, signal.SIGUSR1)
    wait_for("the guest to have rebooted", lambda: host.processes("web1") not in ([], [before]))
    assert host.good(**options)["changed"] is False
