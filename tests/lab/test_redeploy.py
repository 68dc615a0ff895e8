# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New root disks and the way back, by the playbook, on a host without ZFS; also where the controller dies on the way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time

import pytest
from test_second_day import BANNER, Host, Site, changes, guest, row

from patience import patience, wait_for


@pytest.fixture
def site(lab, tmp_path):
    site = Site(tmp_path, [Host("hv1", tmp_path / "hv1", lab.uri)])
    site.publish("20260101")
    [hv1] = site.hosts
    hv1.guests["web1"] = guest(wait_for={"console": BANNER % "20260101"})
    site.deploy()
    return site


def redeploy(site, *words, code=0):
    return site.play("redeploy", "-e", "guest_names=web1", *words, code=code)


def inode(host, name="web1.raw"):
    """Which file it is; nothing between two renames."""
    try:
        return (host.folder / "volumes" / name).stat().st_ino
    except FileNotFoundError:
        return None


def kept(host):
    return [name for name in host.volumes() if ".old-" in name]


def identity(host):
    xml = host.virsh("dumpxml", "web1")
    return [line for line in xml.splitlines() if "<uuid>" in line or "<mac " in line]


def test_a_new_disk_and_back(site):
    [hv1] = site.hosts
    first, same = inode(hv1), identity(hv1)
    assert "Say which guests" in site.play("redeploy", code=2)
    assert "found web9; they have: web1" in site.play("redeploy", "-e", "guest_names=web9", code=2)
    assert "no disk of it is kept" in redeploy(site, "-e", "guest_redeploy_back=true", code=2)
    assert hv1.running() == ["web1"]

    # Somebody broke the guest: the same image again. Check mode says so and changes nothing.
    assert "to come new" in redeploy(site, "--check")
    assert (inode(hv1), hv1.volumes(), hv1.running()) == (first, ["web1.raw"], ["web1"])
    said = redeploy(site)
    [old] = kept(hv1)
    second = inode(hv1)
    assert row(said, "web1")[:3] == ["running", "demo-20260101", "new"]
    assert f"volumes/{old}; `ansible-playbook -i INVENTORY apiary.bhyve.redeploy -e guest_names=web1 -e guest_redeploy_back=true` brings it back" in said
    assert second != first and inode(hv1, old) == first and hv1.running() == ["web1"] and identity(hv1) == same
    assert changes(site.deploy(), "hv1") == 0

    # Another image, by its base name: the newest.
    site.publish("20260601")
    hv1.guests["web1"]["wait_for"] = {"console": BANNER % "20260601"}
    said = redeploy(site)
    assert row(said, "web1")[:2] == ["running", "demo-20260601"] and len(kept(hv1)) == 2 and identity(hv1) == same
    third = inode(hv1)

    # Back, and forth, and back.
    for version, expected in [("20260101", second), ("20260601", third), ("20260101", second)]:
        hv1.guests["web1"]["wait_for"] = {"console": BANNER % version}
        assert "to come back" in redeploy(site, "--check", "-e", "guest_redeploy_back=true")
        said = redeploy(site, "-e", "guest_redeploy_back=true")
        assert row(said, "web1")[0] == "running" and inode(hv1) == expected and len(kept(hv1)) == 2 and identity(hv1) == same


def test_a_guest_that_cannot_be_stopped_or_has_no_image_keeps_its_disk(site):
    [hv1] = site.hosts
    first = inode(hv1)
    hv1.guests["web2"] = guest()
    site.deploy()
    hv1.virsh("suspend", "web1")
    said = site.play("redeploy", "-e", "guest_names=all", code=2)
    assert row(said, "web1")[0] == "failed" and inode(hv1) == first and hv1.virsh("domstate", "web1") == "paused"
    # The other one is done all the same.
    assert row(said, "web2")[0] == "running" and len(kept(hv1)) == 1 and kept(hv1)[0].startswith("web2.raw.old-")
    hv1.virsh("resume", "web1")
    (site.folder / "mine.xml.j2").write_text("<domain>{{ nothing_of_that_name }}</domain>")
    hv1.guests["web1"]["template"] = str(site.folder / "mine.xml.j2")
    assert "nothing_of_that_name" in redeploy(site, code=2) and inode(hv1) == first and hv1.running() == ["web1", "web2"]
    del hv1.guests["web1"]["template"]
    hv1.guests["web1"]["image"] = "nothing"
    said = redeploy(site, code=2)
    assert "no image nothing is in the catalogue" in said and inode(hv1) == first and hv1.running() == ["web1", "web2"]


CUTS = {
    "made ready": lambda host, first: (host.folder / "volumes/web1.raw.redeploy").exists(),
    "stopped": lambda host, first: host.running() == [],
    "between": lambda host, first: host.volumes() and inode(host) != first,
    "exchanged": lambda host, first: inode(host) not in (None, first),
    "started": lambda host, first: inode(host) not in (None, first) and host.running() == ["web1"],
}


# Nothing is made ready for the way back.
@pytest.mark.parametrize(("back", "moment"), [(back, moment) for back in (False, True) for moment in CUTS if not (back and moment == "made ready")])
def test_where_the_controller_dies_the_same_call_again_goes_on(site, moment, back):
    [hv1] = site.hosts
    words = ["-e", "guest_redeploy_back=true"] if back else []
    if back:
        redeploy(site)
    first, [*before] = inode(hv1), kept(hv1)
    target = inode(hv1, before[0]) if back else None
    cut(site, lambda: CUTS[moment](hv1, first), *words)
    said = redeploy(site, *words)
    assert row(said, "web1")[0] == "running" and hv1.running() == ["web1"]
    assert len(kept(hv1)) == 1 and inode(hv1, kept(hv1)[0]) == first and "web1.raw.redeploy" not in hv1.volumes()
    assert inode(hv1) == target if back else inode(hv1) != first
    # Once more means another exchange, because somebody asks again.
    present = inode(hv1)
    redeploy(site, *words)
    assert inode(hv1) != present


def test_a_deploy_after_a_cut_makes_no_fresh_disk(site):
    [hv1] = site.hosts
    hv1.virsh("destroy", "web1")
    volumes = hv1.folder / "volumes"
    shutil.copy2(volumes / "web1.raw", volumes / "web1.raw.redeploy")
    os.setxattr(volumes / "web1.raw.redeploy", "user.apiary.bhyve.swap", time.strftime("new %Y-%m-%dT%H:%M:%SZ", time.gmtime()).encode())
    (volumes / "web1.raw").rename(volumes / "web1.raw.old-20260101T000000Z")
    for words in ([], ["--check"]):
        said = site.deploy(*words, code=2)
        assert "web1.raw.redeploy, chosen on" in said and "apiary.bhyve.redeploy -e guest_names=web1`" in said
        assert hv1.running() == [] and "web1.raw" not in hv1.volumes()
    assert row(redeploy(site), "web1")[0] == "running"
    assert hv1.volumes() == ["web1.raw", "web1.raw.old-20260101T000000Z"]
    assert changes(site.deploy(), "hv1") == 0


def cut(site, happens, *words, playbook="redeploy"):
    """One that is killed as soon as something has happened."""
    play = ["ansible-playbook", "-i", site.inventory(), f"apiary.bhyve.{playbook}", "-e", "guest_names=web1", *words]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(site.folder), "ANSIBLE_HOME": str(site.folder / "home")}
    running = subprocess.Popen(play, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for("the moment to kill it", happens, 120, 0.002)
        assert running.poll() is None, "it was over before it was killed"
    finally:
        # A worker may have a group of its own, as has what it starts for a stream: these end by themselves.
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


@pytest.mark.parametrize("back", [False, True])
def test_a_guest_runs_again_if_it_ran_and_stays_off_if_it_was_off(site, back):
    [hv1] = site.hosts
    words = ["-e", "guest_redeploy_back=true"] if back else []
    if back:
        redeploy(site)
    hv1.guests["web1"]["state"] = "present"
    cut(site, lambda: hv1.running() == [], *words)
    assert row(redeploy(site, *words), "web1")[0] == "running" and hv1.running() == ["web1"]
    # Somebody has switched it off since then.
    hv1.virsh("destroy", "web1")
    del hv1.guests["web1"]["wait_for"]
    before = inode(hv1)
    said = redeploy(site, *words)
    assert row(said, "web1")[0] == "shutoff" and hv1.running() == [] and inode(hv1) != before
    redeploy(site, "-e", "guest_redeploy_back=true")
    assert hv1.running() == [] and inode(hv1) == before


def test_a_guest_that_is_left_off_is_told_and_its_new_seed_is_read(site):
    [hv1] = site.hosts
    hv1.guests["web1"].update(seed={"hostname": "web1", "family": "linux"}, disks={"data": {"size": "1M"}})
    assert "takes no notice" not in site.deploy()
    hv1.guests["web1"]["seed"]["hostname"] = "web2"
    in_the_way = hv1.folder / "volumes/web1:more.raw"
    in_the_way.mkdir()
    hv1.guests["web1"]["disks"]["more"] = {"size": "1M"}
    said = redeploy(site, code=2)
    assert row(said, "web1")[0] == "failed" and "is off: call this again" in " ".join(row(said, "web1")) and hv1.running() == []
    assert "web1: is off: disk more: looking at" in said and "-e guest_redeploy_back=true` brings it back" in said
    in_the_way.rmdir()
    for words in (["--check"], []):
        said = redeploy(site, *words)
        assert "takes no notice" not in said and "seed for the next redeploy" not in said
    assert row(said, "web1")[0] == "running" and len(kept(hv1)) == 1


def test_a_guest_that_goes_takes_along_what_redeploys_have_left(site):
    [hv1] = site.hosts
    volumes, spare = hv1.folder / "volumes", site.folder / "spare.raw"
    hv1.guests["web1"]["disks"] = {"data": {"size": "1M"}}
    redeploy(site)
    [old] = kept(hv1)
    shutil.copy2(volumes / old, spare)
    shutil.copy2(volumes / old, volumes / "web1.raw.redeploy")
    there = hv1.volumes()
    said = site.play("remove", "-e", "bhyve_remove=web1", "--check")
    assert f"goes with web1: {volumes}/web1.raw.redeploy, {volumes}/{old}" in said or f"goes with web1: {volumes}/{old}, {volumes}/web1.raw.redeploy" in said
    assert hv1.volumes() == there and f"kept: {volumes}/web1:data.raw" in said

    # Cut when domain, seed and root disk were gone; no dictionary has the guest any more.
    described = hv1.guests.pop("web1")
    hv1.virsh("destroy", "web1")
    hv1.virsh("undefine", "web1")
    (volumes / "web1.raw").unlink()
    said = site.play("remove", "-e", "bhyve_remove=web1")
    assert row(said, "web1") == ["none", "none", "removed"] and hv1.volumes() == ["web1:data.raw"]
    assert f"kept: {volumes}/web1:data.raw; add -e guest_remove_disks=web1:data to destroy it" in said
    assert "expected GUEST:DISK" in site.play("remove", "-e", "bhyve_remove=web1", "-e", "guest_remove_disks=web1:dta", code=2)
    site.play("remove", "-e", "bhyve_remove=web1", "-e", "guest_remove_disks=web1:data")
    assert hv1.volumes() == []
    assert "found web1; they have: none" in site.play("remove", "-e", "bhyve_remove=web1", code=2)

    # One of that name is there again; somebody has saved what was the other one's.
    hv1.guests["web1"] = described
    site.deploy()
    shutil.copy2(spare, volumes / old)
    present = inode(hv1)
    said = redeploy(site, "-e", "guest_redeploy_back=true", code=2)
    assert f"found {old}, put aside otherwise or for a guest that had its name before" in said
    assert (hv1.running(), inode(hv1)) == (["web1"], present)
    redeploy(site)
    redeploy(site, "-e", "guest_redeploy_back=true")
    assert (hv1.running(), inode(hv1)) == (["web1"], present)
