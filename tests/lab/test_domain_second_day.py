# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do to a guest between two runs: they pause it, save its memory, take snapshots, move its disk."""

from __future__ import annotations

import shutil
import subprocess
import time

import pytest
from patience import wait_for

INFO = {"name": "libvirt_domain_info"}
NOW = {"force": True, "shutdown_timeout": 0}
SOON = {"force": True, "shutdown_timeout": 1}


def memory(lab, *form):
    lines = lab.virsh("dumpxml", "web1", *form).splitlines()
    return next(line.strip() for line in lines if line.startswith("  <memory unit='KiB'"))


def due(lab):
    return lab.good({"name": "web1"}, **INFO)["domains"][0]["managed"]["restart_required"]


@pytest.fixture
def disk(lab):
    """A disk of the test's own, which may be written to; what lies beside it goes when the test is over."""
    folder = lab.folder / "second_day"
    folder.mkdir()
    shutil.copy(lab.disk, folder / "base.raw")
    yield folder / "base.raw"
    lab.clear()
    shutil.rmtree(folder)


def writable(lab, disk, kind="raw", **more):
    xml = lab.xml(**more).replace("<readonly/>", "").replace("<shareable/>", "")
    return xml.replace(str(lab.disk), str(disk)).replace("type='raw'", f"type='{kind}'")


def source(lab, *form):
    return lab.virsh("domblklist", "web1", *form).split()[-1]


def test_a_paused_guest_is_not_waited_for(lab):
    lab.good({"name": "web1", "xml": lab.xml()})
    lab.virsh("suspend", "web1")
    before = time.monotonic()
    off = {"name": "web1", "state": "shutoff"}
    for check in (True, False):
        assert lab.refused({**off, "_ansible_check_mode": check}) == (
            "shutting down domain web1: expected it running, found it paused: its guest cannot hear the power button; let it "
            "go on first (state: running), or set `force: true` to power it off"
        )
    assert "found it paused" in lab.refused({"name": "web1", "state": "absent"})
    # With the limit of a minute, none of which is waited for.
    lab.triad({**off, "force": True})
    assert lab.state() == "shut off"
    lab.virsh("start", "web1", "--paused")
    lab.triad({"name": "web1", "state": "absent", "force": True})
    assert lab.names() == [] and time.monotonic() - before < 50


def test_a_paused_guest_is_restarted(lab):
    xml = {"name": "web1", "restart": "if_changed"}
    lab.good({**xml, "xml": lab.xml()})
    lab.virsh("suspend", "web1")
    present = lab.triad({**xml, "xml": lab.xml(memory=40), "state": "present"})
    assert present["domain"]["restart_required"] is True and lab.state() == "paused"
    done = lab.triad({**xml, "xml": lab.xml(memory=48), **SOON})
    assert done["domain"]["state"] == "running" and memory(lab) == "<memory unit='KiB'>49152</memory>"
    lab.virsh("suspend", "web1")
    # Let go on, it is asked to shut down as any other.
    message = lab.refused({**xml, "xml": lab.xml(memory=32), "shutdown_timeout": 0.5}, changed=True)
    assert "expected it off within 0.5 s, found it still running" in message


def test_a_guest_that_cannot_write(lab, disk):
    """Nor read: qemu's blkdebug fails all that the firmware asks for."""
    xml = writable(lab, disk)
    rules = disk.with_name("rules")
    rules.write_text('[inject-error]\nevent = "read_aio"\nerrno = "5"\n')
    args = (
        "<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
        f"<qemu:arg value='-drive'/><qemu:arg value='if=none,id=bad,file=blkdebug:{rules}:{disk},format=raw,rerror=stop'/>"
        "<qemu:arg value='-device'/><qemu:arg value='virtio-blk-pci,drive=bad,bootindex=1,addr=0x10'/></qemu:commandline>"
    )
    start = xml.index("    <disk")
    end = xml.index("</disk>") + len("</disk>")
    xml = (xml[:start] + xml[end:]).replace("</devices>", "</devices>" + args)
    lab.good({"name": "web1", "xml": xml})
    wait_for("the guest to meet the error", lambda: lab.virsh("domstate", "web1", "--reason") == "paused (I/O error)")
    check = lab.good({"name": "web1", "_ansible_check_mode": True})
    assert check["changed"] is True
    assert check["warnings"] == [
        "domain web1: an I/O error on one of its disks had paused it; it is resumed: see that the disk works and has space "
        "(virsh domblkerror)"
    ]
    # The second time libvirt says "paused (unknown)".
    for _ in range(2):
        assert lab.refused({"name": "web1"}).startswith(
            "domain web1: resuming: expected it to go on, found it paused again within a second, as by an I/O error on one of"
        )
    assert "libvirt does not know why" in lab.good({"name": "web1", "_ansible_check_mode": True})["warnings"][0]
    lab.triad({"name": "web1", "state": "absent", "force": True})


def test_a_guest_that_has_crashed_and_was_kept(lab):
    panic = "<panic model='isa'/>"
    xml = lab.xml(devices=panic).replace("<devices>", "<on_crash>preserve</on_crash><devices>")
    lab.good({"name": "web1", "xml": xml})
    lab.virsh("qemu-monitor-command", "web1", "--hmp", "o /b 0x505 1")
    wait_for("the guest to have crashed", lambda: lab.state() == "crashed")
    assert lab.good({"name": "web1"}, **INFO)["domains"][0]["state"] == "crashed"
    assert lab.refused({"name": "web1"}).startswith(
        "starting domain web1: expected it running or shut off, found it crashed and kept to be looked at; set `force: true`"
    )
    assert "found it crashed" in lab.refused({"name": "web1", "state": "shutoff"})
    lab.triad({"name": "web1", "force": True})
    assert lab.state() == "running"


def test_saved_memory_runs_what_was_defined_then(lab):
    lab.good({"name": "web1", "xml": lab.xml(), "wait_for": lab.up})
    lab.virsh("managedsave", "web1")
    # Nothing changed, so nothing is due, and the banner is not waited for again.
    same = lab.triad({"name": "web1", "xml": lab.xml(), "wait_for": lab.up})
    assert same["domain"]["restart_required"] is False and same["domain"]["started"] is True
    assert "\nstate: running\n" in "\n" + same["diff"]["after"]
    assert same["diff"]["before"].startswith("state: shutoff, memory saved\n")
    lab.virsh("managedsave", "web1")
    changed = lab.triad({"name": "web1", "xml": lab.xml(memory=48)})
    assert changed["domain"]["restart_required"] is True
    assert memory(lab) == "<memory unit='KiB'>32768</memory>"
    assert due(lab) is True
    assert lab.good({"name": "web1"})["domain"]["restart_required"] is True
    done = lab.triad({"name": "web1", "restart": "if_changed", **SOON})
    assert done["domain"]["restart_required"] is False and due(lab) is False
    assert memory(lab) == "<memory unit='KiB'>49152</memory>"


@pytest.mark.parametrize("how", [SOON, NOW], ids=["asked first", "at once"])
def test_a_restart_that_is_due_boots_what_is_defined(lab, how):
    lab.good({"name": "web1", "xml": lab.xml()})
    lab.virsh("managedsave", "web1")
    done = lab.triad({"name": "web1", "xml": lab.xml(memory=48), "restart": "if_changed", **how, "wait_for": lab.up})
    assert done["domain"]["restart_required"] is False
    assert memory(lab) == "<memory unit='KiB'>49152</memory>"


def test_saved_memory_of_a_guest_that_was_paused(lab):
    lab.good({"name": "web1", "xml": lab.xml()})
    lab.virsh("managedsave", "web1", "--paused")
    lab.triad({"name": "web1"})
    assert lab.state() == "running"


def test_saved_memory_that_nobody_can_read(lab):
    """libvirt throws it away and boots what is defined."""
    lab.good({"name": "web1", "xml": lab.xml()})
    lab.virsh("managedsave", "web1")
    image = next(lab.folder.glob("**/save/web1.save"))
    image.write_bytes(b"x" * 4096 + image.read_bytes()[4096:])
    done = lab.triad({"name": "web1", "xml": lab.xml(memory=48), "wait_for": lab.up})
    assert done["domain"]["restart_required"] is False
    assert memory(lab) == "<memory unit='KiB'>49152</memory>"


def test_saved_memory_of_a_guest_that_stays_off(lab):
    lab.good({"name": "web1", "xml": lab.xml()})
    lab.virsh("managedsave", "web1")
    off = {"name": "web1", "state": "shutoff"}
    assert lab.good({**off, "xml": lab.xml()})["changed"] is False
    done = lab.triad({**off, "xml": lab.xml(memory=48)})
    assert done["domain"]["restart_required"] is False
    assert done["warnings"][0].startswith("domain web1: its memory was saved with another definition")
    info = lab.good({"name": "web1"}, **INFO)["domains"][0]
    assert (info["state"], info["memory_saved"], info["managed"]["restart_required"]) == ("shutoff", True, False)
    lab.triad({"name": "web1", "state": "absent"})
    lab.good({"name": "web1", "xml": lab.xml(memory=48)})
    assert memory(lab) == "<memory unit='KiB'>49152</memory>"


def test_an_edit_that_waits_is_told_until_it_runs(lab):
    lab.good({"name": "web1", "xml": lab.xml()})
    lab.virsh("setmaxmem", "web1", "64M", "--config")
    assert lab.good({"name": "web1"})["domain"]["restart_required"] is True and due(lab) is True
    lab.triad({"name": "web1", "restart": "if_changed", **NOW})
    assert memory(lab) == "<memory unit='KiB'>65536</memory>" and due(lab) is False


@pytest.mark.parametrize("running", [True, False], ids=["running", "off"])
@pytest.mark.parametrize("described", [True, False], ids=["described", "not described"])
def test_an_external_snapshot_is_not_undone(lab, disk, running, described):
    state = {"state": "running" if running else "present"}
    given = {"name": "web1", "xml": writable(lab, disk), **state}
    lab.good(given)
    overlay = disk.with_name("overlay")
    words = ["--disk-only", "--diskspec", f"vda,file={overlay}"]
    if described:
        lab.virsh("snapshot-create-as", "web1", "nightly", *words)
    elif running:
        lab.virsh("snapshot-create-as", "web1", "nightly", *words, "--no-metadata")
    else:
        lab.virsh("snapshot-create-as", "web1", "nightly", *words)
        lab.virsh("snapshot-delete", "web1", "nightly", "--metadata")
    assert source(lab, "--inactive") == str(overlay)
    for options in (given, {**given, "restart": "if_changed", **NOW}, {**given, "xml": writable(lab, disk, memory=48)}):
        message = lab.refused(options)
        assert message == lab.refused({**options, "_ansible_check_mode": True})
        assert message.startswith(
            f"defining domain web1: expected disk vda to be {disk}, as `xml` has it, found {overlay}, "
        )
        assert "virsh blockcommit web1 vda --active --pivot" in message
        kind = "the overlay of external snapshot nightly" if described else "the overlay of an external snapshot"
        assert (kind in message) is (described or running)
        assert ("virsh snapshot-delete web1 nightly" in message) is described
    assert source(lab, "--inactive") == str(overlay)
    # Without XML nothing is put back.
    lab.good({"name": "web1", **state})
    if not running:
        lab.virsh("start", "web1")
    lab.virsh("blockcommit", "web1", "vda", "--active", "--pivot", "--wait")
    lab.good(given)
    assert source(lab, "--inactive") == str(disk)


def test_an_overlay_that_is_given_is_taken(lab, disk):
    lab.good({"name": "web1", "xml": writable(lab, disk)})
    overlays = [disk.with_name("one"), disk.with_name("two")]
    lab.virsh("snapshot-create-as", "web1", "one", "--disk-only", "--diskspec", f"vda,file={overlays[0]}")
    taken = {"name": "web1", "xml": writable(lab, overlays[0], "qcow2")}
    lab.good(taken)
    assert lab.good({**taken, "_ansible_check_mode": True})["changed"] is False
    lab.virsh("snapshot-create-as", "web1", "two", "--disk-only", "--diskspec", f"vda,file={overlays[1]}")
    # Neither the one below, nor the base, nor one that only looks different because its disk is named anew.
    for below in (overlays[0], disk):
        assert f"found {overlays[1]}, the overlay" in lab.refused({"name": "web1", "xml": writable(lab, below)})
    renamed = writable(lab, disk).replace("dev='vda'", "dev='vdb'")
    assert "expected disk vda to be none" in lab.refused({"name": "web1", "xml": renamed})
    lab.good({"name": "web1", "xml": writable(lab, f"{overlays[1].parent}//two", "qcow2")})
    assert "found" in lab.refused({"name": "web1", "xml": writable(lab, disk)})


def test_a_copied_disk_is_not_undone(lab, disk):
    lab.good({"name": "web1", "xml": writable(lab, disk)})
    copy = disk.with_name("copy")
    lab.virsh("blockcopy", "web1", "vda", str(copy), "--format", "raw", "--transient-job", "--wait", "--pivot")
    assert source(lab, "--inactive") == str(copy)
    message = lab.refused({"name": "web1", "xml": writable(lab, disk)})
    assert f"found {copy}, where a snapshot, a block copy or an edit has put it" in message
    lab.good({"name": "web1", "xml": writable(lab, copy)})


def test_a_snapshot_of_somebody_elses_domain_is_not_undone(lab, disk):
    path = lab.folder / "foreign.xml"
    path.write_text(writable(lab, disk))
    lab.virsh("define", str(path))
    lab.virsh("snapshot-create-as", "web1", "nightly", "--disk-only", "--diskspec", f"vda,file={disk.with_name('overlay')}")
    given = {"name": "web1", "xml": writable(lab, disk), "state": "present"}
    assert "the overlay of external snapshot nightly" in lab.refused(given)
    lab.virsh("snapshot-delete", "web1", "nightly", "--metadata")
    lab.virsh("start", "web1")
    lab.virsh("snapshot-create-as", "web1", "n", "--disk-only", "--no-metadata", "--diskspec", f"vda,file={disk.with_name('two')}")
    lab.virsh("destroy", "web1")
    # libvirt keeps the chain that it has seen.
    assert f"found {disk.with_name('two')}, the overlay of an external snapshot" in lab.refused(given)


def test_snapshots_inside_of_the_disk(lab, disk):
    inner = disk.with_name("disk.qcow2")
    subprocess.run(["qemu-img", "convert", "-q", "-O", "qcow2", disk, inner], check=True)
    given = {"name": "web1", "xml": writable(lab, inner, "qcow2")}
    lab.good(given)
    lab.virsh("checkpoint-create-as", "web1", "c1")
    gone = {"name": "web1", "state": "absent"}
    assert "found it running" in lab.refused(gone) or "checkpoints c1" in lab.refused(gone)
    lab.good({"name": "web1", "state": "shutoff", **NOW})
    assert lab.refused(gone) == (
        "undefining domain web1: expected no snapshots and no checkpoints, found checkpoints c1; delete them first (virsh "
        "snapshot-delete, virsh checkpoint-delete), or set `force: true` to remove what libvirt knows of them"
    )
    lab.virsh("checkpoint-delete", "web1", "c1", "--metadata")
    for number in range(10):
        lab.virsh("snapshot-create-as", "web1", f"s{number}")
    assert lab.good({**given, "state": "present"})["changed"] is False
    message = lab.refused({**gone, "_ansible_check_mode": True})
    assert "found snapshots s0, s1, s2, s3, s4, s5, s6, s7 and 2 more; delete" in message
    done = lab.triad({**gone, "force": True})
    assert done["warnings"] == [
        "domain web1: with it goes what libvirt knows of its snapshots s0, s1, s2, s3, s4, s5, s6, s7 and 2 more; what they "
        "hold stays in its disks"
    ]
    assert inner.exists() and lab.names() == []
