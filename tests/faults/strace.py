# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs under strace(1): which calls they make, and one of these calls made to fail."""

from __future__ import annotations

import collections
import dataclasses
import re
import subprocess

from patience import patience

# KILL takes the whole program away before the call; the others are what the call answers instead of being made.
ERRORS = ("EIO", "ENOSPC", "EINTR", "KILL")

# Calls of the writing kind, by every name that some architecture has for them. Opening is one of them where it is for writing.
WRITING = (
    "chmod", "chown", "copy_file_range", "creat", "fallocate", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchownat",
    "fdatasync", "flock", "fremovexattr", "fsetxattr", "fsync", "ftruncate", "lchown", "link", "linkat", "lremovexattr",
    "lsetxattr", "mkdir", "mkdirat", "mknod", "mknodat", "open", "openat", "pwrite64", "pwritev", "pwritev2", "removexattr",
    "rename", "renameat", "renameat2", "rmdir", "sendfile", "sendmsg", "sendto", "setxattr", "splice", "symlink", "symlinkat",
    "sync", "sync_file_range", "syncfs", "truncate", "unlink", "unlinkat", "utime", "utimensat", "utimes", "write", "writev",
)
# Calls that look. They fail with EIO only: no run may take what it could not look at for something that is not there.
LOOKING = (
    "access", "faccessat", "faccessat2", "fgetxattr", "fstat", "fstatfs", "getdents64", "getxattr", "lgetxattr", "lseek", "lstat",
    "newfstatat", "pread64", "read", "readlink", "readlinkat", "stat", "statfs", "statx",
)
# What a program of Rust calls first: whatever comes before has loaded it.
STARTING = ("poll", "ppoll")

# A call during which another thread makes one has two lines.
LINE = re.compile(r"(?P<task>\d+) +(?:(?P<call>\w+)\((?P<begun>.*)|<\.\.\. \w+ resumed>(?P<ended>.*)|\+\+\+ killed by (?P<signal>\w+))")


@dataclasses.dataclass(frozen=True, order=True)
class Fault:
    """The call of this name and number, counted from 1, and what becomes of it.

    Every thread counts by itself, so that the number is that of the same call in every run, however threads take turns. It
    means each thread's own call: where two get so far, both meet the fault.
    """

    call: str
    number: int
    error: str

    def __str__(self):
        return f"{self.call} {self.number} {self.error}"

    def options(self):
        """What strace has to be told."""
        kind = "signal=KILL" if self.error == "KILL" else f"error={self.error}"
        return ["-e", f"trace={self.call}", "-e", f"inject={self.call}:{kind}:when={self.number}"]


@dataclasses.dataclass
class Call:
    """One call in strace's record."""

    name: str
    number: int
    text: str

    @property
    def writes(self):
        """Whether it is of the writing kind; only some files are opened to be written."""
        if self.name in ("open", "openat"):
            return bool(re.search("O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", self.text))
        return self.name in WRITING

    @property
    def answers(self):
        """Whether it writes the reply."""
        return self.name in ("write", "writev") and self.text.startswith("1, ")


@dataclasses.dataclass(frozen=True)
class Run:
    """How a program has ended, what it said, and what strace saw."""

    status: int
    stdout: str
    stderr: str
    calls: list[Call]
    hit: list[Call]

    def faults(self, looks):
        """Every fault that a run like this one can meet; looks fail only where that is wanted."""
        start = next((place for place, call in enumerate(self.calls) if call.name in STARTING), 0)
        # A fault of such a call keeps the program from being loaded.
        loading = {(call.name, call.number) for call in self.calls[:start]}
        own = [call for call in self.calls[start:] if (call.name, call.number) not in loading and call.name not in STARTING]
        writing = {Fault(call.name, call.number, error) for call in own if call.writes for error in ERRORS}
        looking = {Fault(call.name, call.number, "EIO") for call in own if looks and not call.writes}
        return sorted(writing | looking)


def run(words, stdin, environment, record, fault=None):
    """Runs a program under strace, which writes its record to a file. What the program itself starts is let go."""
    what = fault.options() if fault else ["-e", "trace=" + ",".join("?" + call for call in (*WRITING, *LOOKING, *STARTING))]
    strace = ["strace", "--follow-forks", "--detach-on=execve", "--quiet=attach,exit", "-s", "64", "-o", record, *what, "--", *words]
    done = subprocess.run(strace, input=stdin, env=environment, capture_output=True, text=True, timeout=patience(120))
    calls, killed = read(record.read_text(errors="replace"))
    hit = [call for call in calls if (killed and call.number == fault.number) or call.text.endswith("(INJECTED)")]
    return Run(done.returncode, done.stdout, done.stderr, calls, hit)


def read(record):
    """The calls in a record, and whether they ended with a kill."""
    calls, last, made, killed = [], {}, collections.Counter(), False
    for line in filter(None, map(LINE.match, record.splitlines())):
        task = line["task"]
        if line["call"]:
            made[task, line["call"]] += 1
            last[task] = Call(line["call"], made[task, line["call"]], line["begun"])
            calls.append(last[task])
        elif line["signal"]:
            killed = killed or line["signal"] == "SIGKILL"
        elif task in last:
            last[task].text += line["ended"]
    return calls, killed
