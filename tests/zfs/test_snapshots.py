# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots of several volumes, and the way back to them."""

from __future__ import annotations

import pytest

PROGRAM = "/root/zfs_snapshot"


class Volumes:
    """A guest's disk and its data, of 16 MiB each; what they hold is known by their sums."""

    def __init__(self, guest, place):
        self.guest, self.place, self.names = guest, place, [f"{place.vm}/web", f"{place.vm}/web:data"]
        for name in self.names:
            guest.sh(f"zfs create -V 16M -s {name}")
            guest.wait_for("the device", f"test -b /dev/zvol/{name}")
        self.write("first")

    def write(self, word):
        for name in self.names:
            self.guest.sh(f"yes {word} | dd of=/dev/zvol/{name} bs=64k count=16 iflag=fullblock conv=fsync,notrunc status=none")
        self.guest.sh("udevadm settle 2>/dev/null || true; zpool sync tank")

    def words(self):
        return [self.guest.sh(f"head -c 5 /dev/zvol/{name}") for name in self.names]

    def ask(self, check=False, program=PROGRAM, **options):
        return self.guest.module({"datasets": self.names, **options}, check=check, program=program)

    def triad(self, **options):
        before = self.place.names()
        announced = self.ask(check=True, **options)
        assert self.place.names() == before
        done, again = self.ask(**options), self.ask(check=True, **options)
        assert (announced.get("changed"), done.get("changed"), again.get("changed")) == (True, True, False), [announced, done, again]
        assert announced["diff"] == done["diff"] and "diff" not in again
        return done

    def refused(self, **options):
        before, words = self.place.names(), self.words()
        replies = [self.ask(check=check, **options) for check in (True, False)]
        assert all(reply.get("failed") and not reply["changed"] for reply in replies), replies
        assert (self.place.names(), self.words()) == (before, words)
        assert replies[0]["msg"] == replies[1]["msg"]
        return replies[0]["msg"]

    def snapshots(self):
        return [name.split("/")[-1] for name in self.place.names() if "@" in name]


@pytest.fixture
def volumes(guest, place):
    return Volumes(guest, place)


def test_all_volumes_at_one_moment_and_back(guest, volumes):
    done = volumes.triad(name="before-upgrade")
    (taken,) = done["snapshots"]
    assert (taken["name"], taken["own"], taken["datasets"]) == ("before-upgrade", True, volumes.names) and taken["created"].endswith("Z")
    of_both = " ".join(f"{name}@before-upgrade" for name in volumes.names)
    assert len(set(guest.sh(f"zfs get -Hp -o value createtxg {of_both}").split())) == 1
    volumes.write("later")
    done = volumes.triad(name="before-upgrade", state="rolled_back")
    assert done["rolled_back"] == volumes.names and done["lost"] == []
    assert volumes.words() == ["first", "first"]
    told = volumes.ask(program="/root/zfs_snapshot_info")
    assert told["changed"] is False and told["snapshots"] == volumes.ask(name="before-upgrade")["snapshots"]
    assert volumes.triad(name="before-upgrade", state="absent")["snapshots"] == []
    assert volumes.snapshots() == []


# Each leaves a volume other than it was: a little, with no content, or of another size.
TOUCHES = [
    "dd if=/dev/urandom of={0} bs=512 count=1 seek=7 conv=notrunc status=none",
    "blkdiscard -o 0 -l 16384 {0}",
    "dd if={0} of={0} bs=4k count=1 conv=notrunc status=none",
    "zfs set volsize=32M {1}",
]


def test_a_rollback_is_known_by_what_the_volume_holds(guest, volumes):
    """A rollback alone counts as written, and is none to be done again; whatever else was done since is."""
    back = {"name": "a", "state": "rolled_back"}
    volumes.ask(name="a")
    volumes.write("later")
    assert volumes.ask(**back)["rolled_back"] == volumes.names
    written = f"zfs get -Hp -o value written {volumes.names[0]}"
    assert int(guest.sh(written)) > 0 and volumes.ask(**back)["changed"] is False
    # Looking at it, and what an open for writing does by itself, is nothing.
    guest.sh(f": <>/dev/zvol/{volumes.names[0]}; zpool sync tank")
    assert volumes.words() == ["first", "first"] and volumes.ask(**back)["changed"] is False
    for touch in TOUCHES:
        # Nothing is waited for.
        guest.sh(touch.format(f"/dev/zvol/{volumes.names[1]}", volumes.names[1]))
        assert volumes.triad(**back)["rolled_back"] == volumes.names[1:], touch
    # By hand it is as good.
    volumes.write("later")
    guest.sh("".join(f"zfs rollback {name}@a; " for name in volumes.names))
    assert volumes.ask(**back)["changed"] is False and volumes.words() == ["first", "first"]


def test_newer_snapshots_are_lost_when_that_is_said(guest, volumes):
    volumes.ask(name="a")
    volumes.write("later")
    guest.sh(f"zfs snapshot {volumes.names[1]}@by-hand")
    message = volumes.refused(name="a", state="rolled_back")
    assert f"would lose newer snapshots: {volumes.names[1]}@by-hand; say lose_newer=true" in message
    guest.sh(f"zfs hold kept {volumes.names[1]}@by-hand")
    assert "it is held; see `zfs holds" in volumes.refused(name="a", state="rolled_back", lose_newer=True)
    guest.sh(f"zfs release kept {volumes.names[1]}@by-hand")
    done = volumes.triad(name="a", state="rolled_back", lose_newer=True)
    assert done["lost"] == [f"{volumes.names[1]}@by-hand"]
    assert (volumes.snapshots(), volumes.words()) == (["web@a", "web:data@a"], ["first", "first"])


def test_what_others_need_is_not_destroyed(guest, volumes, place):
    volumes.ask(name="a")
    guest.sh(f"zfs clone {volumes.names[0]}@a {place.vm}/other")
    assert f"clones are made of it: {place.vm}/other" in volumes.refused(name="a", state="absent")
    guest.sh(f"zfs destroy {place.vm}/other && zfs hold kept {volumes.names[1]}@a")
    assert "it is held" in volumes.refused(name="a", state="absent")
    guest.sh(f"zfs release kept {volumes.names[1]}@a")
    assert volumes.ask(name="a", state="absent")["changed"] is True


def test_a_volume_that_came_later_has_no_part_in_it(guest, volumes, place):
    volumes.ask(name="a", datasets=volumes.names[:1])
    assert f"not on {volumes.names[1]}, which came later" in volumes.refused(name="a")
    assert f"found none of {volumes.names[1]}; a volume that came later" in volumes.refused(name="a", state="rolled_back")
    assert "does not exist" in volumes.refused(name="b", datasets=[*volumes.names, f"{place.vm}/none"])
    assert "is a file system" in volumes.refused(name="b", datasets=[place.vm])


def test_nothing_is_rolled_back_while_it_is_used(guest, volumes):
    volumes.ask(name="a")
    volumes.write("later")
    holder = guest.start(f"exec sleep 600 < /dev/zvol/{volumes.names[1]}")
    guest.wait_for("the holder", f"fuser -s /dev/zvol/{volumes.names[1]} || pgrep -x sleep >/dev/null")
    try:
        message = volumes.refused(name="a", state="rolled_back")
        assert f"{volumes.names[1]} cannot be rolled back while process" in message and "stop the guest first" in message
        # It is to be stopped, and may write until then.
        volumes.ask(name="b")
        told = volumes.ask(name="b", state="rolled_back", stopped_before=True, check=True)
        assert told["rolled_back"] == volumes.names[1:] and "and what is being written" in str(told["diff"])
        volumes.ask(name="b", state="absent")
    finally:
        guest.sh("pkill -x sleep")
        holder.wait()
    assert volumes.ask(name="a", state="rolled_back")["changed"] is True


def test_each_of_several_guests_by_itself(guest, volumes, place):
    named = {"web": {"datasets": volumes.names}, "none": {"datasets": [f"{place.vm}/none"]}, "file": {"path": "/v/file.raw"}}
    reply = guest.module({"guests": {name: dict(options, name="a") for name, options in named.items()}}, program=PROGRAM)
    assert reply["msg"].startswith("2 of 3 guests failed: file: snapshots need ZFS"), reply
    assert reply["guests"]["web"]["changed"] is True and volumes.snapshots() == ["web@a", "web:data@a"]
    told = guest.module({"guests": named}, program="/root/zfs_snapshot_info")
    assert {name: len(answer["snapshots"]) for name, answer in told["guests"].items()} == {"web": 1, "none": 0, "file": 0}


def test_a_rollback_that_is_killed_goes_on_with_the_next_run(guest, place):
    hits = guest.script(f"rollbacks.py 20 {place.vm}")
    assert hits["killed"] >= 6 and hits["between"] >= 1, hits
