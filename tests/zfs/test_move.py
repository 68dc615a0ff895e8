# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes that go from one pool to another as from host to host: with their snapshots, what was written meanwhile, and cut on the way."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import HERE, TOP
from patience import patience

MIB = 1 << 20


class Site:
    """Two hosts of an inventory that are one machine, with a pool each."""

    def __init__(self, folder, guest, place):
        self.folder, self.guest, self.place = folder, guest, place
        collections = folder / "collections/ansible_collections/apiary"
        collections.mkdir(parents=True)
        (collections / "bhyve").symlink_to(TOP)
        self.pool = "other" + place.name.split("/")[1].split("-")[1]
        guest.sh(f"truncate -s 1G /root/{self.pool}.img && zpool create -f {self.pool} /root/{self.pool}.img && zfs create {self.pool}/vm && zfs create {self.pool}/images")
        hosts = {name: guest.connection() for name in ("hv1", "hv2")}
        (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))

    def remove(self):
        self.guest.sh(f"zpool destroy {self.pool}; rm /root/{self.pool}.img")

    def options(self, *names, golden=True, **more):
        each = {name: {"dataset": f"{self.pool}/vm/{name}", "from_dataset": f"{self.place.vm}/{name}"} for name in names}
        return {"source": "hv1", **({"golden": f"{self.pool}/images"} if golden else {}), "guests": each, **more}

    def command(self, asked):
        return [Path(sys.executable).parent / "ansible-playbook", "-i", self.folder / "hosts.json", HERE / "site/move.yml", "-e", json.dumps({"asked": asked})]

    @property
    def environment(self):
        settings = {"COLLECTIONS_PATH": self.folder / "collections", "HOME": self.folder / "home", "TIMEOUT": int(patience(300)), "NOCOLOR": 1}
        return {**os.environ, **{"ANSIBLE_" + name: str(value) for name, value in settings.items()}}

    def move(self, *words, code=0, **asked):
        options = {"env": self.environment, "stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": patience(600)}
        done = subprocess.run([*self.command(asked), *words], **options)
        assert done.returncode == code, done.stdout + done.stderr
        return int(re.search(r"^hv2 .*changed=(\d+)", done.stdout, re.M)[1]), " ".join(done.stdout.split())

    def told(self, **asked):
        """What has become of each volume."""
        words = self.move(**asked)[1]
        return json.loads(json.loads(re.search(r'"msg": ("\{.*?\}") \}', words)[1]))["guests"]

    def going_on(self, copied, *names):
        """What is asked for when the guest is off, after a call that has COPIED its volumes."""
        options = self.options(*names)
        for name in names:
            options["guests"][name]["since"] = copied[name]["volume"]["since"]
        return options

    def cut(self, asked, end):
        """Kills one end of a stream, or the controller; the status of what had asked for it."""
        running = subprocess.Popen(self.command(asked), env=self.environment, stdout=subprocess.DEVNULL, start_new_session=True)
        # By one command, as soon as it is there: a quarter of a second later all of it may have come.
        seen = "pgrep -f '[z]fs receive' >/dev/null" if end == "controller" else f"pkill -9 -f '[z]fs {'send' if end == 'sender' else 'receive'}'"
        self.guest.sh(f"until {seen}; do sleep 0.005; done", limit=patience(300))
        if end == "controller":
            os.killpg(running.pid, 9)
        status = running.wait()
        self.guest.wait_for("what was killed to be gone", "! pgrep -x zfs > /dev/null")
        return status


@pytest.fixture
def site(tmp_path, guest, place):
    site = Site(tmp_path, guest, place)
    guest.sh("ln -sf zfs_receive /root/zfs_snapshot")
    guest.module({"src": place.src("lz4-plain"), "golden": place.images, "dataset": f"{place.vm}/web1"})
    guest.module({"src": place.src("lz4-plain"), "golden": f"{site.pool}/images"})
    guest.module({"dataset": f"{place.vm}/web1:data", "blank": True, "volsize": "48M", "properties": {"compression": "zstd", "test:owner": "me"}})
    write(guest, f"{place.vm}/web1:data", 0, 16)
    yield site
    site.remove()


def write(guest, volume, at, count):
    guest.sh(f"dd if=/dev/urandom of=/dev/zvol/{volume} bs=1M seek={at} count={count} conv=fsync status=none")


def sums(guest, *volumes):
    return [guest.sha256(f"/dev/zvol/{volume}") for volume in volumes]


def test_all_of_a_guest_arrives_and_is_taken_away_only_then(guest, place, site):
    here, there = f"{place.vm}/web1", f"{site.pool}/vm/web1"
    names = ["web1:data", "web1"]
    guest.module({"datasets": [here, f"{here}:data"], "name": "mine"}, program="/root/zfs_snapshot")
    before = place.names()
    assert site.move("--check", **site.options(*names, state="copied"))[0] == 1 and place.names() == before
    assert guest.names(f"{site.pool}/vm") == []
    # Nothing has come whole, so nothing is taken away.
    assert "has not come from hv1 whole" in site.move(code=2, **site.options(*names, state="given"))[1]
    assert site.move(**site.options(*names, state="copied"))[0] == 1
    assert f"{there}.move" in guest.names(f"{site.pool}/vm") and there not in guest.names(f"{site.pool}/vm")
    # A fresh one is not made in its place.
    fresh = guest.module({"src": place.src("lz4-plain"), "golden": f"{site.pool}/images", "dataset": there}, check=True)
    assert "its guest is on its way from another host" in fresh["msg"]

    write(guest, f"{here}:data", 40, 1)
    write(guest, here, 0, 1)
    expected = sums(guest, here, f"{here}:data")
    changed, said = site.move(**site.options(*names))
    assert changed == 1 and '"streams": 1' in said.replace("\\", "")
    assert sums(guest, there, f"{there}:data") == expected
    # What was taken by people is there, and nothing of ours.
    assert guest.names(f"{site.pool}/vm") == [there, f"{there}@mine", f"{there}:data", f"{there}:data@mine"]
    assert guest.sh(f"zfs get -H -o value compression,test:owner {there}:data").split() == ["zstd", "me"]
    guids = guest.sh(f"zfs get -Hp -o value guid {here}@mine {there}@mine").split()
    assert guids[0] == guids[1] and guest.sh(f"zfs get -H -o value origin {there}") == f"{site.pool}/images/lz4-plain@image"
    # It is what a deployment would have made, and a snapshot of ours is still known as such.
    same = guest.module({"src": place.src("lz4-plain"), "golden": f"{site.pool}/images", "dataset": there})
    assert same["changed"] is False, same
    assert guest.module({"datasets": [there, f"{there}:data"], "name": "mine"}, program="/root/zfs_snapshot")["changed"] is False
    assert site.move(**site.options(*names))[0] == 0

    # One that was written to where it was is not taken away, nor taken for the other one.
    write(guest, f"{here}:data", 0, 1)
    said = site.move(code=2, **site.options(*names, state="given"))[1]
    assert "web1:data: hv1: giving" in said and "it has been written to since it was sent" in said and guest.call(f"zfs list {here}")[0] != 0
    assert "is not what hv1 has now" in site.move(code=2, **site.options("web1:data"))[1]
    guest.sh(f"zfs list -H -o name -t snapshot {here}:data | tail -1 | xargs zfs rollback")
    assert site.move(**site.options(*names, state="given"))[0] == 1 and site.move(**site.options(*names, state="given"))[0] == 0
    assert place.names() == [f"{place.images}/lz4-plain", f"{place.images}/lz4-plain@image"]


def test_what_is_a_clone_needs_its_image(guest, place, site):
    guest.sh(f"zfs destroy -r {site.pool}/images/lz4-plain")
    assert "which no golden volume on hv2 has: receive that image there first" in site.move(code=2, **site.options("web1"))[1]
    assert guest.names(f"{site.pool}/vm") == []


@pytest.mark.parametrize("end", ["sender", "receiver", "controller"])
def test_whoever_is_killed_the_same_call_goes_on(guest, place, site, end):
    here, there = f"{place.vm}/web1:data", f"{site.pool}/vm/web1:data"
    assert site.cut(site.options("web1:data", state="copied"), end) != 0
    # Half a stream is nothing; one that was whole when its receiver was killed has its snapshot.
    left = guest.call(f"zfs list -H -o name -r -t all {there}.move")[1].split()
    assert left == [] or len(left) > 1, left
    site.move(**site.options("web1:data", state="copied"))
    write(guest, here, 3, 1)
    site.move(**site.options("web1:data"))
    assert sums(guest, there) == sums(guest, here)
    site.move(**site.options("web1:data", state="given"))
    assert guest.call(f"zfs list {here}")[0] != 0


def test_the_rest_goes_over_at_once_unless_something_is_in_the_way(guest, place, site):
    here, there, names = f"{place.vm}/web1", f"{site.pool}/vm/web1", ["web1:data", "web1"]
    copied = site.told(**site.options(*names, state="copied"))
    assert [copied[name]["volume"]["name"] for name in names] == [f"{there}:data.move", f"{there}.move"]
    write(guest, here, 0, 1)
    write(guest, f"{here}:data", 40, 1)
    guest.sh(f"zfs snapshot {here}:data@nightly")
    expected = sums(guest, here, f"{here}:data")
    told = site.told(**site.going_on(copied, *names))
    # What somebody has taken goes with it, in a stream of its own.
    assert {name: told[name]["volume"]["streams"] for name in names} == {"web1:data": 2, "web1": 1}
    assert sums(guest, there, f"{there}:data") == expected
    assert guest.sh(f"zfs get -H -o value volmode,apiary.bhyve:unfinished {there}").split() == ["default", "-"]
    # Snapshots of the move stay where they delay nobody, until they go with the volume where it was.
    left = [f"{there}:data", f"{there}:data@nightly"]
    assert [name.partition("@apiary-move-")[0] for name in guest.names(f"{site.pool}/vm")] == [there, there, there, *left]
    assert site.move(**site.options(*names, state="given"))[0] == 1 and guest.names(f"{site.pool}/vm") == [there, *left]
    assert site.move(**site.options(*names, state="given"))[0] == 0 and guest.call(f"zfs list {here}")[0] != 0


@pytest.mark.parametrize("end", ["sender", "receiver", "controller"])
def test_whoever_is_killed_over_the_rest_none_of_it_is_lost(guest, place, site, end):
    here, there = f"{place.vm}/web1:data", f"{site.pool}/vm/web1:data"
    copied = site.told(**site.options("web1:data", state="copied"))
    write(guest, here, 16, 16)
    # An end of a stream that is killed has it brought in the other way, in the same call.
    assert (site.cut(site.going_on(copied, "web1:data"), end) != 0) == (end == "controller")
    site.move(**site.going_on(copied, "web1:data"))
    assert sums(guest, there) == sums(guest, here) and guest.names(f"{site.pool}/vm") == [there]
    site.move(**site.options("web1:data", state="given"))
    assert guest.call(f"zfs list {here}")[0] != 0
