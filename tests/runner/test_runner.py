# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner of the suites and `make green`, in a repository of their own with suites that pass and fail on purpose."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
# `steady` passes; `once` fails the first time it runs and passes the second; `broken` fails always.
SUITES = """
steady() { echo all is well; }
once() { [ -e tests/output/once ] || { mkdir -p tests/output; touch tests/output/once; echo the first time; return 1; }; }
broken() { echo no; return 1; }
release() { :; }
keep_for_others() { :; }
first=(FIRST)
lanes=("LANE" "steady")
by_name=(release)
"""


class Repository:
    """A tree with the real runner and suites of its own."""

    def __init__(self, folder):
        self.folder, self.cache = folder / "tree", folder / "cache"
        (self.folder / "tests/setup").mkdir(parents=True)
        for name in ["run.sh", "tests.mk", "setup/cache.sh", "setup/green.sh"]:
            shutil.copy(TESTS / name, self.folder / "tests" / name)
        (self.folder / "Makefile").write_text("SHELL := bash\ninclude tests/tests.mk\n")
        (self.folder / ".gitignore").write_text("/tests/output/\n")
        self.git("init", "--quiet")

    def git(self, *words):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *identity, *words], cwd=self.folder, check=True, capture_output=True)

    def suites(self, first="steady", lane="steady"):
        (self.folder / "tests/suites.sh").write_text(SUITES.replace("FIRST", first).replace("LANE", lane))
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "suites")

    def run(self, *words):
        environment = {**os.environ, "APIARY_CACHE": str(self.cache)}
        done = subprocess.run(words, cwd=self.folder, env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def test(self, *suites):
        return self.run("tests/run.sh", *suites)

    def green(self):
        return self.run("make", "--silent", "green")


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


def line(said, suite):
    """The outcomes that the report gives for a suite."""
    return re.findall(rf"^{suite} +\d+ s  (.*)$", said, re.MULTILINE)


def test_all_pass(repository):
    repository.suites(first="steady", lane="release")
    status, said = repository.test()
    assert (status, said.splitlines()[-1]) == (0, "3 passed, 0 failed")
    assert line(said, "steady") == ["passed", "passed"]


def test_a_suite_that_fails_beside_others_runs_once_more_alone(repository):
    repository.suites(lane="once")
    status, said = repository.test()
    assert (status, said.splitlines()[-1]) == (0, "3 passed, 0 failed; only when run again alone: once")
    assert line(said, "once") == ["failed beside others", "passed alone; what it said before: tests/output/once.log"]
    assert "the first time" in (repository.folder / "tests/output/once.log").read_text()


def test_a_suite_that_fails_twice_has_failed(repository):
    repository.suites(lane="broken once")
    status, said = repository.test()
    assert (status, said.splitlines()[-1]) == (1, "3 passed, 1 failed; only when run again alone: once")
    assert line(said, "broken") == ["failed beside others", "FAILED"]
    assert said.count("\nno\n") == 2


def test_what_ran_alone_is_not_tried_again(repository):
    repository.suites(first="once broken")
    status, said = repository.test()
    assert (status, line(said, "once"), line(said, "broken")) == (1, ["FAILED"], ["FAILED"])
    assert said.splitlines()[-1] == "2 passed, 2 failed"
    assert repository.test("broken", "steady")[1].splitlines()[-1] == "1 passed, 1 failed"


def test_a_suite_nobody_knows_is_refused(repository):
    repository.suites()
    status, said = repository.test("stedy")
    assert status == 2 and said.startswith("no suite 'stedy'; there are: steady")


def test_the_report_says_when_a_suite_by_name_passed_last(repository):
    repository.suites()
    assert "release           -    not run; has not passed on this machine yet" in repository.test()[1]
    repository.test("release")
    assert re.search(r"release +-    not run; passed last on 20\S+ at [0-9a-f]{7}$", repository.test()[1], re.MULTILINE)


def test_green_is_the_commit_that_passed_as_a_whole(repository):
    repository.suites(lane="once")
    assert repository.green()[1].startswith("not green: no commit before ")
    repository.test("steady")
    assert repository.green()[0] != 0, "some suites are not all"
    repository.test()
    status, said = repository.green()
    assert status == 0 and re.match(r"green: [0-9a-f]{7} passed as a whole on \S+ in \d+ s; only when run again alone: once$", said)


def test_what_changed_since_is_shown(repository):
    repository.suites()
    repository.test()
    repository.suites(lane="broken")
    assert repository.test()[0] == 1
    status, said = repository.green()
    assert status != 0 and "not green: the last that passed as a whole is " in said and "tests/suites.sh | " in said


def test_nothing_is_remembered_of_a_tree_with_changes(repository):
    repository.suites()
    (repository.folder / "new").write_text("not committed")
    status, said = repository.test()
    assert status == 0 and "not remembered for 'make green'" in said
    (repository.folder / "new").unlink()
    assert repository.green()[0] != 0
