# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that gets another name, by the playbook, on a host without ZFS; also where the controller dies on the way."""

from __future__ import annotations

import json
import pathlib

import pytest
from test_redeploy import cut, inode
from test_second_day import BANNER, Host, Site, changes, guest, row

NOTE = pathlib.Path("/var/db/apiary/renames/web1.json")


@pytest.fixture
def site(lab, tmp_path):
    site = Site(tmp_path, [Host("hv1", tmp_path / "hv1", lab.uri)])
    site.publish("20260101")
    [hv1] = site.hosts
    hv1.guests["web1"] = guest(
        network="user", disks={"data": {"size": "1M"}}, seed={"family": "linux", "addresses": ["dhcp"]}, wait_for={"console": BANNER % "20260101"})
    site.deploy()
    return site


def identity(host, name):
    xml = host.virsh("dumpxml", name)
    return [line.strip() for line in xml.splitlines() if "<uuid>" in line or "<mac " in line]


def rekey(host, old="web1", new="www1", **more):
    """What an administrator does before."""
    host.guests[new] = {**host.guests.pop(old), **more}


def rename(site, *words, code=0, old="web1", new="www1"):
    return site.play("rename", "-e", f"guest_names={old}", "-e", f"guest_new_name={new}", *words, code=code)


def domains(host):
    return sorted(host.virsh("list", "--all", "--name").split())


def instance(host, name):
    seed = (host.folder / "seeds" / f"{name}.seed").read_bytes()
    return [line for line in seed.split(b"\n") if b"instance-id: " in line]


def test_a_guest_gets_another_name(site):
    [hv1] = site.hosts
    disks, same, instance_id = (inode(hv1), inode(hv1, "web1:data.raw")), identity(hv1, "web1"), instance(hv1, "web1")
    assert len(same) == 2 and len(instance_id) == 1
    hv1.virsh("autostart", "web1")
    # What an exchange has kept goes with it.
    site.play("redeploy", "-e", "guest_names=web1")
    root = inode(hv1)
    assert "Say which guest, and how its key" in site.play("rename", "-e", "guest_names=web1", code=2)
    assert "expected web1 in no bhyve_guests any more, found it on hv1; rename the key web1" in rename(site, code=2)
    rekey(hv1)
    assert "expected `identity: web1`" in rename(site, code=2)
    rekey(hv1, "www1", "www1", identity="web1")
    said = rename(site, "--check")
    assert row(said, "www1")[2:5] == ["to", "be", "renamed"] and "what is not there yet" not in said
    assert domains(hv1) == ["web1"] and hv1.running() == ["web1"] and inode(hv1) == root and not (hv1.folder / "seeds/www1.seed").exists()
    # A deploy makes no second disk.
    said = site.deploy(code=2)
    assert "apiary.bhyve.rename -e guest_names=web1 -e guest_new_name=www1` brings the host" in said and "www1.raw" not in hv1.volumes()

    said = rename(site)
    assert row(said, "www1")[:3] == ["web1", "running", "renamed"]
    assert domains(hv1) == hv1.running() == ["www1"] and identity(hv1, "www1") == same and instance(hv1, "www1") == instance_id
    assert (inode(hv1, "www1.raw"), inode(hv1, "www1:data.raw")) == (root, disks[1])
    [kept] = [name for name in hv1.volumes() if ".old-" in name]
    assert kept.startswith("www1.raw.old-") and inode(hv1, kept) == disks[0] and len(hv1.volumes()) == 3
    assert "yes" in hv1.virsh("dominfo", "www1").split("Autostart:")[1].split("\n")[0].replace("enable", "yes")
    assert sorted(file.name for file in (hv1.folder / "seeds").glob("*.seed")) == ["www1.seed"] and not NOTE.exists()
    assert changes(site.deploy(), "hv1") == 0
    said = rename(site)
    assert changes(said, "hv1") == 0 and row(said, "www1")[2] == "unchanged"
    # The way back of the disk has not got lost.
    site.play("redeploy", "-e", "guest_names=www1", "-e", "guest_redeploy_back=true")
    assert inode(hv1, "www1.raw") == disks[0] and hv1.running() == ["www1"]
    # A new guest of the old name would be the same to libvirt and to the network.
    hv1.guests["web1"] = guest()
    assert "identity web1 is taken by" in site.deploy(code=2)
    hv1.guests["web1"]["identity"] = "web1-2"
    site.deploy()
    assert hv1.running() == ["web1", "www1"]


def test_a_guest_that_is_off_stays_off_and_goes_back(site):
    [hv1] = site.hosts
    hv1.virsh("destroy", "web1")
    same = identity(hv1, "web1")
    rekey(hv1, identity="web1")
    assert row(rename(site), "www1")[1] == "shutoff" and hv1.running() == []
    rekey(hv1, "www1", "web1")
    del hv1.guests["web1"]["identity"]
    rename(site, old="www1", new="web1")
    assert domains(hv1) == ["web1"] and hv1.running() == [] and identity(hv1, "web1") == same
    assert "www1.raw" not in hv1.volumes()


def test_what_would_lose_something_stops_nobody(site):
    [hv1] = site.hosts
    rekey(hv1, identity="web1")
    (hv1.folder / "volumes/www1.raw").write_text("somebody's")
    said = rename(site, code=2)
    assert "found a volume there" in said and hv1.running() == ["web1"] and domains(hv1) == ["web1"]
    (hv1.folder / "volumes/www1.raw").unlink()
    specs = ["vda,snapshot=external,file=%s/overlay" % hv1.folder, "vdb,snapshot=no", "vdc,snapshot=no"]
    hv1.virsh("snapshot-create-as", "web1", "s1", "--disk-only", *(word for spec in specs for word in ("--diskspec", spec)))
    said = rename(site, code=2)
    assert "expected" in said and hv1.running() == ["web1"] and "www1.raw" not in hv1.volumes()


CUTS = {
    "stopped": lambda host: host.running() == [],
    "renamed": lambda host: inode(host) is None,
    "defined": lambda host: "www1" in domains(host),
    "started": lambda host: host.running() == ["www1"],
}


@pytest.mark.parametrize("moment", CUTS)
def test_where_the_controller_dies_the_same_call_again_goes_on(site, moment):
    [hv1] = site.hosts
    same, disk = identity(hv1, "web1"), inode(hv1)
    rekey(hv1, identity="web1")
    words = ["-e", "guest_new_name=www1"]
    cut(site, lambda: CUTS[moment](hv1), *words, playbook="rename")
    rename(site)
    assert domains(hv1) == hv1.running() == ["www1"] and identity(hv1, "www1") == same and inode(hv1, "www1.raw") == disk
    assert hv1.volumes() == ["www1.raw", "www1:data.raw"] and changes(site.deploy(), "hv1") == 0


def test_what_a_cut_between_two_definitions_knew_is_not_lost(site, lab):
    [hv1] = site.hosts
    hv1.virsh("destroy", "web1")
    same = identity(hv1, "web1")
    xml = hv1.virsh("dumpxml", "--inactive", "web1").replace("<name>web1</name>", "<name>www1</name>")
    options = {"name": "www1", "renamed_from": "web1", "state": "present"}
    bare = "\n".join(line for line in xml.splitlines() if "<uuid>" not in line and "<mac " not in line)
    # What libvirt does not take leaves the domain as it was.
    said = lab.refused({**options, "xml": bare.replace("machine='", "machine='no-")}, changed=True)
    assert "www1" in said and domains(hv1) == ["web1"] and identity(hv1, "web1") == same and not NOTE.exists()
    # What a run that died between the two has left: another UUID and other addresses than follow from the name, and a start with the host.
    known = {"uuid": "00000000-0000-4000-8000-000000000007", "macs": ["52:54:00:00:00:07"], "start": {"marked": True, "turn": None}}
    NOTE.parent.mkdir(parents=True, exist_ok=True)
    NOTE.write_text(json.dumps({"name": "web1", "becomes": "www1", "uri": lab.uri, "nvram": None, **known}))
    hv1.virsh("undefine", "web1")
    done = lab.good({**options, "xml": bare})
    assert done["changed"] and done["domain"]["uuid"] == known["uuid"] and done["domain"]["autostart"] is True and not NOTE.exists()
    assert any("52:54:00:00:00:07" in line for line in identity(hv1, "www1"))
    assert lab.good({**options, "xml": bare})["changed"] is False
