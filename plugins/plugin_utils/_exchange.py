# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words spoken with a target: one line of POSIX shell there, a marked answer back.

The shell stands in the files of `_scripts`. They hold no single quote, and no exclamation mark but before a blank or =, and become one
line, because the login shell that hands them to /bin/sh may be csh or fish. Values come before them as variables. Arguments and
environment travel on stdin, never on a command line.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import re
import shlex

# An answer starts with this word on a line of its own; whatever a login script prints before it is dropped.
MARK = "apiary.bhyve:"

# A kept program carries this time stamp. With owner, mode and size it tells an untouched file from a damaged one
# without reading it; noon, because the day is then the same whatever the clock's zone.
_STAMP, _STAMP_SHOWN = "200001151200", "Jan 15 2000"

_SCRIPTS = os.path.join(os.path.dirname(__file__), "_scripts")

# What a line ends with that the next one goes on with.
_OPEN = re.compile(r"([({&|]|;;|\b(do|then|else|in))$")


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the target said: `word` (run, busy, miss, none, nowhere, ...), its `detail`, and what followed."""

    word: str
    detail: str
    stdout: str
    stderr: str
    rc: int

    @classmethod
    def of(cls, result):
        """Reads a low-level command's result; a target that did not get as far as our mark has no word."""
        before, mark, after = ("\n" + result["stdout"].replace("\r\n", "\n")).partition("\n" + MARK)
        line, _newline, rest = after.partition("\n")
        word, _space, detail = line.partition(" ")
        return cls(word, detail.strip(), rest if mark else before, result.get("stderr", ""), result["rc"])

    @property
    def damaged(self):
        """The kept program was not what had been sent; it is gone now."""
        return self.stdout.endswith("\n" + MARK + "damaged\n")

    def reply(self):
        """The program's one JSON object, or None."""
        try:
            reply = json.loads(self.stdout)
        except ValueError:
            return None
        return reply if isinstance(reply, dict) else None


def run_kept(programs, environment, job=None):
    """Runs the program kept for the target's platform; answers `miss UNAME`, or `none UNAME` if none was built."""
    table = ("%s %s %d %s" % (uname, each.kept_name, each.size, each.sha256) for uname, each in programs.items())
    values = dict(table=" ".join(table), stamp=_STAMP_SHOWN, arguments="")
    return line(["common", "find", *_running(environment, job)], job, **values)


def stream_kept(programs, environment):
    """Runs the kept program at one end of a stream: see `_pipe`. The arguments are the line after the environment's."""
    table = ("%s %s %d %s" % (uname, each.kept_name, each.size, each.sha256) for uname, each in programs.items())
    before = ["environment"] if environment else []
    return line(["common", "find", *before, "stream", "end"], table=" ".join(table), stamp=_STAMP_SHOWN)


def keep_and_run(program, environment, job=None):
    """Keeps the program that follows the arguments on stdin, then runs it."""
    values = dict(platform=program.uname, file=program.kept_name, kind=program.kind, sum=program.sha256, size=program.size, stamp=_STAMP)
    before = ["common", *(["environment"] if environment else []), "keep"]
    return line([*before, *_running({}, job)], job, **values)


def _running(environment, job):
    return [*(["environment"] if environment else []), "job" if job else "run", "end"]


def stdin(environment, args, program=b""):
    """What the scripts read: the environment, if any; the arguments; the program, if it has to be kept."""
    line = b""
    if environment:
        # A value may hold line ends; the line must not.
        words = (shlex.quote(str(value)).replace("\n", "'\"$n\"'") for value in environment.values())
        line = ("export " + " ".join(map("%s=%s".__mod__, zip(environment, words))) + "\n").encode()
    return line + args + b"\n" + program


def line(names, job=None, **values):
    """Scripts as one line, after the values and those of the job as variables."""
    values = dict(values, mark=MARK, **(job.values() if job else {}))
    # They are our own, and hold nothing that is special between double quotes.
    variables = ['%s="%s";' % each for each in values.items()]
    # Ansible may put a command of its own after it.
    return " ".join(variables + [_script(name) for name in names]).removesuffix(";")


@functools.lru_cache(maxsize=None)
def _script(name):
    """A script as one line: a line of it ends a command, unless it stands open."""
    with open(os.path.join(_SCRIPTS, name + ".sh"), encoding="utf-8") as file:
        lines = [text for text in map(str.strip, file) if text and not text.startswith("#")]
    return " ".join(text if _OPEN.search(text) else text + ";" for text in lines)
