# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each call with which a program looks or writes fails once, or the program is killed there; the next run must put all right.

    tests/faults/run.sh                            some of all faults: each error of each call in each scene, and a few by chance
    tests/faults/run.sh --whole                    all of them
    tests/faults/run.sh SCENE                      all of one scene
    tests/faults/run.sh SCENE CALL NUMBER ERROR    this one
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import sys

import scenes
from lab import Lab
from strace import Fault
from trial import KINDS, Trials

# Faults by chance in each scene.
MORE = 8
# Failures that are shown.
SHOWN = 40


def some(faults, chance):
    """One fault for each error of each call, each at another place of the run, and a few by chance."""
    alike = collections.defaultdict(list)
    for fault in faults:
        alike[fault.call, fault.error].append(fault)
    chosen = [places[turn * 7 % len(places)] for turn, places in enumerate(alike.values())]
    others = sorted(set(faults) - set(chosen))
    return sorted(chosen + chance.sample(others, min(MORE, len(others))))


class Sweep:
    """Trials of many faults, and what was found."""

    def __init__(self):
        self.tried = self.missed = self.failed = 0
        self.found = collections.Counter()

    def try_all(self, trials, faults):
        """Tries these faults of one scene."""
        for fault in faults:
            hit, problems = trials.trial(fault)
            self.tried += 1
            self.missed += not hit
            self.found.update({problem.kind for problem in problems})
            if problems:
                self.failed += 1
                self.show(trials.scene.name(), fault, hit, problems)

    def show(self, scene, fault, hit, problems):
        """Says what was wrong, and how to see it again."""
        if self.failed > SHOWN:
            return
        print(f"{scene}, {fault.error} for call {fault.number} of {fault.call}:")
        for call in hit:
            print(f"    {call.name}({call.text}")
        for problem in problems:
            print(f"  {problem.kind}: {problem.text}")
        print(f"  again: tests/faults/run.sh {scene} {fault}", flush=True)

    def report(self):
        """Says what was found; whether that is nothing."""
        # Where many do not come about, runs differ so much that nothing is swept.
        swept = self.missed * 20 <= self.tried > 0
        print(f"{self.tried} faults, {self.missed} of them did not come about: " + ", ".join(f"{self.found[kind]} {kind}" for kind in KINDS))
        print(f"{self.tried - self.failed} passed, {self.failed} failed")
        return swept and not self.failed


def arguments():
    """The scenes, one fault of them or none, and whether all are wanted."""
    named = {scene.name(): scene for scene in scenes.ALL}
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("scene", nargs="?", choices=named)
    parser.add_argument("fault", nargs="*")
    given = parser.parse_args()
    if len(given.fault) not in (0, 3):
        parser.error("a fault is a call, a number and an error")
    call, number, error = given.fault or ("", "0", "")
    fault = [Fault(call, int(number), error)] if call else []
    return [named[given.scene]] if given.scene else scenes.ALL, fault, bool(given.whole or given.scene)


def main():
    chosen, fault, whole = arguments()
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    lab, sweep, chance = Lab(), Sweep(), random.Random(seed)
    if not whole:
        print(f"the faults by chance are those of SEED={seed}", flush=True)
    try:
        for scene in chosen:
            trials = Trials(scene(lab))
            faults = fault or (trials.faults if whole else some(trials.faults, chance))
            print(f"{trials.scene.name()}: {len(faults)} of {len(trials.faults)} faults", flush=True)
            sweep.try_all(trials, faults)
    finally:
        lab.close()
    return 0 if sweep.report() else 1


if __name__ == "__main__":
    sys.exit(main())
