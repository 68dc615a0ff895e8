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
        self.offered, self.expected, self.whole = {}, {}, set()

    def _volume(self, options):
        kind = "path" if options.get("path") else "dataset"
        at = options.get("from_" + kind) or options[kind]
        return _links.Volume({kind: at}, {kind: options[kind]}, self.source.name, self.target.name)

    def answers(self):
        """Does what is asked for; what has become of each by its name."""
        try:
            self._bring_rests()
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
        return [name for name in self.asked if name not in self.whole and not self.told[name].get("failed")]

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

    def _bring_rests(self):
        """Where it is known what has come, all of the rest goes over in one exchange. Whatever is in the way, the others find, and say."""
        rests = {name: self.asked[name].get("since") for name in self._left() if self.state == "moved" and not self.check}
        for name, since in rests.items():
            if since:
                try:
                    self._bring_rest(name, since)
                except streaming.GivenUp:
                    raise
                except _links.Refused:
                    continue

    def _bring_rest(self, name, since):
        taken, arrived = self._connect(name, _links.rest(self.volumes[name], since), 0)
        if taken["guid"] != arrived["guid"]:
            raise _links.Refused("%s has arrived with guid %s, expected %s" % (self.volumes[name].name, arrived["guid"], taken["guid"]))
        self.told[name]["changed"] = True
        self.whole.add(name)

    def _look_where_they_go(self):
        asked = {}
        for name in self._left():
            volume = self.volumes[name]
            golden = {} if volume.is_file else {"golden": self.asked[name].get("golden")}
            asked[name] = {**volume.to, "state": "expected", **golden}
        self.expected = {name: answer["volume"] for name, answer in self._ask(self.target, asked).items()}

    def _give(self):
        asked = {}
        for name in self._left():
            arrived = self.expected[name]["arrived"]
            if arrived is None:
                self._fail(name, "%s has not come from %s whole: nothing is taken away there" % (self.volumes[name].name, self.source.name))
            else:
                asked[name] = {**self.volumes[name].at, "state": "given", "guid": arrived}
        given = self._ask(self.source, asked)
        # Its guest is on again, and has waited for nothing of this.
        self._ask(self.target, {name: {**self.volumes[name].to, "state": "swept"} for name in given if self._has_snapshots(name)})

    def _has_snapshots(self, name):
        return not self.volumes[name].is_file and not self.check

    def _bring(self):
        # Nobody writes to one that has come, and a snapshot of it would be newer than what has.
        asked = {
            name: {**self.volumes[name].at, "state": "offered", "known": self.expected[name]["known"], "take": not self.expected[name]["there"]}
            for name in self._left()
        }
        self.offered = {name: answer["volume"] for name, answer in self._ask(self.source, asked).items()}
        brought = {name: options for name in list(self.offered) for options in [self._brought(name)] if options}
        if self.check:
            return
        if self.state == "moved":
            self._ask(self.target, brought)
        else:
            self._say_where_they_are(brought)

    def _say_where_they_are(self, copied):
        """Takes the place of files, and tells of each how it goes on."""
        there = {name for name in copied if self.expected[name]["there"]}
        taken = {name: {**self.volumes[name].to, "state": "expected", "take": True, "properties": options["properties"]} for name, options in copied.items()}
        self._ask(self.target, {name: options for name, options in taken.items() if self.volumes[name].is_file and name not in there})
        for name in copied:
            volume = self.volumes[name]
            since = None if name in there else _links.since(volume, self.offered[name])
            self.told[name]["volume"].update(name=volume.name if name in there else volume.arriving, since=since)

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
        total = _links.total(self.volumes[name], self.offered[name], self.expected[name])
        for link in streams:
            self._connect(name, link, total if "base" not in link.sender or len(streams) == 1 else 0)

    def _connect(self, name, link, total):
        """Has one stream go over; what both ends have answered."""
        told, started = self.told[name]["volume"], time.monotonic()
        sides = streaming.Side(self.source, link.sender), streaming.Side(self.target, link.receiver)
        *replies, sent = streaming.connect(*sides, "bringing %s" % name, total)
        told["seconds"] += time.monotonic() - started
        told["sent"] += sent
        told["streams"] += 1
        return replies
