# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that gets another name through libvirt's own bhyve driver, which renames none: by the playbook, running and off, and where a call was
cut between the two definitions."""

from __future__ import annotations

import json
import pathlib
import re

import pytest

from host import URI
from test_second_day import Site, row

# Notes of renames are the machine's, so these names are those of no guest in other suites.
OLD, NEW = "hive1", "comb1"
NOTE = pathlib.Path(f"/var/db/apiary/renames/{OLD}.json")


@pytest.fixture
def site(host, tmp_path):
    made = Site(tmp_path, host)
    made.publish("20260101")
    yield made
    for modem in made.modems:
        modem.close()


def identity(host, name):
    xml = host.virsh("dumpxml", "--inactive", name)
    return [line.strip() for line in xml.splitlines() if "<uuid>" in line or "<mac " in line]


def instance(site, name):
    """What cloud-init holds against what it knows: with another one, it would set the guest up anew."""
    seed = (site.folder / "seeds" / f"{name}.seed").read_bytes()
    return re.findall(rb"instance-id: \S+", seed)


def inodes(site):
    return {file.name: file.stat().st_ino for file in (site.folder / "volumes").iterdir()}


def rekey(site, old, new, **more):
    """What an administrator does before; the console's device is the guest's still, what it says there has its name."""
    site.guests[new] = {**site.guests.pop(old), "wait_for": {"console": f"{new} has booted"}, **more}


def rename(site, old=OLD, new=NEW, *words, code=0):
    return site.play("rename", "-e", f"guest_names={old}", "-e", f"guest_new_name={new}", *words, code=code)


def marks(host):
    return [link.name for link in (host.folder / "etc/bhyve/autostart").glob("*")]


@pytest.mark.parametrize("template", ["uefi", "loader"])
def test_a_guest_gets_another_name_and_back(site, host, template):
    seed = {"family": "freebsd", "addresses": ["192.0.2.11/24"]}
    site.guest(OLD, template=template, bridge="bridge0", autostart=True, disks={"data": {"size": "1M"}}, seed=seed)
    site.deploy()
    same, known, disks, before = identity(host, OLD), instance(site, OLD), inodes(site), host.processes(OLD)
    assert (len(same), len(known), sorted(disks), len(before)) == (2, 1, [f"{OLD}.raw", f"{OLD}:data.raw"], 1)
    boots = re.findall("<(?:loader|bootloader)[^>]*>.*", host.virsh("dumpxml", OLD))

    rekey(site, OLD, NEW, identity=OLD)
    said = rename(site, OLD, NEW, "--check")
    assert row(said, NEW)[2:5] == ["to", "be", "renamed"] and site.running() == [OLD] and host.processes(OLD) == before
    said = rename(site)
    assert row(said, NEW)[:3] == [OLD, "running", "renamed"]
    assert site.running() == host.virsh("list", "--all", "--name").split() == [NEW]
    assert (identity(host, NEW), instance(site, NEW)) == (same, known)
    assert inodes(site) == {name.replace(OLD, NEW): inode for name, inode in disks.items()}
    assert re.findall("<(?:loader|bootloader)[^>]*>.*", host.virsh("dumpxml", NEW)) == boots
    # Nothing of the old name is left: no process, no mark, no seed, no note.
    assert (host.processes(OLD), len(host.processes(NEW)), marks(host)) == ([], 1, [f"{NEW}.xml"])
    assert [file.name for file in (site.folder / "seeds").glob("*.seed")] == [f"{NEW}.seed"] and not NOTE.exists()
    assert row(rename(site), NEW)[2] == "unchanged" and site.deploy()[1] == 0

    # One that is off stays off, and the name that it was made with needs no `identity`.
    host.virsh("destroy", NEW)
    rekey(site, NEW, OLD)
    del site.guests[OLD]["identity"]
    assert row(rename(site, NEW, OLD), OLD)[:3] == [NEW, "shutoff", "renamed"] and site.running() == []
    assert (identity(host, OLD), inodes(site), marks(host)) == (same, disks, [f"{OLD}.xml"])
    site.deploy()
    assert site.running() == [OLD] and (identity(host, OLD), instance(site, OLD)) == (same, known)


def test_what_a_cut_between_two_definitions_knew_is_not_lost(host):
    card = "<interface type='bridge'><source bridge='bridge0'/><model type='virtio'/></interface>"
    options = {"name": NEW, "renamed_from": OLD, "state": "present", "xml": host.xml(NEW, devices=card)}
    host.good(name=OLD, state="present", xml=host.xml(OLD, devices=card))
    same = identity(host, OLD)
    # What the driver cannot keep under the new name is brought back under the old one.
    kept = host.folder / f"etc/bhyve/{NEW}.xml"
    kept.mkdir()
    reply = host.run(**options)
    assert reply["failed"] and reply["changed"] and f"defining domain {NEW}" in reply["msg"], reply
    assert host.virsh("list", "--all", "--name") == OLD and identity(host, OLD) == same and not NOTE.exists()
    kept.rmdir()
    # What a run that died between the two has left: another UUID and another address than follow from the name, and a start with the host.
    known = {"uuid": "00000000-0000-4000-8000-000000000007", "macs": ["58:9c:fc:00:00:07"], "start": {"marked": True, "turn": None}}
    NOTE.parent.mkdir(parents=True, exist_ok=True)
    NOTE.write_text(json.dumps({"name": OLD, "becomes": NEW, "uri": URI, "nvram": None, **known}))
    host.virsh("undefine", OLD)
    done = host.good(**options)
    assert done["changed"] and done["domain"]["uuid"] == known["uuid"] and done["domain"]["autostart"] is True and not NOTE.exists()
    assert any(known["macs"][0] in line for line in identity(host, NEW)) and marks(host) == [f"{NEW}.xml"]
    assert host.good(**options)["changed"] is False


def test_the_variables_of_the_firmware_go_with_the_name(host):
    """By their file's name they are the guest's own; this version of the driver keeps the path, and writes nothing there."""
    variables = {name: host.folder / f"{name}_VARS.fd" for name in (OLD, NEW)}
    variables[OLD].write_text("boot order")
    xml = {name: host.xml(name).replace("</loader>", f"</loader><nvram>{variables[name]}</nvram>") for name in (OLD, NEW)}
    host.good(name=OLD, state="present", xml=xml[OLD])
    assert str(variables[OLD]) in host.virsh("dumpxml", OLD)
    host.good(name=NEW, renamed_from=OLD, state="present", xml=xml[NEW])
    assert host.virsh("list", "--all", "--name") == NEW and str(variables[NEW]) in host.virsh("dumpxml", NEW)
    assert not variables[OLD].exists() and variables[NEW].read_text() == "boot order"
