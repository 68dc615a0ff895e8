# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stream between two hosts by way of the controller: neither host needs a way to the other, nor anything that it may log in with.

Each end is a program of ours, run over a connection of Ansible's. What one writes the other one reads, in frames as modules/ansible_module
(stream.rs) has them; here they are only counted. Where this process, a program or a connection ends before the empty frame that says that
the sender has judged all of it, the receiver reads an end without it, and refuses what it has.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import select
import signal
import subprocess
import tempfile
import time

from ansible_collections.apiary.bhyve.plugins.plugin_utils import _exchange as exchange
from ansible_collections.apiary.bhyve.plugins.plugin_utils._ends import argv
from ansible_collections.apiary.bhyve.plugins.plugin_utils._jobs import ended_by_signal

# As stream.rs has it.
_HEADER, _LONGEST = 4, 1 << 20

# All that is in memory of a stream.
_CHUNK = 1 << 20

# Of a program that says no word of ours, and of a reply.
_MOST_SAID, _MOST_REPLIED = 1 << 16, 16 << 20

# Seconds: between two looks whether anybody still waits, between two lines of progress, and of silence before both ends are given up.
_LOOK, _SHOW, _SILENCE = 1, 0.5, 900

_LINUX_PIPE_SIZE = 1031

_MARKED = b"\n" + exchange.MARK.encode()


@dataclasses.dataclass(frozen=True)
class End:
    """One end: the action of its host, and what the program there is told, as JSON."""

    action: object
    programs: dict
    arguments: bytes

    def start(self, **pipes):
        """Its program, which has its arguments yet to come."""
        environment = {}
        self.action._compute_environment_string(environment)
        words = argv(self.action, exchange.stream_kept(self.programs, environment))
        # In a session of its own, so that all that it starts here can be ended, and hears no Ctrl-C but ours.
        process = subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True, **pipes)
        return process, exchange.stdin(environment, self.arguments)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What both ends have answered, how many bytes went over, whether they were all, whether the target ended before, and whether both were
    ended, because nobody waits any more or nothing came."""

    source: exchange.Answer
    target: exchange.Answer
    sent: int
    whole: bool
    refused: bool
    given_up: bool

    def blamed(self):
        """Which end has to be asked what went wrong: the one that ended the other."""
        return "target" if self.whole or self.refused else "source"


def connect(source, target, show=lambda record: None, label="", total=0):
    """Runs both ends, whose programs must be kept there already, and passes on what the source writes. `show` is given records of progress."""
    with contextlib.ExitStack() as stack:
        said = [stack.enter_context(tempfile.TemporaryFile()) for _each in range(3)]
        sender, told_sender = source.start(stdout=subprocess.PIPE, stderr=said[0])
        stack.callback(_end, sender)
        receiver, told_receiver = target.start(stdout=said[1], stderr=said[2])
        stack.callback(_end, receiver)
        stack.enter_context(ended_by_signal(lambda: [_end(each) for each in (sender, receiver)]))
        pump = _Pump(sender, receiver, _Shown(show, label, total))
        pump.run(told_sender, told_receiver)
        if pump.refused or pump.given_up:
            # It would go on for nobody.
            _end(sender)
        pump.close()
        source_says = _answer(pump.said(), sender, said[0])
        return Outcome(source_says, _answer(_read(said[1], receiver), receiver, said[2]), pump.sent, pump.whole, pump.refused, pump.given_up)


def _answer(stdout, process, stderr):
    rc = process.wait()
    result = {"stdout": stdout.decode(errors="replace"), "stderr": _read(stderr).decode(errors="replace"), "rc": rc if rc >= 0 else 128 - rc}
    return exchange.Answer.of(result)


def _read(file, process=None):
    if process:
        process.wait()
    file.seek(0)
    return file.read(_MOST_REPLIED)


def _end(process):
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class _Shown:
    """Progress, now and then."""

    def __init__(self, show, label, total):
        self.show, self.label, self.total = show, label, total
        self.started = self.last = time.monotonic()

    def at(self, count):
        """So many bytes have gone over."""
        now = time.monotonic()
        if now - self.last >= _SHOW:
            self.last = now
            self.show(json.dumps({"label": self.label, "bytes": count, "total": self.total, "seconds": now - self.started}))

    def end(self):
        """Takes the line away."""
        self.show("")


class _Watch:
    """Whether anybody still waits for the stream, and anything comes."""

    def __init__(self):
        # Before ansible-core 2.20 a worker does not end with Ansible.
        self.ansible, self.moved = os.getppid(), time.monotonic()

    def is_over(self, moves):
        """To be asked about once a second at least."""
        now = time.monotonic()
        self.moved = now if moves else self.moved
        return os.getppid() != self.ansible or now - self.moved > _SILENCE


class _Pump:
    """Takes what one process writes to another one, and knows where the stream ends."""

    def __init__(self, sender, receiver, shown):
        self.sender, self.receiver, self.shown = sender, receiver, shown
        self.source, self.sink = sender.stdout.fileno(), receiver.stdin.fileno()
        # What the sender has said beside the stream: before it up to our mark, and after it.
        self.before, self.after = b"", b""
        self.found = self.whole = self.refused = self.given_up = False
        # Bytes of the frame that are still to come, and of a header those that have.
        self.left, self.header = 0, b""
        self.sent = 0

    def run(self, told_sender, told_receiver):
        """To the end of the stream, or until one side breaks."""
        for descriptor in (self.source, self.sink):
            with contextlib.suppress(OSError):
                fcntl.fcntl(descriptor, _LINUX_PIPE_SIZE, _CHUNK)
            os.set_blocking(descriptor, False)
        self._tell_sender(told_sender)
        waiting, watch = memoryview(told_receiver), _Watch()
        while waiting or not (self.whole or self.after):
            ready = select.select([] if waiting else [self.source], [self.sink] if waiting else [], [], _LOOK)
            if watch.is_over(any(ready)):
                self.given_up = True
                break
            if ready[1]:
                try:
                    waiting = waiting[os.write(self.sink, waiting):]
                except BrokenPipeError:
                    self.refused = True
                    break
            elif ready[0]:
                chunk = os.read(self.source, _CHUNK)
                if not chunk:
                    break
                waiting = memoryview(self._stream(chunk))
            self.shown.at(self.sent)
        self.shown.end()

    def _tell_sender(self, told):
        with contextlib.suppress(BrokenPipeError):
            self.sender.stdin.write(told)
            self.sender.stdin.close()

    def _stream(self, chunk):
        """What of a chunk belongs to the stream."""
        if not self.found:
            self.before += chunk
            at = (b"\n" + self.before).find(_MARKED)
            end = self.before.find(b"\n", at) + 1 if at >= 0 else 0
            if not end:
                self.before = self.before[-_MOST_SAID:]
                return b""
            self.before, chunk, self.found = self.before[at:end], self.before[end:], True
        return chunk[:self._frames(chunk)]

    def _frames(self, chunk):
        """Goes over the frames in a chunk; says where in it they end."""
        at = 0
        while at < len(chunk) and not self.whole:
            if self.left:
                step = min(self.left, len(chunk) - at)
                self.left, self.sent, at = self.left - step, self.sent + step, at + step
                continue
            step = min(_HEADER - len(self.header), len(chunk) - at)
            self.header, at = self.header + chunk[at:at + step], at + step
            if len(self.header) < _HEADER:
                break
            length = int.from_bytes(self.header, "big")
            if length > _LONGEST:
                # A reply, of a sender that has failed. What of it went over with an earlier chunk is no frame there, either.
                self.after = self.header + chunk[at:]
                return max(at - _HEADER, 0)
            self.left, self.whole, self.header = length, length == 0, b""
        if self.whole:
            self.after = chunk[at:]
        return at

    def close(self):
        """Lets the receiver read an end, and reads what the sender still says."""
        with contextlib.suppress(BrokenPipeError):
            self.receiver.stdin.close()
        os.set_blocking(self.source, True)
        while len(self.after) < _MOST_REPLIED:
            chunk = os.read(self.source, _CHUNK)
            if not chunk:
                break
            if self.found:
                self.after += chunk
            else:
                self.before += chunk

    def said(self):
        """The sender's answer without its stream."""
        return self.before + self.after
