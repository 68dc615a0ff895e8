# SPDX-License-Identifier: GPL-3.0-or-later
"""What libvirt's bhyve driver does not see, forgets, or mixes up."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import signal

import pytest

from patience import wait_for


def options(host, name="web1", **more):
    return {"name": name, "xml": host.xml(name), "state": "running", **more}


def link(host, name="web1"):
    return host.folder / "etc/bhyve/autostart" / f"{name}.xml"


def test_autostart_survives_stops(host):
    wanted = options(host, autostart=True)
    assert host.good(**wanted)["domain"]["autostart"] is True
    host.good(name="web1", state="shutoff", force=True)
    assert link(host).is_symlink() and "enable" in host.virsh("dominfo", "web1").split("Autostart:")[1]
    assert host.good(**wanted)["domain"]["autostart"] is True
    # One that powers itself off: libvirt before 11.6 forgets the flag, and leaves the link.
    os.kill(host.processes("web1")[0], signal.SIGTERM)
    wait_for("the guest to be off", lambda: host.virsh("domstate", "web1") == "shut off")
    again = host.good(**wanted)
    assert (again["domain"]["autostart"], again["domain"]["state"]) == (True, "running")
    assert host.good(**wanted)["changed"] is False
    changed = host.good(**{**wanted, "xml": host.xml("web1", memory=512), "restart": "if_changed"})
    assert (changed["domain"]["autostart"], link(host).is_symlink()) == (True, True)


def test_autostart_that_is_not_wanted_goes(host):
    host.good(**options(host, autostart=True))
    os.kill(host.processes("web1")[0], signal.SIGTERM)
    wait_for("the guest to be off", lambda: host.virsh("domstate", "web1") == "shut off")
    off = {"name": "web1", "state": "shutoff", "autostart": False}
    assert host.good(**off)["changed"] is True
    assert not link(host).exists() and not link(host).is_symlink()
    assert host.good(**off)["changed"] is False


def test_a_guest_with_autostart_is_removed_without_a_trace(host):
    host.good(**options(host, autostart=True))
    os.kill(host.processes("web1")[0], signal.SIGTERM)
    wait_for("the guest to be off", lambda: host.virsh("domstate", "web1") == "shut off")
    assert host.good(name="web1", state="absent")["changed"] is True
    assert not link(host).is_symlink() and host.virsh("list", "--all", "--name") == ""


def test_a_bhyve_that_ends_at_once_is_a_failure_with_its_reason(host):
    (host.folder / "run/vmm").mkdir(exist_ok=True)
    (host.folder / "run/vmm/web1.fault").write_text("vm_setup_memory: Cannot allocate memory\n")
    reply = host.run(**options(host))
    assert reply["failed"] and "vm_setup_memory: Cannot allocate memory" in reply["msg"], reply
    (host.folder / "run/vmm/web1.fault").unlink()
    assert host.good(**options(host))["domain"]["state"] == "running"


def test_more_processors_than_the_host_has_are_refused_before(host):
    many = (os.cpu_count() or 1) + 1
    reply = host.run(name="web1", xml=host.xml("web1", vcpus=many), state="running")
    assert f"expected at most {many - 1} virtual processors, which is what this host has, found {many}" in reply["msg"]
    assert host.virsh("list", "--all", "--name") == ""


@pytest.mark.parametrize("state", ["running", "shutoff", "absent"])
def test_a_killed_bhyve_is_seen_and_cleared_away(host, state):
    host.good(**options(host))
    (pid,) = host.processes("web1")
    os.kill(pid, signal.SIGKILL)
    wait_for("the process to be gone", lambda: not host.processes("web1"))
    assert host.virsh("domstate", "web1") == "running", "the driver sees it now: this test is about one that does not"
    (told,) = host.good(program="libvirt_domain_info")["domains"]
    assert (told["state"], told["vcpus"]) == ("shutoff", 1)
    wanted = {"running": options(host), "shutoff": {"name": "web1", "state": "shutoff"}, "absent": {"name": "web1", "state": "absent"}}[state]
    assert host.good(**wanted)["changed"] is True
    assert host.good(**wanted)["changed"] is False
    assert len(host.processes("web1")) == (state == "running")


def test_guests_that_start_at_once_are_not_mixed_up(host):
    names = ["web%d" % number for number in range(8)]
    wanted = [options(host, name) for name in names]
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        replies = list(pool.map(lambda each: host.run(**each), wanted))
    assert [reply.get("msg") for reply in replies] == [None] * len(names)
    for name in names:
        (pid,) = host.processes(name)
        assert host.virsh("domid", name) == str(pid)


def test_no_password_is_shown(host):
    secret = "s3'cret"
    vnc = f"<graphics type='vnc' port='5901' listen='127.0.0.1' passwd=\"{secret}\"/>"
    definition = host.xml("web1", devices=vnc)
    reply = host.run(check=True, name="web1", xml=definition, state="running")
    assert "********" in reply["bhyve_commands"] and "cret" not in str(reply)
    (host.folder / "run/vmm").mkdir(exist_ok=True)
    fault = host.folder / "run/vmm/web1.fault"
    fault.write_text("no luck\n")
    reply = host.run(name="web1", xml=definition, state="running")
    fault.unlink()
    assert reply["failed"] and "no luck" in reply["msg"] and "cret" not in str(reply)


def test_nothing_of_the_machine_is_touched(host):
    assert host.folder.is_relative_to(pathlib.Path("/tmp")) and not pathlib.Path("/etc/libvirt/bhyve").exists()
