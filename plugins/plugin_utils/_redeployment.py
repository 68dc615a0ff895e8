# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests that get a new root disk, or the one before back: what each phase is asked for, and what has become of each guest."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.apiary.bhyve.plugins.plugin_utils import _disks
from ansible_collections.apiary.bhyve.plugins.plugin_utils._deployment import Deployment, aligned, seconds_of

# In this order; a guest that has failed in one is left out of those that follow. While the first ones are done, guests run.
PHASES = ("disks", "images", "cleared", "staged", "noted", "stopped", "swapped", "volumes", "seeds", "domains", "settled")

# Here guests are off, or may be: where a whole task fails, each of them is told.
WHILE_OFF = PHASES[PHASES.index("stopped"):]

# What zfs_swap adds to the name of a volume that is made ready.
STAGED = ".redeploy"

_FOREIGN = "a domain of its name is there that this collection has not made: expected none, or one of ours; remove it or rename the guest"
_NOTHING_KEPT = "no disk of it is kept: expected %s.old-YYYYMMDDTHHMMSSZ, which a redeploy leaves%s; see what apiary.bhyve.prune lists"
_OF_ANOTHER = ", found %s, put aside otherwise or for a guest that had its name before"
_LOOK = "looking for its disks: %s"
_WAY_BACK = "%s: the old disk is kept until %s as %s; `ansible-playbook %s-e guest_names=%s -e guest_redeploy_back=true` brings it back"
_PLAYBOOK = "-i INVENTORY apiary.bhyve.redeploy "
_OFF = "is off: %s; mend that and call this again, which starts it%s"
_MAY_BE_OFF = "may be off: %s; call this again, which starts it"
_OR_BACK = ", or bring the disk before back: `ansible-playbook %s-e guest_names=%s -e guest_redeploy_back=true`"


class Redeployment(Deployment):
    """`told` holds what it holds of a deployment; whether it is the way `back`, for how many days the old disk is kept (`keep_days`),
    whether this is a `check` only, and what the phases of an exchange have returned."""

    phases = PHASES

    def __init__(self, told):
        definitions = told["definitions"] if isinstance(told["definitions"], Mapping) else {}
        super().__init__(dict(told, names=list(definitions) if told["names"] == "all" else told["names"]))
        self.back, self.check, self.keep_days = bool(told.get("back")), bool(told.get("check")), told.get("keep_days")
        self.domains_there = {domain["name"]: domain for domain in (told.get("domains_found") or {}).get("domains") or []}
        self.disks_there = {disk["name"]: disk for disk in self.returned["disks"].get("volumes") or []}

    def drafts(self):
        """What templates of one's own are given while the guests still run; on the way back nothing is defined."""
        return {} if self.back else super().drafts()

    def restarts(self):
        """Guests that are started as they are defined: on their way back, and where an exchange has failed after they were stopped."""
        failed = self.failures(self.before("domains"))
        back = {name for name, guest in self.guests.items() if self.back and name not in failed and self._shall_run(name, guest)}
        return {name: self._start(self.guests[name]) for name in self.guests if name in back or name in failed and self._is_lost(name)}

    def _is_lost(self, name):
        """Whether a guest that ran was stopped for an exchange that has failed: it goes on with the disk it had."""
        return bool(self._ran(name) and self.answers["swapped"].get(name, {}).get("failed"))

    def _ran(self, name):
        """Whether a guest ran before this call has stopped it, or one like this that was cut."""
        noted = any(disk.get("ran") for disk in self.disks_there.values() if self._file(name) in (disk["name"], disk["of"]))
        return bool(noted or self.answers["stopped"].get(name, {}).get("changed"))

    def _shall_run(self, name, guest):
        """Where it is not said whether a guest shall run, it does so again if it ran."""
        state = guest.get("state", "running")
        return self._ran(name) if state == "present" else state == "running"

    def told_failures(self):
        """The same as a person is told, who has to know of a guest that it is off."""
        return {name: self._told(name, reason) for name, reason in self.failures().items()}

    def _told(self, name, reason):
        if not self._is_off(name):
            return reason
        if self._fate_unknown("stopped"):
            return _MAY_BE_OFF % reason
        exchanged = not self.back and (self._is_done(name) or self.answers["swapped"].get(name, {}).get("changed"))
        return _OFF % (reason, _OR_BACK % (_PLAYBOOK, name) if exchanged else "")

    def _is_off(self, name):
        """Whether a guest that has failed shall run and does not."""
        domain, stopped = self.found.get(name), self.answers["stopped"].get(name, {})
        if self.check or domain is None or not self._shall_run(name, self.guests[name]) or self._was_started(name):
            return False
        return domain["state"] == "shutoff" or self._fate_unknown("stopped") or bool(stopped.get("changed"))

    def _reasons(self, name, phases):
        if "disks" in phases and name not in self.faults:
            yield from self._refusals(name)
        yield from super()._reasons(name, phases)
        for phase in phases:
            if phase in WHILE_OFF and self._fate_unknown(phase):
                yield self.returned[phase].get("msg") or "no reason given"

    def _refusals(self, name):
        disks, domain = self.returned["disks"], self.domains_there.get(name)
        # The task itself does not fail for it.
        if disks and "volumes" not in disks:
            yield _LOOK % (disks.get("msg") or "no reason given")
        if domain is not None and domain.get("managed") is None:
            yield _FOREIGN
        sources = [disk.get("source") for disk in domain.get("disks") or []] if domain else []
        if sources and self._device(name) not in sources:
            yield _disks.OTHER_DISK % (", ".join(map(str, sources)), self._device(name))
        if self.back and "volumes" in disks and not self._kept(name) and (self._own(name) or {}).get("swap") != "back":
            others = ", ".join(disk["name"] for disk in self._beside(name))
            yield _NOTHING_KEPT % (self._file(name), _OF_ANOTHER % others if others else "")

    # Where a guest's disk is, and what is beside it.

    def _place(self, name, suffix=""):
        if self.place["folder"]:
            return {"path": "%s/%s%s" % (self.place["folder"], self._file(name), suffix)}
        return {"dataset": "%s/%s%s" % (self.place["dataset"], name, suffix)}

    def _own(self, name):
        return self.disks_there.get(self._file(name))

    def _kept(self, name):
        """Those that were put aside for this guest, the oldest first; not those of another that had its name before."""
        lineage = self._lineage(name)
        return [disk for disk in self._beside(name) if lineage is not None and disk.get("lineage") == lineage]

    def _lineage(self, name):
        """What the disks of a guest share: those that it has, or between two renames those that it is to have."""
        own, ready = self._own(name), self.disks_there.get(self._file(name) + STAGED)
        chosen = [disk for disk in self._beside(name) if disk.get("swap") == "back"]
        ready = ready if ready and ready.get("swap") == "new" else {}
        return (own or (chosen[-1] if chosen else ready)).get("lineage")

    def _beside(self, name):
        """All that are kept under a guest's name, the oldest first."""
        kept = [disk for disk in self.disks_there.values() if disk["part"] == "kept" and disk["of"] == self._file(name)]
        return sorted(kept, key=lambda disk: disk["name"])

    def _is_done(self, name):
        """Whether a call like this one that was cut had got as far as the new disk."""
        own = self._own(name)
        if self.back or own is None:
            # Only the host knows: a kept one that was chosen comes first.
            return False
        return own.get("swap") == "new" and own.get("guid") is not None and own["guid"] == self.image(name).get("guid")

    # What each phase is asked for.

    def _images(self, name, guest):
        # The volume that is there does not count: this is about the image that is named now.
        return None if self.back else {"name": guest["image"]}

    def _cleared(self, name, guest):
        """What was made ready for an earlier call, from another image."""
        staged = self.disks_there.get(self._file(name) + STAGED)
        if self.back or staged is None or staged.get("guid") == self.image(name).get("guid"):
            return None
        return self._place(name, STAGED)

    def _staged(self, name, guest):
        if self.back or self._is_done(name):
            return None
        image, folder = self.image(name), self.place["folder"]
        wanted = {
            "src": image.get("path"), "guid": image.get("guid"), "sha256": image.get("sha256"), "volsize": guest.get("disk"),
            "golden": None if folder else self.place["golden"],
            # Nobody looks at it, and so nobody keeps it busy, before it has its name.
            "properties": None if folder else {"volmode": "none"},
        }
        return dict(self._place(name, STAGED), **{option: value for option, value in wanted.items() if value})

    def _noted(self, name, guest):
        # What this call knows, the next one knows only from the host.
        return None if self._stopped(name, guest) is None else dict(self._place(name), state="noted")

    def _stopped(self, name, guest):
        domain = self.found.get(name)
        if self._is_done(name) or domain is None or domain["state"] == "shutoff":
            return None
        return {"state": "shutoff", **{key: guest[key] for key in ("force", "shutdown_timeout") if key in guest}}

    def _swapped(self, name, guest):
        if self._is_done(name):
            return None
        return dict(self._place(name), state="back" if self.back else "new", keep_days=self.keep_days)

    def _volumes(self, name, guest):
        # In check mode the disk is still that of the other image.
        return None if self.back or self.check else super()._volumes(name, guest)

    def _seeds(self, name, guest):
        options = None if self.back else super()._seeds(name, guest)
        # One that runs on its new disk already, because a call was cut after its start, has read the seed.
        has_booted = self._is_done(name) and self.found.get(name, {}).get("state", "shutoff") != "shutoff"
        return options and dict(options, first_boot=not has_booted)

    def _domains(self, name, guest):
        if self.back:
            return None
        given = super()._domains(name, self._as_it_ran(name, guest))
        # A check has made none of its disks.
        disks = [dict(disk, device=disk["device"] or self._device(_disks.key(name, disk["name"]))) for disk in given["guest_disks"]]
        return dict(given, guest_disk=given["guest_disk"] or self._device(name), guest_disks=disks)

    def _as_it_ran(self, name, guest):
        return dict(guest, state="running") if self._shall_run(name, guest) else guest

    def _start(self, guest):
        state = guest.get("state", "running")
        options = {"state": "running" if state == "present" else state}
        if guest.get("wait_for") and options["state"] == "running":
            options["wait_for"] = {"timeout": self.place.get("wait_timeout", 120), **guest["wait_for"]}
        return options

    def _settled(self, name, guest):
        return dict(self._place(name), state="settled")

    def settlements(self):
        """Guests that were started, whether or not they have answered, or are to stay off: another call like this one is for another disk."""
        before, started = self.failures(self.before("domains")), self.restarts()
        over = {name for name in self.guests if (name not in before or self._is_lost(name)) and self._was_started(name)}
        stay_off = {name for name in self.guests if self.back and name not in before and name not in started}
        return {name: self._settled(name, guest) for name, guest in self.guests.items() if name in over | stay_off}

    def _was_started(self, name):
        answer = self.answers["domains"].get(name)
        return answer is not None and (not answer.get("failed") or "wait" in (answer.get("timings") or {}))

    # What a person is told.

    def table(self):
        """One line a guest, and how each comes back."""
        if not self.guests:
            return []
        failed = self.failures()
        rows = [["guest", "state", "image", "disk", "fetch", "receive", "stop", "exchange", "start", "wait", "changed", "note"]]
        for name in self.guests:
            image, domain = self.image(name), self.answers["domains"].get(name) or {"domain": self._as_found(name)}
            waited = seconds_of(domain, "wait")
            took = [seconds_of(self.answers[phase].get(name, {}), "total") for phase in ("images", "staged", "stopped", "swapped", "domains")]
            rows.append([
                name,
                "failed" if name in failed else domain.get("domain", {}).get("state", "-"),
                "-".join(str(image.get(key) or "?") for key in ("name", "version")) if image else "-",
                "failed" if name in failed else self._word(name),
                *("%.2f" % second for second in (*took[:-1], took[-1] - waited, waited)),
                "yes" if any(self.answers[phase].get(name, {}).get("changed") for phase in PHASES) else "no",
                "is off: call this again when that is mended" if name in failed and self._is_off(name) else "",
            ])
        return aligned(rows) + [line for name in self.guests for line in self._way_back(name)]

    def _as_found(self, name):
        """The domain of a guest that is left off on its way back."""
        return {"state": self.found[name]["state"]} if self.back and name in self.found else {}

    def _word(self, name):
        if not self.answers["swapped"].get(name, {}).get("changed"):
            return "kept"
        return ("to come " if self.check else "") + ("back" if self.back else "new")

    def _way_back(self, name):
        swapped = self.answers["swapped"].get(name, {}).get("volume") or {}
        as_name, until = swapped.get("replaced"), swapped.get("keep_until")
        if as_name is None and self._is_done(name) and self._kept(name):
            last = self._kept(name)[-1]
            as_name, until = last.get("dataset") or last.get("path"), last.get("keep_until")
        if as_name and not self.check:
            yield _WAY_BACK % (name, str(until or "it is removed")[:10], as_name, _PLAYBOOK, name)
