# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes that move between two hosts: what is asked of either end, in which order, and what has become of each."""

from __future__ import annotations

import time

from ansible.errors import AnsibleError
from ansible_collections.apiary.bhyve.plugins.plugin_utils import _links, _streaming as streaming


class Volumes:
    """Volumes by name, each with its documented options, and what has become of them."""

    def __init__(self, source, target, asked):
        self.source, self.target, self.asked = source, target, asked
        self.state = next(iter(asked.values()))["state"]
        self.check = target.action._task.check_mode
        self.volumes = {name: self._volume(options) for name, options in asked.items()}
        self.told = {name: {"changed": False, "volume": {"sent": 0, "streams": 0, "seconds": 0.0}} for name in asked}
        self.offered, self.expected = {}, {}

    def _volume(self, options):
        kind = "path" if options.get("path") else "dataset"
        at = options.get("from_" + kind) or options[kind]
        return _links.Volume({kind: at}, {kind: options[kind]}, self.source.name, self.target.name)

    def answers(self):
        """Does what is asked for; what has become of each by its name."""
        try:
            self._look_where_they_go()
            if self.state == "given":
                self._give()
            else:
                self._bring()
        except (_links.Refused, AnsibleError, OSError) as error:
            # Of all that have not failed already: a guest may be off, and whoever asked has to be able to tell.
            for name in self._left():
                self._fail(name, str(error))
        return self.told

    def _left(self):
        return [name for name in self.asked if not self.told[name].get("failed")]

    def _fail(self, name, why):
        self.told[name].update(failed=True, msg=why)

    def _ask(self, host, asked):
        """Asks for several; those that have failed are told and left out."""
        answers = host.ask(asked) if asked else {}
        for name, answer in answers.items():
            if answer.get("failed"):
                self._fail(name, "%s: %s" % (host.name, answer.get("msg") or "no reason given"))
            elif answer.get("changed"):
                self.told[name]["changed"] = True
        return {name: answer for name, answer in answers.items() if not answer.get("failed")}

    def _look_where_they_go(self):
        asked = {}
        for name, volume in self.volumes.items():
            golden = {} if volume.is_file else {"golden": self.asked[name].get("golden")}
            asked[name] = {**volume.to, "state": "expected", **golden, "take": volume.is_file and self.state == "copied"}
        self.expected = {name: answer["volume"] for name, answer in self._ask(self.target, asked).items()}

    def _give(self):
        asked = {}
        for name in self._left():
            arrived = self.expected[name]["arrived"]
            if arrived is None:
                self._fail(name, "%s has not come from %s whole: nothing is taken away there" % (self.volumes[name].name, self.source.name))
            else:
                asked[name] = {**self.volumes[name].at, "state": "given", "guid": arrived}
        self._ask(self.source, asked)

    def _bring(self):
        # Nobody writes to one that has come, and a snapshot of it would be newer than what has.
        asked = {
            name: {**self.volumes[name].at, "state": "offered", "known": self.expected[name]["known"], "take": not self.expected[name]["there"]}
            for name in self._left()
        }
        self.offered = {name: answer["volume"] for name, answer in self._ask(self.source, asked).items()}
        finished = {name: options for name in list(self.offered) for options in [self._brought(name)] if options}
        if self.state == "moved" and not self.check:
            self._ask(self.target, finished)

    def _brought(self, name):
        """Brings what is missing of one; what the other end is told when all has come."""
        volume, offered, expected = self.volumes[name], self.offered[name], self.expected[name]
        try:
            if _links.has_arrived(volume, offered, expected):
                return dict(volume.to, state="finished", guid=expected["arrived"], properties=offered.get("properties") or {})
            _links.check(volume, offered, expected)
            self.told[name]["changed"] = True
            if not self.check and not (volume.is_file and self.state == "copied"):
                self._send(name, _links.links(volume, offered, expected))
            return dict(volume.to, state="finished", guid=_links.last_guid(volume, offered), properties=offered["properties"])
        except _links.Refused as refused:
            self._fail(name, str(refused))
        return None

    def _send(self, name, streams):
        volume, told = self.volumes[name], self.told[name]["volume"]
        total = _links.total(volume, self.offered[name], self.expected[name])
        for link in streams:
            started = time.monotonic()
            sides = streaming.Side(self.source, link.sender), streaming.Side(self.target, link.receiver)
            _reply, sent = streaming.connect(*sides, "bringing %s" % name, total if "base" not in link.sender or len(streams) == 1 else 0)
            told["seconds"] += time.monotonic() - started
            told["sent"] += sent
            told["streams"] += 1
