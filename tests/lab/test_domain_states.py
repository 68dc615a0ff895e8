# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every state a domain can be brought to, on a real libvirt: checked, done, checked again."""

from __future__ import annotations

import concurrent.futures
import json
import random
import signal
import subprocess

import pytest

NOW = {"force": True, "shutdown_timeout": 0}


@pytest.mark.parametrize("state, word", [("running", "running"), ("shutoff", "shut off"), ("present", "shut off")])
def test_a_new_domain(lab, state, word):
    reply = lab.triad({"name": "web1", "xml": lab.xml(), "state": state})
    assert lab.state() == word
    assert reply["domain"]["uuid"] == "06f7ab89-0554-5e2c-9836-192821f92039"
    assert reply["diff"]["before"] == ""
    assert reply["diff"]["after"].endswith(lab.xml().strip() + "\n")


def test_a_domain_that_exists(lab):
    name, xml = {"name": "web1"}, {"name": "web1", "xml": lab.xml()}
    lab.good({**xml, "state": "present"})
    for options, word in [
        ({**xml, "autostart": True, "state": "present"}, "shut off"),
        ({**name, "state": "running"}, "running"),
        ({**name, "state": "shutoff", **NOW}, "shut off"),
        ({**xml, "state": "running", "autostart": False}, "running"),
        ({**xml, "state": "shutoff", **NOW}, "shut off"),
    ]:
        lab.triad(options)
        assert lab.state() == word
    lab.triad({**name, "state": "absent"})
    assert lab.names() == []


def test_removal_of_a_running_domain_needs_force(lab):
    lab.good({"name": "web1", "xml": lab.xml()})
    assert lab.refused({"name": "web1", "state": "absent"}) == (
        "undefining domain web1: expected it shut off, found it running; shut it down first (state: shutoff), or set "
        "`force: true` to stop and remove it"
    )
    lab.triad({"name": "web1", "state": "absent", **NOW})
    assert lab.names() == []


def test_absent_takes_saved_memory_along(lab):
    lab.good({"name": "web1", "xml": lab.xml()})
    lab.virsh("managedsave", "web1")
    lab.triad({"name": "web1", "state": "absent"})
    assert lab.names() == []


def test_absent_takes_nvram_along(lab):
    (lab.folder / "code.fd").write_bytes(bytes(1 << 20))
    variables = lab.folder / "web1_VARS.fd"
    firmware = (
        f"<loader readonly='yes' type='pflash'>{lab.folder}/code.fd</loader>"
        f"<nvram template='{lab.folder}/code.fd'>{variables}</nvram>"
    )
    lab.good({"name": "web1", "state": "present", "xml": lab.xml().replace("</type>", "</type>" + firmware)})
    variables.write_bytes(bytes(1 << 20))
    lab.triad({"name": "web1", "state": "absent"})
    assert lab.names() == [] and not variables.exists()


def test_a_paused_domain_goes_on(lab):
    lab.good({"name": "web1", "xml": lab.xml()})
    lab.virsh("suspend", "web1")
    lab.triad({"name": "web1"})
    assert lab.state() == "running"


def test_memory_is_changed_and_the_guest_restarted_when_asked(lab):
    lab.good({"name": "web1", "xml": lab.xml()})
    first = lab.triad({"name": "web1", "xml": lab.xml(memory=48)})
    assert first["domain"]["restart_required"] is True
    difference = set(first["diff"]["after"].splitlines()) - set(first["diff"]["before"].splitlines())
    assert difference == {"  <memory unit='MiB'>48</memory>", "state: running, restart required"}
    # A later task, and one without XML, still know.
    assert lab.good({"name": "web1"})["domain"]["restart_required"] is True
    assert "<memory unit='KiB'>32768</memory>" in lab.virsh("dumpxml", "web1")
    restart = {"name": "web1", "xml": lab.xml(memory=48), "restart": "if_changed", **NOW}
    done = lab.triad({**restart, "wait_for": lab.up})
    assert done["domain"]["started"] is True and done["domain"]["restart_required"] is False
    assert "<memory unit='KiB'>49152</memory>" in lab.virsh("dumpxml", "web1")


def test_going_back_to_what_still_runs_needs_no_restart(lab):
    lab.good({"name": "web1", "xml": lab.xml()})
    lab.good({"name": "web1", "xml": lab.xml(memory=48)})
    back = lab.triad({"name": "web1", "xml": lab.xml()})
    assert back["domain"]["restart_required"] is False


def test_layout_of_the_xml_is_no_change(lab):
    lab.good({"name": "web1", "xml": lab.xml()})
    other = "<?xml version='1.0'?>\n<!-- ours -->\n" + lab.xml().replace("  <", "\t<").replace("'", '"')
    assert lab.good({"name": "web1", "xml": other})["changed"] is False


def test_a_guest_deaf_to_the_power_button(lab):
    lab.good({"name": "web1", "xml": lab.xml(), "wait_for": lab.up})
    assert lab.refused({"name": "web1", "state": "shutoff", "shutdown_timeout": 0.5}) == (
        "domain web1: shutting down: expected it off within 0.5 s, found it still running; give it a longer "
        "`shutdown_timeout`, or set `force: true` to power it off"
    )
    assert lab.state() == "running"
    lab.triad({"name": "web1", "state": "shutoff", "shutdown_timeout": 0.5, "force": True})


def test_edits_by_hand_are_shown_and_undone(lab):
    options = {"name": "web1", "xml": lab.xml()}
    lab.good(options)
    lab.virsh("setmaxmem", "web1", "64M", "--config")
    done = lab.triad(options)
    assert done["warnings"] == ["domain web1 was edited since it was defined; the diff shows what is undone"]
    before, after = (done["diff"][side].splitlines() for side in ("before", "after"))
    # As long as the edit waited for a restart, one was due.
    assert set(before) - set(after) == {"  <memory unit='KiB'>65536</memory>", "state: running, restart required"}
    assert set(after) - set(before) == {"  <memory unit='KiB'>32768</memory>", "state: running"}
    # The guest never ran the edit.
    assert done["domain"]["restart_required"] is False


def test_an_edit_that_runs_has_to_be_restarted(lab):
    options = {"name": "web1", "xml": lab.xml(), "state": "present"}
    lab.good(options)
    lab.virsh("setmaxmem", "web1", "64M", "--config")
    lab.virsh("start", "web1")
    assert lab.triad(options)["domain"]["restart_required"] is True
    assert lab.good(options)["domain"]["restart_required"] is True
    lab.triad({**options, "restart": "if_changed", **NOW})
    assert "<memory unit='KiB'>32768</memory>" in lab.virsh("dumpxml", "web1")


def test_a_domain_of_somebody_else_is_taken_over_with_its_identity(lab):
    nic = "<interface type='user'><model type='virtio'/></interface>"
    path = lab.folder / "foreign.xml"
    path.write_text(lab.xml(devices=nic))
    lab.virsh("define", str(path))
    identity = (lab.virsh("domuuid", "web1"), lab.virsh("domiflist", "web1"))
    lab.good({"name": "web1", "state": "running"})
    lab.triad({"name": "web1", "xml": lab.xml(devices=nic), "state": "present"})
    assert (lab.virsh("domuuid", "web1"), lab.virsh("domiflist", "web1", "--inactive")[-17:]) == (
        identity[0], identity[1][-17:],
    )


def test_a_redeployed_guest_keeps_its_identity(lab):
    nic = "<interface type='user'><model type='virtio'/></interface>"
    options = {"name": "web1", "xml": lab.xml(devices=nic), "state": "present"}
    seen = set()
    for _ in range(2):
        lab.good(options)
        seen.add((lab.virsh("domuuid", "web1"), lab.virsh("domiflist", "web1")[-17:]))
        lab.good({"name": "web1", "state": "absent"})
    assert seen == {("06f7ab89-0554-5e2c-9836-192821f92039", "52:54:00:9d:41:71")}


def test_twenty_guests_at_once(lab):
    guests = ["guest%d" % number for number in range(20)]

    def deploy(name):
        return lab.good({"name": name, "xml": lab.xml(name), "wait_for": lab.up})

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(deploy, guests))
        assert all(reply["changed"] for reply in replies)
        assert len({reply["domain"]["uuid"] for reply in replies}) == 20
        assert not any(reply["changed"] for reply in pool.map(deploy, guests))
        list(pool.map(lambda name: lab.good({"name": name, "state": "absent", **NOW}), guests))


@pytest.mark.parametrize("log", [True, False], ids=["log", "stream"])
def test_managers_that_race_for_one_domain_all_succeed(lab, log):
    def together(options):
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            return list(pool.map(lambda _: lab.good(options), range(6)))

    replies = together({"name": "web1", "xml": lab.xml(log=log), "wait_for": lab.up})
    # A console without history tells its text to one of them.
    assert sum("warnings" not in reply for reply in replies) >= (6 if log else 1)
    assert lab.state() == "running"
    assert lab.good({"name": "web1", "xml": lab.xml(log=log)})["changed"] is False
    together({"name": "web1", "state": "shutoff", **NOW})
    assert lab.state() == "shut off"


def killed_after(lab, options, seconds):
    """Starts a run and kills it; tells whether it was still at work."""
    program = subprocess.Popen([lab.program(), "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    program.stdin.write(json.dumps({"uri": lab.uri, **options}).encode())
    program.stdin.close()
    try:
        program.wait(seconds)
    except subprocess.TimeoutExpired:
        program.kill()
    return program.wait() == -signal.SIGKILL


def test_killed_at_any_moment_the_next_run_converges(lab):
    dice = random.Random(5)
    gone = {"name": "web1", "state": "absent", **NOW}
    killed = []
    for step in range(20):
        # Every other console keeps no history, so that what a killed run has heard is lost to the next.
        options = {"name": "web1", "xml": lab.xml(log=step % 2 == 0), "wait_for": lab.up}
        if step == 0:
            length, removal = (lab.good(each)["timings"]["total"]["seconds"] for each in (options, gone))
        # The beginning of a run, where it defines, step by step; then all of it.
        share = 0.03 * step if step < 10 else dice.uniform(0.1, 1)
        killed.append(killed_after(lab, options, share * length))
        lab.good(options)
        assert lab.state() == "running"
        assert lab.good({**options, "_ansible_check_mode": True})["changed"] is False
        killed.append(killed_after(lab, gone, share * removal))
        lab.good(gone)
        assert lab.names() == []
    # In each half of the runs there were some whose end would have come later.
    assert sum(killed[:20]) >= 5 and sum(killed[20:]) >= 5, killed
