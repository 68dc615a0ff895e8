# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest goes from one hypervisor to another, by the playbook, on hosts without ZFS; also where the controller or a program dies on the way."""

from __future__ import annotations

import re

import pytest
from test_redeploy import cut
from test_second_day import BANNER, Host, Site, changes, guest, row


@pytest.fixture
def site(lab, second_daemon, tmp_path):
    """A guest with a data disk that runs on hv1, and is in the dictionary of hv2."""
    site = Site(tmp_path, [Host("hv1", tmp_path / "hv1", lab.uri), Host("hv2", tmp_path / "hv2", second_daemon.uri)])
    site.publish("20260101")
    hv1, hv2 = site.hosts
    hv1.guests["web1"] = guest(
        wait_for={"console": BANNER % "20260101"}, disks={"data": {"size": "16M"}}, autostart=True, seed={"family": "linux", "hostname": "web1"}
    )
    site.deploy()
    with open(hv1.folder / "volumes/web1:data.raw", "r+b") as data:
        data.seek(1 << 20)
        data.write(b"precious")
    hv2.guests["web1"] = hv1.guests.pop("web1")
    return site


def move(site, *words, code=0):
    return site.play("move", "-e", "guest_names=web1", *words, code=code)


def identity(host):
    xml = host.virsh("dumpxml", "web1")
    return [line.strip() for line in xml.splitlines() if "<uuid>" in line or "<mac " in line]


def starts(host):
    return "enable" in re.search("Autostart: *(.*)", host.virsh("dominfo", "web1"))[1]


def has_all(host):
    data = (host.folder / "volumes/web1:data.raw").read_bytes()
    return len(data) == 16 << 20 and data[1 << 20:].startswith(b"precious") and data.count(0) == len(data) - 8


def is_nowhere(host):
    return host.virsh("list", "--all", "--name") == "" and host.volumes() == [] and list((host.folder / "seeds").glob("*.seed")) == []


def is_moved(site):
    """All of it is on hv2, and nothing on hv1."""
    hv1, hv2 = site.hosts
    assert (hv1.running(), hv2.running(), hv2.volumes()) == ([], ["web1"], ["web1.raw", "web1:data.raw"])
    assert is_nowhere(hv1) and has_all(hv2) and starts(hv2)
    # It is what a deployment would have made of it.
    assert changes(site.deploy(), "hv2") == 0


def test_a_guest_moves_and_comes_back(site):
    hv1, hv2 = site.hosts
    same, there = identity(hv1), hv1.volumes()
    assert "Say which guests" in site.play("move", code=2)
    said = site.deploy(code=2)
    assert "`ansible-playbook -i INVENTORY apiary.bhyve.move -e guest_names=web1` brings it here" in said
    said = move(site, "--check")
    assert row(said, "web1")[0] == "hv1" and (hv1.running(), hv1.volumes(), hv2.running(), hv2.volumes()) == (["web1"], there, [], [])
    said = move(site)
    assert row(said, "web1")[:2] == ["hv1", "running"] and "The way back: write it into the bhyve_guests of hv1 again" in said
    assert identity(hv2) == same
    is_moved(site)
    # Sparse as it was.
    assert (hv2.folder / "volumes/web1:data.raw").stat().st_blocks * 512 < 1 << 20
    # It is there already.
    said = move(site)
    assert "is here already" in said and changes(said, "hv2") == changes(said, "hv1") == 0
    assert "found web9; they have: web1" in site.play("move", "-e", "guest_names=web9", code=2)

    hv1.guests["web1"] = hv2.guests.pop("web1")
    # One of the hosts alone in the play asks the other one.
    assert row(move(site, "--limit", "hv1"), "web1")[:2] == ["hv2", "running"]
    assert hv1.running() == ["web1"] and is_nowhere(hv2) and has_all(hv1) and identity(hv1) == same


def test_what_is_in_the_way_keeps_the_guest_running(site):
    hv1, hv2 = site.hosts
    (hv2.folder / "volumes").mkdir(exist_ok=True)
    (hv2.folder / "volumes/web1:data.raw").write_bytes(b"somebody's")
    said = move(site, code=2)
    assert "web1:data.raw is on hv2 already, and is not what hv1 has now" in said
    assert (hv1.running(), hv2.running()) == (["web1"], []) and starts(hv1)
    (hv2.folder / "volumes/web1:data.raw").unlink()
    # A move that was cut before the guest was stopped: nobody makes it a fresh disk.
    hv1.virsh("destroy", "web1")
    said = site.deploy(code=2)
    assert "its guest is on its way from another host, and that move was cut" in said and hv2.running() == []
    move(site)
    is_moved(site)


def test_a_guest_that_was_off_stays_off(site):
    hv1, hv2 = site.hosts
    hv1.virsh("destroy", "web1")
    hv2.guests["web1"]["state"] = "shutoff"
    move(site)
    assert (hv1.running(), hv2.running(), hv2.volumes()) == ([], [], ["web1.raw", "web1:data.raw"]) and is_nowhere(hv1)
    assert hv2.virsh("domstate", "web1") == "shut off" and has_all(hv2)


MOMENTS = {
    "place taken": lambda hv1, hv2: "web1.raw.move" in hv2.volumes(),
    "seed written": lambda hv1, hv2: (hv2.folder / "seeds/web1.seed").exists(),
    "stopped": lambda hv1, hv2: hv1.running() == [],
    "arriving": lambda hv1, hv2: any(name.startswith(".new-") for name in hv2.volumes()),
    "arrived": lambda hv1, hv2: "web1.raw" in hv2.volumes(),
    "defined": lambda hv1, hv2: hv2.virsh("list", "--all", "--name") == "web1",
    "started": lambda hv1, hv2: hv2.running() == ["web1"],
    "taken away": lambda hv1, hv2: "web1:data.raw" not in hv1.volumes(),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_where_the_controller_dies_the_same_call_again_goes_on(site, moment):
    hv1, hv2 = site.hosts
    same = identity(hv1)
    cut(site, lambda: MOMENTS[moment](hv1, hv2), playbook="move")
    # Never on both, and somewhere whole.
    assert not (hv1.running() and hv2.running())
    assert has_all(hv1) if "web1:data.raw" in hv1.volumes() else has_all(hv2)
    assert hv1.running() or not hv1.virsh("list", "--all", "--name") or not starts(hv1) or moment == "stopped"
    move(site)
    assert identity(hv2) == same
    is_moved(site)
