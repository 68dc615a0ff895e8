# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests that go: what each phase is asked for, what has become of each guest, and what is left of those that nobody knows any more."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils._deployment import aligned, named, seed_path, volume_options

# In this order: a domain must be gone before what it has open.
PHASES = ("domains", "seeds", "volumes")
_IMAGE_SNAPSHOT = "@image"
_FOREIGN = "%s is there, but is no clone of an image, so this collection has not made it"


class Removal:
    """`told` holds the `names` of the guests, the `place` of their volumes and seeds, whether this is a `check` only, and what each
    phase has returned so far."""

    def __init__(self, told):
        self.place, self.names, self.check = told["place"], named(told["names"]), bool(told.get("check"))
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
        return {name: volume_options(self.place, name) if phase == "volumes" else {}}

    def _answers(self, phase, name):
        return [answer for key, answer in self.answers[phase].items() if guest_of(key) == name]

    def failures(self):
        """Why guests have not been removed, or not wholly, by name."""
        reasons = {name: [msg for phase in PHASES for msg in map(_reason, self._answers(phase, name)) if msg] for name in self.names}
        return {name: "; ".join(told) for name, told in reasons.items() if told}

    def table(self):
        """One line a guest: what has gone and what has been kept; below, how many."""
        if not self.names:
            return ["no guest to remove on this host"]
        rows = [["guest", "domain", "seed", "volume"]]
        rows += [[name, *(self._word(phase, name) for phase in PHASES)] for name in self.names]
        kept = len(self.failures())
        done = "would be removed" if self.check else "removed"
        return aligned(rows) + ["%d of %d guests %s" % (len(self.names) - kept, len(self.names), done)]

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
