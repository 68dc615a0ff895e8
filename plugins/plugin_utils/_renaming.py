# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that gets another name: what each phase is asked for, and what has become of it."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils import _disks
from ansible_collections.apiary.bhyve.plugins.plugin_utils._deployment import Deployment, aligned, named, seed_family, seed_path, volume_options
from ansible_collections.apiary.bhyve.plugins.plugin_utils._fleet import guests_of
from ansible_collections.apiary.bhyve.plugins.plugin_utils._guest import NAME
from ansible_collections.apiary.bhyve.plugins.plugin_utils._identity import identity_of, uuid_of
from ansible_collections.apiary.bhyve.plugins.plugin_utils._removal import data_disk, guest_of

# In this order; a guest that has failed in one is left out of those that follow. While the first ones are done, it runs.
PHASES = ("disks", "images", "checked", "rehearsed", "noted", "stopped", "renamed", "seeds", "domains", "removed", "settled")
WHILE_OFF = PHASES[PHASES.index("stopped"):]
# Where each volume is asked for by a name of its own.
_OF_VOLUMES = ("rehearsed", "renamed")

_HOW = (
    "rename the key %(old)s of bhyve_guests to %(new)s, write `identity: %(old)s` into its entry unless it says one already, because UUID, MAC "
    "addresses and instance id follow from it, and call this again"
)
_ONE = "renaming a guest: expected one name in guest_names and another in guest_new_name, found %s and %s"
_NO_NAME = "renaming %s: guest_new_name is %r, expected 1 to 63 letters, digits, '.', '_' or '-', beginning with a letter or digit"
_NOWHERE = "renaming %(old)s to %(new)s: expected %(new)s in bhyve_guests of one of these hosts, found none; %(how)s"
_STILL = "renaming %(old)s to %(new)s: expected %(old)s in no bhyve_guests any more, found it on %(where)s; %(how)s"
_SEVERAL = "renaming %(old)s to %(new)s: %(new)s is on %(where)s: say which one is meant with --limit"
_IDENTITY = "its entry says %s, expected `identity: %s`, from which the UUID, the MAC addresses and the instance id follow that it has"
_FOREIGN = "a domain %s is there that this collection has not made: expected none, or one of ours; use virsh for it"
_BOTH = "both domains are there, %s and %s: expected one of them; remove the one that is not wanted (apiary.bhyve.remove)"
_NOTHING = "it is not on this host: expected a domain or a volume called %s or %s, found none"
_LOOK = "looking for its disks: %s"
_SAVED = (
    "its memory was saved (virsh managedsave) and would be lost: start it and shut it down, or throw the memory away "
    "(virsh managedsave-remove %s)"
)
_NO_FAMILY = "nothing says any more who reads its seed, because its image is not known: write `family` into the guest's seed"
_OFF = "is off: %s; mend that and call this again, which goes on and starts it"


def renaming_problems(hostvars, hosts, old, new):
    """Why a call fits no dictionary, in one line; nothing where it fits one."""
    olds, new = named(old), str(new)
    if len(olds) != 1 or olds == [new]:
        return [_ONE % (" and ".join(olds) or "none", new)]
    [old] = olds
    if not NAME.fullmatch(new):
        return [_NO_NAME % (old, new)]
    said = {"old": old, "new": new, "how": _HOW % {"old": old, "new": new}}
    still = [host for host in hosts if old in map(str, guests_of(hostvars, host))]
    if still:
        return [_STILL % dict(said, where=" and ".join(still))]
    there = [host for host in hosts if new in map(str, guests_of(hostvars, host))]
    if len(there) > 1:
        return [_SEVERAL % dict(said, where=" and ".join(there))]
    return [] if there else [_NOWHERE % said]


class Renaming(Deployment):
    """`told` is that of a deployment, with the `old` name and the `new` one, whether this is a `check` only, and what the phases of a
    rename have returned."""

    phases = PHASES

    def __init__(self, told):
        [self.old], self.new = named(told["old"]), str(told["new"])
        super().__init__(dict(told, names=[self.new]))
        self.check = bool(told.get("check"))
        # Nothing is made here, and a disk's device follows from its name.
        self.answers["volumes"] = {}
        self.there = {domain["name"]: domain for domain in (told.get("domains_found") or {}).get("domains") or []}
        self.disks_there = {disk["name"]: disk for disk in self.returned["disks"].get("volumes") or []}
        self.domain = self.found.get(self.old)

    def options(self, phase):
        """What the module of a phase is asked for, by guest; volumes that go with it are asked for by names of their own."""
        asked = super().options(phase)
        return {**asked, **self._data_disks()} if phase in _OF_VOLUMES and asked else asked

    def restarts(self):
        """A guest that ran and still has its old name goes on under it, where its volumes could not be renamed."""
        answers = self.answers["renamed"].values()
        failed, moved = (any(answer.get(word) for answer in answers) for word in ("failed", "changed"))
        lost = failed and self.domain and self._ran() and not self.check and not (moved or self._is_renamed())
        return {self.new: {"name": self.old, "state": "running"}} if lost else {}

    def _reasons(self, name, phases):
        yield from super()._reasons(name, phases)
        if "disks" in phases:
            yield from self._refusals(name)
        for phase in phases:
            for key, answer in self.answers[phase].items():
                if phase in _OF_VOLUMES and key != name and answer.get("failed"):
                    yield answer.get("msg") or "no reason given"
            if phase in WHILE_OFF and self._fate_unknown(phase):
                yield self.returned[phase].get("msg") or "no reason given"

    def _yet_to_rename(self, name):
        # That is what this is for.
        return iter(())

    def _refusals(self, name):
        disks = self.returned["disks"]
        if disks and "volumes" not in disks:
            yield _LOOK % (disks.get("msg") or "no reason given")
        yield from (_FOREIGN % each for each in (self.old, name) if each in self.there and each not in self.found)
        if self.domain and name in self.found:
            yield _BOTH % (self.old, name)
        if disks and not {self.old, name} & {*self.found} and not {self._file(self.old), self._file(name)} & {*self.disks_there}:
            yield _NOTHING % (self.old, name)
        yield from self._identity_faults(name)
        if self.domain:
            yield from self._domain_refusals()
        if self.answers["images"].get(name) and self._has_no_reader(name):
            yield _NO_FAMILY

    def _identity_faults(self, name):
        guest, domain = self.guests[name], self.domain or self.found.get(name)
        said, found = identity_of(name, guest), (domain or {}).get("uuid")
        # Between two definitions nobody knows it, and one that is somebody's choice says nothing of the name.
        fits = found is None or found == uuid_of(said) or said != name and found != uuid_of(self.old)
        if not fits:
            yield _IDENTITY % ("`identity: %s`" % said if guest.get("identity") else "none", self.old)

    def _domain_refusals(self):
        sources = [str(disk.get("source")) for disk in self.domain.get("disks") or []]
        devices = [self._device(each) for each in (self.old, self.new)]
        if sources and not set(devices) & set(sources):
            yield _disks.OTHER_DISK % (", ".join(sources), devices[0])
        if self.domain.get("memory_saved"):
            yield _SAVED % self.old

    def _has_no_reader(self, name):
        seed, image = self.guests[name].get("seed"), self.image(name)
        return seed is not None and not seed.get("family") and not seed_family(image.get("os")) and image.get("size") is None

    # Where things are.

    def _is_renamed(self):
        return self._file(self.old) not in self.disks_there

    def _now(self):
        """The name that the root disk has now."""
        return self.new if self._is_renamed() else self.old

    def _ran(self):
        """Whether the guest ran before this call has stopped it, or one like this that was cut."""
        names = {self._file(self.old), self._file(self.new)}
        noted = any(disk.get("ran") for disk in self.disks_there.values() if names & {disk["name"], disk.get("of")})
        active = [domain for domain in (self.domain, self.found.get(self.new)) if domain and domain["state"] != "shutoff"]
        return bool(noted or active)

    def _was_stopped(self):
        return bool(self.answers["stopped"].get(self.new, {}).get("changed")) or (self.domain or {}).get("state") == "shutoff"

    # What each phase is asked for.

    def _images(self, name, guest):
        # Which image the disk was made from is known by whichever name it has.
        return dict(volume_options(self.place, self._now()), name=guest["image"])

    def _checked(self, name, guest):
        return self._domains(name, guest)

    def _noted(self, name, guest):
        return None if self._stopped(name, guest) is None else dict(volume_options(self.place, self._now()), state="noted")

    def _stopped(self, name, guest):
        if not self.domain or self.domain["state"] == "shutoff":
            return None
        return {"name": self.old, "state": "shutoff", **{key: guest[key] for key in ("force", "shutdown_timeout") if key in guest}}

    def _rehearsed(self, name, guest):
        return self._rename(self.old, name)

    _renamed = _rehearsed

    def _rename(self, old, new):
        from_place = volume_options(self.place, old)
        return dict(volume_options(self.place, new), state="renamed", **{"from": from_place.get("path") or from_place["dataset"]})

    def _data_disks(self):
        """Also those that no dictionary has any more."""
        keys = [key for key in map(data_disk, self.disks_there.values()) if key and guest_of(key) == self.old]
        return {"%s:%s" % (self.new, disk): self._rename(_disks.key(self.old, disk), _disks.key(self.new, disk))
                for disk in (key.partition(":")[2] for key in keys)}

    def _domains(self, name, guest):
        state = "running" if self._ran() else "present"
        given = super()._domains(name, dict(guest, state=state))
        disks = [dict(disk, device=disk["device"] or self._device(_disks.key(name, disk["name"]))) for disk in given["guest_disks"]]
        return dict(given, guest_disk=self._device(name), guest_disks=disks, renamed_from=self.old)

    def _removed(self, name, guest):
        return {"path": seed_path(self.place, self.old)}

    def _settled(self, name, guest):
        return dict(volume_options(self.place, name), state="settled") if self._ran() else None

    # What a person is told.

    def told_failures(self):
        """The same as a person is told, who has to know of a guest that it is off."""
        off = not self.check and self._ran() and self._was_stopped() and not self._is_running()
        return {name: _OFF % reason if off else reason for name, reason in self.failures().items()}

    def _is_running(self):
        return (self.answers["domains"].get(self.new, {}).get("domain") or {}).get("state") == "running"

    def table(self):
        """One line: what has become of the guest."""
        if not self.guests:
            return []
        failed, answer = self.failures(), self.answers["domains"].get(self.new, {})
        changed = any(each.get("changed") for phase in ("renamed", "seeds", "domains", "removed") for each in self.answers[phase].values())
        state = (answer.get("domain") or {}).get("state") or "-"
        word = "failed" if self.new in failed else ("to be renamed" if self.check else "renamed") if changed else "unchanged"
        volumes = ", ".join(self._device(key).removeprefix("/dev/zvol/") for key, each in self.answers["renamed"].items() if each.get("changed"))
        return aligned([["guest", "was", "state", "result", "volumes"], [self.new, self.old, state, word, volumes or "-"]])
