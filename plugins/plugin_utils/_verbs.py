# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to guests that are there."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils._deployment import Deployment, aligned

# What each verb registers, in this order; a guest that has failed in one is left out of those that follow.
STEPS = {"restart": ("restarted",)}
_ALL = "all"

_NOT_OURS = "a domain of its name is there that this collection has not made: expected one of ours; use virsh for it"
_ABSENT = "it is not on this host: deploy it first (apiary.bhyve.deploy)"


class Verbs(Deployment):
    """`told` is that of a deployment, with the `verb`, what was `asked`, and what each step of it has returned so far."""

    def __init__(self, told):
        super().__init__(told)
        self.steps, self.asked = STEPS[told["verb"]], told["asked"]
        self.returned = {step: told.get(step) or {} for step in self.steps}
        self.answers = {step: returned.get("guests") or {} for step, returned in self.returned.items()}
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

    def options(self, phase):
        """What the module of a step is asked for, by guest."""
        failed = self.failures(self.steps[:self.steps.index(phase)])
        asked = {name: getattr(self, "_%s" % phase)(name, guest) for name, guest in self.guests.items() if name not in failed}
        return {name: options for name, options in asked.items() if options is not None}

    def failures(self, phases=None):
        """Why guests have failed, by name, the first reason of each."""
        steps = self.steps if phases is None else phases
        return {name: reason for name in self.guests for reason in [next(self._reasons(name, steps), None)] if reason}

    def _reasons(self, name, phases):
        if name not in self.found:
            yield _NOT_OURS if name in self.there else _ABSENT
        for step in phases:
            answer = self.answers[step].get(name, {})
            if answer.get("failed"):
                yield answer.get("msg") or "no reason given"

    def _is_active(self, name):
        return (self.found.get(name) or {}).get("state", "shutoff") != "shutoff"

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
        """One line a guest: what has become of it."""
        failed = self.failures()
        rows = [["guest", "result", "note"]]
        for name in self.guests:
            answers = [self.answers[step].get(name, {}) for step in self.steps]
            changed = any(answer.get("changed") for answer in answers)
            rows.append([name, "failed" if name in failed else "changed" if changed else "unchanged", "; ".join(self._notes(name))])
        return aligned(rows)

    def _notes(self, name):
        for answer in (self.answers[step].get(name, {}) for step in self.steps):
            state = (answer.get("domain") or {}).get("state")
            if state:
                yield state
