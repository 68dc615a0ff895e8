# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts whose programs answer an action, and have a stream go from one to the other."""

from __future__ import annotations

import dataclasses

from ansible_collections.apiary.bhyve.plugins.plugin_utils import _ends as ends, _pipe as pipe, _progress as progress, _verdict as verdict
from ansible_collections.apiary.bhyve.plugins.plugin_utils._links import Refused
from ansible_collections.apiary.bhyve.plugins.plugin_utils._options import encode

# The program that sends and receives volumes.
VOLUMES = "volume_stream"

_NO_WAY = "no stream can go to or from %s: %s"
_CUT = "the connection to %s ended before the stream did"
_GIVEN_UP = "the stream from %s was given up: nobody waits for it any more, or nothing came"


class GivenUp(Refused):
    """Nothing else is to be tried: whoever has asked may be dead, and the next one may be at work already."""


@dataclasses.dataclass(frozen=True, eq=False)
class Host:
    """One of the two hosts: its name, an action that runs there, the files of the program that were built, and its name."""

    name: str
    action: object
    programs: dict
    program: str = VOLUMES

    def arguments(self, options, **settings):
        """What the program there is told."""
        return encode({**options, **self.action._settings(self.program), **settings})

    def reply(self, options, **settings):
        """What the program answers, in one exchange."""
        return self.judged(self.action._answer(self.programs, self.arguments(options, **settings), None))

    def ask(self, guests):
        """What it answers of several volumes, by their names. None where all of it has failed, and why."""
        told = self.reply({"guests": guests})
        if "guests" not in told:
            raise Refused("%s: %s" % (self.name, told.get("msg") or "no reason given"))
        return told["guests"]

    def judged(self, answer):
        """An answer as the result of a task."""
        return verdict.judge(self.program, answer, self.programs)


@dataclasses.dataclass(frozen=True, eq=False)
class Side:
    """One side of a stream: the host, and what the program there is told."""

    host: Host
    options: dict

    def run(self):
        """This side as a pipe needs it."""
        return pipe.End(self.host.action, self.host.programs, self.host.arguments(self.options))

    def reply(self, answer):
        """What its program has said in the end."""
        if answer.word == "" and answer.rc == 255:
            return {"failed": True, "msg": _CUT % self.host.name}
        return self.host.judged(answer)


def check_connections(*hosts):
    """Refuses a host over whose connection no stream can go."""
    for host in hosts:
        refused = ends.refusal(host.action)
        if refused:
            raise Refused(_NO_WAY % (host.name, refused))


def connect(sender, receiver, label, total):
    """Has a stream go from one side to the other, and shows how far it is. Returns both replies, and how many bytes went over."""
    action = receiver.host.action
    line = progress.Line(action._display, action.host)
    show = line.show if progress.at_terminal(action._display) else lambda _record: None
    outcome = pipe.connect(sender.run(), receiver.run(), show, label, total or 0)
    replies = {sender: sender.reply(outcome.source), receiver: receiver.reply(outcome.target)}
    if outcome.given_up:
        raise GivenUp(_GIVEN_UP % sender.host.name)
    for side in (receiver, sender) if outcome.blamed() == "target" else (sender, receiver):
        if replies[side].get("failed"):
            raise Refused("%s: %s" % (side.host.name, replies[side]["msg"]))
    if not outcome.whole:
        raise Refused(_CUT % sender.host.name)
    return replies[sender], replies[receiver], outcome.sent
