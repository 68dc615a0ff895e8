# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sweep sees what is wrong: on programs that do the same job well, and badly in every way there is."""

from __future__ import annotations

import pytest

import trial
from scene import Scene
from strace import Fault, read

# Puts `new` into the file `it`, and says whether that was a change.
GOOD = """
cd "$0" || exit
grep -qsx new it && changed=false || changed=true
$changed || [ -n "$(ls -A | grep '^[.]')" ] || { echo '{"changed": false}'; exit; }
fail() { echo '{"changed": false, "failed": true}'; exit 1; }
rm -f .new || fail
echo new 2>/dev/null >.new || fail
mv .new it || fail
echo "{\\"changed\\": $changed}"
"""

# What a look that fails, and nothing else, brings to light.
FORGETFUL = "forgets what it cannot see"
BAD = {
    "writes in place": (trial.HALF_MADE, [("echo new 2>/dev/null >.new", "printf n 2>/dev/null >it && echo ew 2>/dev/null >>it"), ("mv .new it", ":")]),
    FORGETFUL: (trial.HALF_MADE, [("echo new 2", "{ { [ ! -e it ] || echo old; } && echo new; } 2")]),
    "sweeps nothing": (trial.LEFT_OVER, [(".new", ".new.$$"), ("|| [ -n \"$(ls -A | grep '^[.]')\" ] ", "")]),
    "stays locked": (trial.NOT_CONVERGED, [("rm -f .new", "set -C; 2>/dev/null >.lock"), ("mv .new it", "mv .new it; rm .lock")]),
    "does not look at errors": (trial.FALSE_SUCCESS, [(">.new || fail", ">.new")]),
    "says nothing": (trial.UNCLEAR, [('''echo '{"changed": false, "failed": true}'; ''', "")]),
    "shows its secret": (trial.SECRET_SHOWN, [("|| fail\nmv", "|| fail\nchmod 644 .new\nmv")]),
}


class Shell(Scene):
    """A shell script in place of a module."""

    program = "/bin/sh"
    script = GOOD
    secret = b"new"

    def lay_out(self):
        (self.result / "it").write_text("old\n")
        (self.result / "it").chmod(0o600)

    def words(self):
        return ["-c", f"umask 077; {self.script}", str(self.result)]


class Folder:
    """As much of a lab as that needs."""

    def __init__(self, folder):
        self.folder = folder

    def program(self, name):
        return name

    def environment(self, temporary, *_folders):
        return {"PATH": "/usr/bin:/bin", "TMPDIR": str(temporary), "LC_ALL": "C"}


def kinds_of_problems(folder, script, looks=False):
    shell = Shell(Folder(folder))
    shell.script, shell.looks = script, looks
    trials = trial.Trials(shell)
    found = [trials.trial(fault) for fault in trials.faults]
    assert sum(bool(hit) for hit, _ in found) > len(found) / 2
    return {problem.kind for _, problems in found for problem in problems}


def test_a_good_program_passes(tmp_path):
    assert kinds_of_problems(tmp_path, GOOD) == set()


@pytest.mark.parametrize("way", BAD)
def test_a_bad_one_is_seen(tmp_path, way):
    kind, changes = BAD[way]
    script = GOOD
    for old, new in changes:
        assert old in script
        script = script.replace(old, new)
    found = kinds_of_problems(tmp_path, script)
    if way == FORGETFUL:
        assert found == set()
        found = kinds_of_problems(tmp_path, script, looks=True)
    assert kind in found


def test_threads_count_by_themselves():
    record = """7 write(3, "a", 1) = 1
8 write(4, "b", 1 <unfinished ...>
7 openat(AT_FDCWD, "/x", O_RDONLY|O_CLOEXEC) = 5
8 <... write resumed>) = -1 EIO (Input/output error) (INJECTED)
7 write(1, "{}", 2) = 2
7 +++ killed by SIGKILL +++
"""
    calls, killed = read(record)
    assert killed
    assert [(call.name, call.number, call.writes, call.answers) for call in calls] == [
        ("write", 1, True, False), ("write", 1, True, False), ("openat", 1, False, False), ("write", 2, True, True)]
    assert calls[1].text.endswith("(INJECTED)")


def test_a_kill_is_no_answer():
    assert "signal=KILL:when=3" in Fault("fsync", 3, "KILL").options()[-1]
    assert "error=EIO:when=3" in Fault("fsync", 3, "EIO").options()[-1]
