# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to guests that are there: restarts, snapshots, the way back to them."""

from __future__ import annotations

import posixpath

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.apiary.bhyve.plugins.plugin_utils import _disks
from ansible_collections.apiary.bhyve.plugins.plugin_utils._deployment import Deployment, aligned, volume_options

# What each verb registers, in this order; a guest that has failed in one is left out of those that follow.
STEPS = {
    "restart": ("restarted",), "snapshot": ("taken",), "rollback": ("checked", "stopped", "rolled", "started"),
    "capture": ("announced", "stopped", "captured", "started"),
}
_ALL = "all"

_NOT_OURS = "a domain of its name is there that this collection has not made: expected one of ours; use virsh for it"
_RUNS = "it is %s: a rollback needs it off; shut it down, or say -e guest_stop=true to have it shut down and started again"
_SAVED = (
    "its memory was saved (virsh managedsave) and does not go with disks of another moment: start it and shut it down, or throw the memory "
    "away (virsh managedsave-remove %s)"
)
_LEFT_OFF = "%s; it is left off, because its volumes may be of two moments: run the same again"
_WAY_BACK = "`ansible-playbook -i INVENTORY apiary.bhyve.rollback -e guest_names=%s -e guest_snapshot=%s%s` brings %s back"
_ZVOL = "/dev/zvol/"
ABSENT = "it is not on this host: deploy it first (apiary.bhyve.deploy)"


def volumes_of(place, name, guest, domain=None):
    """All ZFS volumes of a guest together: its own, and those of its data disks, also of one that its domain has until its next start."""
    own = volume_options(place, name)["dataset"]
    disks = _disks.disks_of(guest)
    data = [volume_options(place, _disks.key(name, disk))["dataset"] for disk, said in disks.items() if said.get("size")]
    known = [device.removeprefix(_ZVOL) for device in map(_disks.device, disks.values()) if (device or "").startswith(_ZVOL)]
    sources = [posixpath.normpath(str(disk.get("source"))) for disk in (domain or {}).get("disks") or []]
    found = [source.removeprefix(_ZVOL) for source in sources if source.startswith("%s%s:" % (_ZVOL, own))]
    return list(dict.fromkeys([own, *data, *known, *found]))


class Verbs(Deployment):
    """`told` is that of a deployment, with the `verb`, what was `asked`, and what each step of it has returned so far."""

    def __init__(self, told):
        self.phases, self.asked = STEPS[told["verb"]], told["asked"]
        super().__init__(told)
        self.there = {domain["name"] for domain in (told.get("domains_found") or {}).get("domains") or []}
        if self.names == [_ALL]:
            known = [name for name in self.definitions if name in self.found]
        else:
            # Guests that no dictionary has any more are still there.
            known = [name for name in self.names if name in self.definitions or name in self.found]
        self.guests = {name: self._described(name) for name in known}

    def _described(self, name):
        guest = self.definitions.get(name)
        return guest if isinstance(guest, dict) else {}

    def _reasons(self, name, phases):
        if name in self.there and name not in self.found:
            yield _NOT_OURS
        if "restarted" in self.phases and name not in self.found:
            yield ABSENT
        if "rolled" in self.phases:
            yield from self._refusals(name)
        for step in phases:
            answer = self.answers[step].get(name, {})
            if answer.get("failed"):
                reason = answer.get("msg") or "no reason given"
                yield _LEFT_OFF % reason if step == "rolled" and self._runs_in_the_end(name) else reason

    def _refusals(self, name):
        domain = self.found.get(name) or {}
        if self.place["folder"]:
            # That there is no way back without ZFS comes first; the module says so.
            return
        if self._is_active(name) and not self._may_stop():
            yield _RUNS % domain["state"]
        if domain.get("memory_saved"):
            yield _SAVED % name

    def _is_active(self, name):
        return (self.found.get(name) or {}).get("state", "shutoff") != "shutoff"

    def _may_stop(self):
        return boolean(self.asked.get("stop") or False)

    def _runs_in_the_end(self, name):
        """A guest that an earlier run has stopped, and that was cut, is one that shall run."""
        wanted = name in self.definitions and self.guests[name].get("state", "running") == "running"
        return self._is_active(name) or (self._may_stop() and wanted and name in self.found)

    def _volumes(self, name):
        if self.place["folder"]:
            return volume_options(self.place, name)
        return {"datasets": volumes_of(self.place, name, self.guests[name], self.found.get(name))}

    def _elsewhere(self, name):
        """Disks of which ZFS takes no snapshot."""
        disks = _disks.disks_of(self.definitions.get(name)).items()
        devices = {disk: _disks.device(said) for disk, said in disks}
        return ["without its disk %s (%s)" % (disk, device) for disk, device in devices.items() if device and not device.startswith(_ZVOL)]

    def _taken(self, name, _guest):
        return self._volumes(name)

    def _checked(self, name, _guest):
        return dict(self._volumes(name), stopped_before=self._may_stop())

    def _rolls(self, name):
        """Whether there is anything to roll back: a guest is not stopped for nothing."""
        return bool(self.answers["checked"].get(name, {}).get("rolled_back"))

    def _stopped(self, name, guest):
        return self._power(guest, "shutoff") if self._rolls(name) and self._is_active(name) else None

    def _rolled(self, name, _guest):
        # In check mode nobody was stopped.
        return dict(self._volumes(name), stopped_before=True) if self._rolls(name) else None

    def _started(self, name, guest):
        return self._power(guest, "running") if self._runs_in_the_end(name) else None

    def _restarted(self, name, guest):
        wanted = guest.get("state", "running") == "running" or self._is_active(name)
        how = self.asked.get("restart") or "always"
        # What is off is started by a restart that was asked for, unless its dictionary wants it off.
        starts = wanted and (how == "always" or self._is_active(name))
        return dict(self._power(guest, "running" if starts else "present"), restart=how)

    def _power(self, guest, state):
        options = {key: guest[key] for key in ("force", "shutdown_timeout") if key in guest}
        if state == "running" and guest.get("wait_for"):
            options["wait_for"] = {"timeout": self.asked.get("wait_timeout", 120), **guest["wait_for"]}
        return dict(options, state=state)

    def table(self):
        """One line a guest: what has become of it; below, the way back."""
        if not self.guests:
            return []
        failed = self.failures()
        rows = [["guest", "result", "note"]]
        for name in self.guests:
            answers = [self.answers[step].get(name, {}) for step in self.phases]
            changed = any(answer.get("changed") for answer in answers)
            rows.append([name, "failed" if name in failed else "changed" if changed else "unchanged", "; ".join(self._notes(name))])
        return aligned(rows) + list(self._way_back(failed))

    def _notes(self, name):
        for answer in (self.answers[step].get(name, {}) for step in self.phases if step != "checked"):
            if answer.get("rolled_back"):
                yield "rolled back: %s" % ", ".join(answer["rolled_back"])
            if answer.get("lost"):
                yield "lost: %s" % ", ".join(answer["lost"])
            state = (answer.get("domain") or {}).get("state")
            if state:
                yield state
            if not answer.get("rolled_back"):
                of_name = [each for each in answer.get("snapshots") or [] if each["name"] == self.asked.get("snapshot")]
                yield from ("%s of %s" % (each["name"], each["created"] or "now") for each in of_name)
        if "restarted" not in self.phases:
            yield from self._elsewhere(name)

    def _way_back(self, failed):
        name = self.asked.get("snapshot")
        there = [guest for guest in self.guests if guest not in failed and self._has(guest, name)]
        if "taken" in self.phases and there:
            stop = " -e guest_stop=true" if any(map(self._is_active, there)) else ""
            yield _WAY_BACK % (",".join(there), name, stop, "it" if len(there) == 1 else "them")

    def _has(self, guest, name):
        snapshots = self.answers["taken"].get(guest, {}).get("snapshots") or [] if "taken" in self.answers else []
        return any(each["name"] == name and each["created"] for each in snapshots)
