# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to go over for a volume to move: one stream after the other, from what both hosts have said of it. Pure."""

from __future__ import annotations

import dataclasses


class Refused(Exception):
    """A volume cannot move as it is, and why."""


_THERE = "%s is on %s already, and is not what %s has now: expected none, or what was sent last; look which of the two is wanted"
_MISSING = "%s is not on %s"
_FOREIGN = "%s on %s bears no mark of this collection: expected a file that zfs_receive has made"
_UNRELATED = "%s has arrived on %s in part, but %s has no snapshot of that: it is left of another move; remove it first (`zfs destroy -r %s`)"
_NO_IMAGE = "%s is a clone of %s (guid %s), which no golden volume on %s has: receive that image there first"
_ROOM = "%s needs up to %d MiB on %s, found %d MiB: free some space"
_MIB = 1 << 20

# What a volume gets when it has its name (modules/zfs_receive/src/dataset/moving/receiver.rs).
_LATER = ("volmode", "reservation", "refreservation")

# Behind the name of a snapshot, for the one that is taken next.
_REST = "-rest"


@dataclasses.dataclass(frozen=True)
class Volume:
    """Where a volume is and where it goes: the options of the program that name it there (`dataset` or `path`), and the hosts' names."""

    at: dict
    to: dict
    source: str
    target: str

    @property
    def is_file(self):
        """Whether it is a raw file, which has no snapshots."""
        return "path" in self.to

    @property
    def name(self):
        """Its whole name where it goes."""
        return self.to.get("path") or self.to["dataset"]

    @property
    def arriving(self):
        """Its name until it is whole."""
        return self.name + ".move"

    @property
    def old_name(self):
        """Its whole name where it is."""
        return self.at.get("path") or self.at["dataset"]


@dataclasses.dataclass(frozen=True)
class Link:
    """One stream: what the programs at both ends are told."""

    sender: dict
    receiver: dict


def has_arrived(volume, offered, expected):
    """Whether all of it is there under its name, as it was sent last."""
    if not expected["there"]:
        return False
    # Where it was it may have gone already.
    same = not offered["there"] or expected["arrived"] == last_guid(volume, offered) and not offered.get("written")
    if expected["arrived"] is None or not same:
        raise Refused(_THERE % (volume.name, volume.target, volume.source))
    return True


def last_guid(volume, offered):
    """What tells the last state of a volume where it is; None of a ZFS volume that has no snapshot."""
    if volume.is_file:
        return offered["guid"]
    return offered["snapshots"][-1]["guid"] if offered["snapshots"] else None


def check(volume, offered, expected):
    """Refuses what cannot be moved, before anything is done."""
    if not offered["there"]:
        raise Refused(_MISSING % (volume.old_name, volume.source))
    if volume.is_file and "volume" not in offered["properties"]:
        raise Refused(_FOREIGN % (volume.old_name, volume.source))
    needed, room = total(volume, offered, expected), expected["available"]
    if needed is not None and room is not None and not expected["known"] and needed > room:
        raise Refused(_ROOM % (volume.name, needed // _MIB + 1, volume.target, room // _MIB))


def total(volume, offered, expected):
    """Bytes that go over at most, as far as that is known."""
    if volume.is_file or _golden(offered, expected):
        return offered["used"]
    return offered["referenced"]


def since(volume, offered):
    """What a call that brings the rest goes on from, when all that is `offered` has come; None of a raw file, which has no rest."""
    if volume.is_file or not offered["snapshots"]:
        return None
    newest = offered["snapshots"][-1]
    # What reserves nothing has arrived so.
    later = {name: value for name, value in offered["properties"].items() if name in _LATER and value != "0"}
    return {"snapshot": newest["name"], "guid": newest["guid"], "properties": later}


def rest(volume, told):
    """The stream of what has been written since, whose snapshot is taken as it is sent, and after which the volume is whole; TOLD is what
    `since` has said. Its sender refuses where somebody has taken a snapshot meanwhile."""
    snapshot, base = ("%s@%s" % (volume.at["dataset"], name) for name in (told["snapshot"] + _REST, told["snapshot"]))
    sender = {**volume.at, "state": "sent", "take": True, "snapshot": snapshot, "base": base, "guid": told["guid"]}
    receiver = {
        **volume.to, "state": "received", "finish": True, "snapshot": told["snapshot"] + _REST, "base_guid": told["guid"],
        "properties": told["properties"],
    }
    return Link(sender, receiver)


def links(volume, offered, expected):
    """The streams that are still to go over, in order."""
    return _of_file(volume, offered, expected) if volume.is_file else _of_dataset(volume, offered, expected)


def _of_file(volume, offered, expected):
    guid = offered["guid"]
    if guid in expected["known"]:
        return []
    receiver = {"properties": offered["properties"], "size": offered["size"]}
    return [Link({**volume.at, "state": "sent", "guid": guid}, {**volume.to, "state": "received", "guid": guid, **receiver})]


def _of_dataset(volume, offered, expected):
    """Everything in the order in which it was taken, from the last that is there on. What is a clone of an image becomes one again."""
    chain = [dict(each, whole="%s@%s" % (volume.at["dataset"], each["name"])) for each in offered["snapshots"]]
    origin = offered["origin"]
    if origin:
        chain.insert(0, {"name": origin["name"].partition("@")[2], "guid": origin["guid"], "whole": origin["name"], "marked": False})
    there = [place for place, each in enumerate(chain) if each["guid"] in expected["known"]]
    if expected["arriving"] and not there:
        raise Refused(_UNRELATED % (volume.arriving, volume.target, volume.source, volume.arriving))
    golden = _golden(offered, expected)
    if origin and not golden and not there:
        # ZFS takes what a clone has beyond its image for a clone only.
        raise Refused(_NO_IMAGE % (volume.at["dataset"], origin["name"], origin["guid"], volume.target))
    begins = there[-1] + 1 if there else 1 if golden else 0
    return [_link(volume, chain, place, offered, golden if not there and place == begins else None) for place in range(begins, len(chain))]


def _golden(offered, expected):
    """The golden volume's snapshot that a volume can be a clone of where it goes, as it is where it was."""
    guid = (offered["origin"] or {}).get("guid") if offered.get("origin") else None
    return next((golden["name"] for golden in expected["golden"] or [] if golden["guid"] == guid), None)


def _link(volume, chain, place, offered, golden):
    snapshot, base = chain[place], chain[place - 1] if place else None
    sender = {**volume.at, "state": "sent", "snapshot": snapshot["whole"], "guid": snapshot["guid"]}
    receiver = {
        **volume.to, "state": "received", "snapshot": snapshot["name"], "guid": snapshot["guid"], "marked": snapshot["marked"],
        "properties": offered["properties"],
    }
    if base:
        sender["base"], receiver["base_guid"] = base["whole"], base["guid"]
    if golden:
        receiver["base"] = golden
    return Link(sender, receiver)
