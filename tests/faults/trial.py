# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One fault in one scene, and what is wrong after it, after a second run, and after a third."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil

import strace
from scene import HIDDEN

# Words of a program that has lost its way.
LOST = re.compile(r"internal error|panicked|\.rs:\d")

HALF_MADE, LEFT_OVER, NOT_CONVERGED = "half-made", "left over", "not converged"
FALSE_SUCCESS, UNCLEAR, SECRET_SHOWN = "false success", "unclear answer", "secret shown"
KINDS = (HALF_MADE, LEFT_OVER, NOT_CONVERGED, FALSE_SUCCESS, UNCLEAR, SECRET_SHOWN)


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something that must not be."""

    kind: str
    text: str


class Trials:
    """The trials of one scene, after a run without faults that shows what is wanted, and which calls it takes."""

    def __init__(self, scene):
        self.scene = scene
        self.lay_out()
        self.before = scene.look()
        first = self.run()
        self.wanted = scene.look()
        self.known = self.before.keys() | self.wanted.keys()
        self.faults = first.faults(scene.looks)
        second = self.run()
        said = f"{scene.name()}, without any fault: {first.stdout}{first.stderr}{second.stdout}{second.stderr}"
        assert (first.status, second.status, changed(second)) == (0, 0, False), said
        assert self.before != self.wanted == scene.look() and self.faults, said

    def lay_out(self):
        """Puts everything back."""
        shutil.rmtree(self.scene.here, ignore_errors=True)
        for folder in (self.scene.result, self.scene.temporary):
            folder.mkdir(parents=True)
        self.scene.lay_out()

    def run(self, fault=None):
        """One run, with a fault or without."""
        lab = self.scene.lab
        words = [lab.program(self.scene.program), *self.scene.words()]
        environment = lab.environment(self.scene.temporary, *self.scene.tools)
        return strace.run(words, self.scene.stdin(), environment, lab.folder / "record", fault)

    def trial(self, fault):
        """The calls that met the fault, and all that is wrong because of it."""
        self.lay_out()
        run = self.run(fault)
        if not run.hit:
            return [], []
        found = self.scene.look()
        problems = [*self.answered(run, fault, found), *self.half_made(found), *self.shown(), *self.mended()]
        return run.hit, problems

    def answered(self, run, fault, found):
        """What is wrong with what a run has said."""
        if LOST.search(run.stdout + run.stderr):
            yield Problem(UNCLEAR, f"it said {run.stdout}{run.stderr}")
        elif run.status == 0:
            claimed = self.scene.claims(run)
            for path in sorted(self.known) if claimed is None else claimed:
                if found.get(path) != self.wanted.get(path):
                    yield Problem(FALSE_SUCCESS, f"it said that all went well, but {path} is {found.get(path)}, not {self.wanted.get(path)}")
        elif fault.error != "KILL" and not any(call.answers for call in run.hit) and not self.scene.admits(run):
            yield Problem(UNCLEAR, f"it ended with status {run.status} and said {run.stdout!r}{run.stderr!r}")

    def half_made(self, found):
        """What is neither as before nor as wanted, and what names something that is not there."""
        for path in sorted(self.known):
            sound = (self.before.get(path), self.wanted.get(path))
            if found.get(path) not in sound:
                yield Problem(HALF_MADE, f"{path} is {found.get(path)}; before it was {sound[0]}, and wanted is {sound[1]}")
        for path in sorted(found.keys() - self.known):
            if not HIDDEN.search(path):
                yield Problem(HALF_MADE, f"{path} is {found[path]}, under a name that somebody may take for the thing itself")
        for path, needed in self.scene.promises.items():
            if found.get(path) == self.wanted.get(path) != self.before.get(path):
                missing = [need for need in needed if found.get(need) != self.wanted.get(need)]
                yield from (Problem(HALF_MADE, f"{path} is as wanted, but {need} is {found.get(need)}") for need in missing)

    def shown(self):
        """Secrets that others than their owner can read."""
        return [Problem(SECRET_SHOWN, f"{path} can be read by others") for path in self.scene.shown_secrets()]

    def mended(self):
        """What is wrong after the same run without a fault, and after one more."""
        second = self.run()
        if second.status != 0:
            return [Problem(NOT_CONVERGED, f"the second run said {second.stdout}{second.stderr}")]
        found = self.scene.look()
        differ = [path for path in sorted(self.known) if found.get(path) != self.wanted.get(path)]
        problems = [
            *(Problem(NOT_CONVERGED, f"after the second run {path} is {found.get(path)}, not {self.wanted.get(path)}") for path in differ),
            *(Problem(LEFT_OVER, f"{path} is still there after the second run") for path in sorted(found.keys() - self.known)),
        ]
        third = self.run()
        if third.status != 0 or changed(third):
            problems.append(Problem(NOT_CONVERGED, f"the third run said {third.stdout}{third.stderr}"))
        return problems


def changed(run):
    """Whether a run says that it has changed something. Those whose answer is no JSON do not say."""
    try:
        return json.loads(run.stdout)["changed"]
    except ValueError:
        return False
