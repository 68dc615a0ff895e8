# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests that go: what each phase is asked for, what has become of each guest, and what is left of those that nobody knows any more."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.apiary.bhyve.plugins.plugin_utils import _disks
from ansible_collections.apiary.bhyve.plugins.plugin_utils._deployment import aligned, counted, named, ours, seed_path, volume_options

# In this order: a domain must be gone before what it has open.
PHASES = ("domains", "seeds", "volumes")
_IMAGE_SNAPSHOT = "@image"
_FOREIGN = "%s is there, but is no clone of an image, so this collection has not made it"
_KEPT = "kept: %s; add -e guest_remove_disks=%s to destroy it"
_GONE = "%s with %s: %s"
_STAYS = "kept: %s, %s; `-e guest_prune_names=%s` with apiary.bhyve.prune removes it"
_LOOK = "looking for its disks: %s"
_NO_DISK = "looking for data disks to destroy: expected GUEST:DISK of a guest that is removed here, found %s; they have: %s"


class Removal:
    """`told` holds the `names` of the guests, the `definitions` and `domains_found` of all of this host, the data disks to go with them
    (`remove_disks`), the `place` of volumes and seeds, the `disks` that are there, whether this is a `check` only, and what each phase has
    returned so far."""

    def __init__(self, told):
        self.place, self.names, self.check = told["place"], named(told["names"]), bool(told.get("check"))
        definitions = told.get("definitions")
        self.definitions = {str(name): guest for name, guest in definitions.items()} if isinstance(definitions, Mapping) else {}
        self.found = ours(told.get("domains_found"))
        self.domains = (told.get("domains_found") or {}).get("domains") or []
        self.look = told.get("disks") or {}
        self.disks_there = self.look.get("volumes") or []
        self.remove_disks = named(told.get("remove_disks") or [])
        self.disks = {key for name in self.names for key in self._own_disks(name)}
        self.answers = {phase: (told.get(phase) or {}).get("guests") or {} for phase in PHASES}

    def options(self, phase):
        """What the module of a phase is asked for. A guest whose domain stays keeps its seed and its volumes."""
        # What is known of domains before they are asked for is of an earlier removal of this play.
        staying = {name for name, answer in self.answers["domains"].items() if answer.get("failed") and phase != "domains"}
        if self._is_unseen():
            return {}
        return {key: options for name in self.names if name not in staying for key, options in self._asked(phase, name).items()}

    def _asked(self, phase, name):
        """Of one guest, which may have several things to remove: each is named by its guest, or by `GUEST:WORD`."""
        if phase == "seeds":
            return {name: {"path": seed_path(self.place, name)}}
        if phase == "volumes":
            own = {key: volume_options(self.place, key) for key in [name, *self._going(name)]}
            beside = [disk for disk in self._beside(name) if not self._holder(name, disk)]
            return {**own, **{"%s:%s" % (name, disk["name"].removeprefix(disk["of"])): _at(disk) for disk in beside}}
        return {name: {}}

    def _is_unseen(self):
        """Whether the look at the disks of this host has failed: what a guest has is not known then. The task itself does not fail for it."""
        return bool(self.look) and "volumes" not in self.look and not self.look.get("skipped")

    def _beside(self, name):
        """What redeploys have kept of a guest's root disk, or made ready for it."""
        return beside_root(self.disks_there, volume_options(self.place, name))

    def _holder(self, name, disk):
        """Why a disk beside the root disk stays."""
        if disk.get("guid") is None:
            return "not made from an image"
        for domain in self.domains:
            if domain["name"] != name and disk["device"] in [each.get("source") for each in domain.get("disks") or []]:
                return "used by domain %s" % domain["name"]
        for guest, said in self.definitions.items():
            if guest != name and disk["device"] in [_disks.device(each) for each in _disks.disks_of(said).values()]:
                return "a disk of guest %s" % guest
        return None

    def _going(self, name):
        """The data disks of a guest that are named, and so go with it."""
        return [key for key in self.remove_disks if key in self.disks and guest_of(key) == name]

    def _own_disks(self, name):
        """The data disks that were made for a guest, by the names of their volumes: those of its dictionary, of its domain where it has
        left the dictionary or lost one there, and those that are there, whoever has forgotten them."""
        said = [_disks.key(name, disk) for disk, said in _disks.disks_of(self.definitions.get(name)).items() if said.get("size")]
        sources = [str(disk.get("source")) for disk in self.found.get(name, {}).get("disks") or []]
        last = [source.rsplit("/", 1)[-1] for source in sources]
        found = [key for key in (word.removesuffix(".raw") for word in last) if key.startswith(name + ":")]
        # Of the same name elsewhere it would be somebody's own.
        there = [key for key in map(data_disk, self.disks_there) if key and guest_of(key) == name]
        return [*said, *(key for key in found if self._where(key, device=True) in sources), *there]

    def _where(self, key, device=False):
        volume = volume_options(self.place, key)
        return volume.get("path") or ("/dev/zvol/%s" if device else "%s") % volume["dataset"]

    def problems(self):
        """What is wrong with the names of data disks that are to go."""
        here = {*self.names, *self.definitions, *self.found}
        # The names were typed for all hosts: a disk is judged where its guest is.
        wrong = [key for key in self.remove_disks if key not in self.disks and guest_of(key) in here]
        return [_NO_DISK % (key, ", ".join(sorted(self.disks)) or "none") for key in wrong]

    def _kept(self):
        """What there is to say of data disks that stay, and of what was put aside that does."""
        there = set(map(data_disk, self.disks_there)) if "volumes" in self.look else self.disks
        lines = [_KEPT % (self._where(key), key) for key in sorted(self.disks & there - set(self.remove_disks))]
        held = [(_whole(disk), self._holder(name, disk)) for name in self.names for disk in self._beside(name)]
        return lines + [_STAYS % (where, why, where) for where, why in held if why]

    def _gone(self):
        """What goes beside the root disks, by its names."""
        going = {name: self._gone_with(name) for name in self.names}
        word = "goes" if self.check else "gone"
        return [_GONE % (word, name, ", ".join(disks)) for name, disks in going.items() if disks]

    def _gone_with(self, name):
        asked = self._asked("volumes", name)
        answers = {key: answer for key, answer in self.answers["volumes"].items() if guest_of(key) == name and key in asked and key != name}
        return [_whole(asked[key]) for key, answer in answers.items() if answer.get("changed") and not answer.get("failed")]

    def _answers(self, phase, name):
        return [answer for key, answer in self.answers[phase].items() if guest_of(key) == name]

    def failures(self):
        """Why guests have not been removed, or not wholly, by name."""
        if self._is_unseen():
            return {name: _LOOK % (self.look.get("msg") or "no reason given") for name in self.names}
        reasons = {name: [msg for phase in PHASES for msg in map(_reason, self._answers(phase, name)) if msg] for name in self.names}
        return {name: "; ".join(told) for name, told in reasons.items() if told}

    def table(self):
        """One line a guest: what has gone and what has been kept; below, the data disks that stay, and how many guests there are."""
        if not self.names:
            return []
        rows = [["guest", "domain", "seed", "volume"]]
        rows += [[name, *(self._word(phase, name) for phase in PHASES)] for name in self.names]
        kept = len(self.failures())
        done = "would be removed" if self.check else "removed"
        return [*aligned(rows), *self._gone(), *self._kept(), "%d of %s %s" % (len(self.names) - kept, counted(len(self.names)), done)]

    def _word(self, phase, name):
        answers = self._answers(phase, name)
        if not answers or any(answer.get("failed") for answer in answers):
            return "kept"
        if not any(answer.get("changed") for answer in answers):
            return "none"
        return "to go" if self.check else "removed"


def data_disk(volume):
    """The name of a volume if it is a data disk, with its guest's name in front."""
    name = volume["name"].removesuffix(".raw")
    return name if volume["part"] == "own" and ":" in name else None


def beside_root(volumes, root):
    """Those of the volumes that are kept of the volume with these options, or made ready for it."""
    name = (root.get("path") or root["dataset"]).rsplit("/", 1)[-1]
    return [volume for volume in volumes if volume["of"] == name]


def _whole(volume):
    return volume.get("dataset") or volume["path"]


def _at(volume):
    return {"dataset": volume["dataset"]} if volume.get("dataset") else {"path": volume["path"]}


def guest_of(key):
    """The guest that something belongs to which a module was asked for."""
    return str(key).partition(":")[0]


def _reason(answer):
    return (answer.get("msg") or "no reason given") if answer.get("failed") else None


def left_of_guests(seeds, volumes, disks=None):
    """What is left of guests, by what the modules have answered that were asked what they would remove, and by a look at the disks that are
    there: the names of those of whom something of ours is there; and by name, what is there that is not."""
    ours, theirs = set(), {}
    for answers, foreign in (((seeds or {}).get("guests") or {}, _reason), ((volumes or {}).get("guests") or {}, _foreign_volume)):
        for key, answer in answers.items():
            name, reason = guest_of(key), foreign(answer)
            if reason:
                theirs.setdefault(name, []).append(reason)
            elif answer.get("changed"):
                ours.add(name)
    asked = {guest_of(key) for key in (volumes or {}).get("guests") or {}}
    for volume in (disks or {}).get("volumes") or []:
        # Of a volume that is no clone nobody knows whose it is, but what is called like a data disk is one.
        root = (volume["of"] or "").removesuffix(".raw") if volume.get("guid") is not None else None
        ours.update({guest_of(data_disk(volume) or ""), root} & asked)
    return ours, theirs


def _foreign_volume(answer):
    """A raw file bears a mark, which the module looks for itself; a ZFS volume of a guest is a clone of the snapshot of an image."""
    volumes = answer.get("volumes") or []
    foreign = [each["dataset"] for each in volumes if not str(each.get("origin") or "").endswith(_IMAGE_SNAPSHOT)]
    return _reason(answer) or (_FOREIGN % ", ".join(foreign) if foreign else None)
