# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests that go: what each phase is asked for, what has become of each guest, and what is left of those that nobody knows any more."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.apiary.bhyve.plugins.plugin_utils import _disks
from ansible_collections.apiary.bhyve.plugins.plugin_utils._deployment import aligned, named, ours, seed_path, volume_options

# In this order: a domain must be gone before what it has open.
PHASES = ("domains", "seeds", "volumes")
_IMAGE_SNAPSHOT = "@image"
_FOREIGN = "%s is there, but is no clone of an image, so this collection has not made it"
_KEPT = "kept: %s; add -e guest_remove_disks=%s to destroy it"
_NO_DISK = "looking for data disks to destroy: expected GUEST:DISK of a guest that is removed here, found %s; they have: %s"


class Removal:
    """`told` holds the `names` of the guests, the `definitions` and `domains_found` of all of this host, the data disks to go with them
    (`remove_disks`), the `place` of volumes and seeds, whether this is a `check` only, and what each phase has returned so far."""

    def __init__(self, told):
        self.place, self.names, self.check = told["place"], named(told["names"]), bool(told.get("check"))
        definitions = told.get("definitions")
        self.definitions = {str(name): guest for name, guest in definitions.items()} if isinstance(definitions, Mapping) else {}
        self.found = ours(told.get("domains_found"))
        self.remove_disks = named(told.get("remove_disks") or [])
        self.disks = {key for name in self.names for key in self._own_disks(name)}
        self.answers = {phase: (told.get(phase) or {}).get("guests") or {} for phase in PHASES}

    def options(self, phase):
        """What the module of a phase is asked for. A guest whose domain stays keeps its seed and its volumes."""
        # What is known of domains before they are asked for is of an earlier removal of this play.
        staying = {name for name, answer in self.answers["domains"].items() if answer.get("failed") and phase != "domains"}
        return {key: options for name in self.names if name not in staying for key, options in self._asked(phase, name).items()}

    def _asked(self, phase, name):
        """Of one guest, which may have several things to remove: each is named by its guest, or by `GUEST:WORD`."""
        if phase == "seeds":
            return {name: {"path": seed_path(self.place, name)}}
        if phase == "volumes":
            return {key: volume_options(self.place, key) for key in [name, *self._going(name)]}
        return {name: {}}

    def _going(self, name):
        """The data disks of a guest that are named, and so go with it."""
        return [key for key in self.remove_disks if key in self.disks and guest_of(key) == name]

    def _own_disks(self, name):
        """The data disks that were made for a guest, by the names of their volumes: those of its dictionary, and of its domain where it has
        left the dictionary or lost one there."""
        said = [_disks.key(name, disk) for disk, said in _disks.disks_of(self.definitions.get(name)).items() if said.get("size")]
        sources = [str(disk.get("source")) for disk in self.found.get(name, {}).get("disks") or []]
        last = [source.rsplit("/", 1)[-1] for source in sources]
        found = [key for key in (word.removesuffix(".raw") for word in last) if key.startswith(name + ":")]
        # Of the same name elsewhere it would be somebody's own.
        return [*said, *(key for key in found if self._where(key, device=True) in sources)]

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
        """What there is to say of data disks that stay."""
        return [_KEPT % (self._where(key), key) for key in sorted(self.disks - set(self.remove_disks))]

    def _answers(self, phase, name):
        return [answer for key, answer in self.answers[phase].items() if guest_of(key) == name]

    def failures(self):
        """Why guests have not been removed, or not wholly, by name."""
        reasons = {name: [msg for phase in PHASES for msg in map(_reason, self._answers(phase, name)) if msg] for name in self.names}
        return {name: "; ".join(told) for name, told in reasons.items() if told}

    def table(self):
        """One line a guest: what has gone and what has been kept; below, the data disks that stay, and how many guests there are."""
        if not self.names:
            return ["no guest to remove on this host"]
        rows = [["guest", "domain", "seed", "volume"]]
        rows += [[name, *(self._word(phase, name) for phase in PHASES)] for name in self.names]
        kept = len(self.failures())
        done = "would be removed" if self.check else "removed"
        return [*aligned(rows), *self._kept(), "%d of %d guests %s" % (len(self.names) - kept, len(self.names), done)]

    def _word(self, phase, name):
        answers = self._answers(phase, name)
        if not answers or any(answer.get("failed") for answer in answers):
            return "kept"
        if not any(answer.get("changed") for answer in answers):
            return "none"
        return "to go" if self.check else "removed"


def guest_of(key):
    """The guest that something belongs to which a module was asked for."""
    return str(key).partition(":")[0]


def _reason(answer):
    return (answer.get("msg") or "no reason given") if answer.get("failed") else None


def left_of_guests(seeds, volumes):
    """What is left of guests, by what the modules have answered that were asked what they would remove: the names of those of whom
    something of ours is there; and by name, what is there that is not."""
    ours, theirs = set(), {}
    for answers, foreign in (((seeds or {}).get("guests") or {}, _reason), ((volumes or {}).get("guests") or {}, _foreign_volume)):
        for key, answer in answers.items():
            name, reason = guest_of(key), foreign(answer)
            if reason:
                theirs.setdefault(name, []).append(reason)
            elif answer.get("changed"):
                ours.add(name)
    return ours, theirs


def _foreign_volume(answer):
    """A raw file bears a mark, which the module looks for itself; a ZFS volume of a guest is a clone of the snapshot of an image."""
    volumes = answer.get("volumes") or []
    foreign = [each["dataset"] for each in volumes if not str(each.get("origin") or "").endswith(_IMAGE_SNAPSHOT)]
    return _reason(answer) or (_FOREIGN % ", ".join(foreign) if foreign else None)
