# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that goes from host to host and back, while whoever moves it is killed at one moment after another."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import random
import re
import signal
import subprocess
import time

from machine import FOLDER, HOSTS
from model import differences

from patience import patience

# Who is killed in one move, in this order, and before which part of the time that a move takes.
CUTS = (("sender", 0), ("receiver", 0), ("controller", 0.4), ("controller", 0.7), ("controller", 1))


def other(host):
    return HOSTS[1 - HOSTS.index(host)]


class Moves:
    """Moves of one guest, and how they are cut."""

    def __init__(self, story, name, seed):
        self.story, self.name, self.chance = story, name, random.Random(seed)
        self.machine, self.controller, self.model = story.machine, story.controller, story.model
        self.cuts = []

    @contextlib.contextmanager
    def watched(self):
        """Somebody looks all the time."""
        watch = self.machine.guest.start(f"python3 /root/in_machine/watch.py {FOLDER} {self.name}")
        try:
            yield
        finally:
            self.machine.guest.sh(f"touch {FOLDER}/watched")
            told = json.loads(watch.stdout.read())
        assert told["wrong"] == [] and told["looks"] > len(self.cuts), (told, self.cuts)

    def whole(self):
        """One that nobody disturbs; returns how long it takes."""
        self._follow()
        started = time.monotonic()
        self._arrive()
        return time.monotonic() - started

    def cut(self, length, most):
        """One that is cut up to `most` times, at moments all over its `length`."""
        self._follow()
        before = len(self.cuts)
        for kind, part in CUTS[:most]:
            if not self._cut(kind, length * (part - 0.3 * self.chance.random())):
                break
            self._look()
        assert len(self.cuts) > before, "nothing was cut"
        self._arrive()

    def _follow(self):
        """What an administrator does before: the dictionaries."""
        here = self.model.guests[self.name].host
        guests = self.controller.guests
        guests[other(here)][self.name] = guests[here].pop(self.name)

    def _arrive(self):
        self.controller.play("move", guest_names=self.name)
        self.model.move(self.name, other(self.model.guests[self.name].host))
        self.story.check()

    def _cut(self, kind, after):
        """Kills somebody; whether that has met something that ran."""
        running = self.controller.start("move", guest_names=self.name)
        if kind == "controller":
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(after)
            hit = running.poll() is None
            if hit:
                os.killpg(running.pid, signal.SIGKILL)
            running.wait()
        else:
            hit = self._cut_stream(running, "send" if kind == "sender" else "receive")
        if hit:
            self.cuts.append(kind if kind != "controller" else f"controller after {after:.1f} s")
        return hit

    def _cut_stream(self, running, end):
        # In one exchange: a quarter of a second later all of it may have come.
        kill = f"timeout {patience(300):.0f} sh -c \"until pkill -9 -f '[z]fs {end} '; do sleep 0.02; done\""
        self.machine.guest.sh(kill, limit=patience(600))
        return running.wait(patience(1800)) != 0

    def _look(self):
        """Nobody else is touched, it runs once at most, and one host has all of it. What it writes meanwhile goes with it."""
        self.machine.wait_until_quiet()
        found = self.machine.found()
        told = f"{self.cuts}: {json.dumps(found, indent=1)}"
        assert any(self._is_whole(found, host) for host in HOSTS), told
        runs = [host for host in HOSTS if f"process {host} {self.name}" in found]
        assert len(runs) <= 1, told
        wrong = differences(self._others(found), self._others(self.model.expected()))
        assert not wrong, "\n".join([*self.cuts, *wrong])
        for host in runs:
            self._write(host)

    def _is_whole(self, found, host):
        moved = dataclasses.replace(self.model.guests[self.name], host=host)
        return all(found.get(f"dataset {volume}") == disk.words(host) for volume, disk in moved.disks(self.name).items())

    def _others(self, found):
        """All that is neither its own nor an image, which it may need where it goes."""
        own = re.compile(rf".*\b{self.name}\b(?!\.old-).*|.*/demo-.*")
        return {key: words for key, words in found.items() if not own.fullmatch(key)}

    def _write(self, host):
        said = f"after {len(self.cuts)} cuts"
        for volume in ("", ":data"):
            self.machine.write(f"{host}/vm/{self.name}{volume}", said)
        self.model.write(self.name, root=said, data=said)
