# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that keeps a program, run by many at the same moment."""

from __future__ import annotations

import hashlib
import subprocess
import types

from ansible_collections.apiary.bhyve.plugins.plugin_utils import _exchange as exchange

ROUNDS, AT_ONCE = 30, 8
ANSWER = b"apiary.bhyve:run Linux x86_64\nkept"


def test_those_who_keep_a_program_at_once_do_not_harm_each_other(tmp_path):
    contents = b"#!/bin/sh\ncat\n" + b"#" * 100_000
    sha256 = hashlib.sha256(contents).hexdigest()
    program = types.SimpleNamespace(
        uname="Linux x86_64", kind="apiary", kept_name="apiary-" + sha256, sha256=sha256, size=len(contents)
    )
    (tmp_path / "input").write_bytes(exchange.stdin({}, b"kept", contents))
    script = exchange.keep_and_run(program, {})
    for number in range(ROUNDS):
        home = tmp_path / str(number)
        home.mkdir()
        assert [answer for answer in _at_once(script, home, tmp_path / "input") if answer != (ANSWER, b"")] == []
        assert [each.name for each in (home / ".cache/apiary.bhyve").iterdir()] == [program.kept_name]


def _at_once(script, home, given):
    started = []
    for _each in range(AT_ONCE):
        with given.open("rb") as stdin:
            pipes = {"stdin": stdin, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            started.append(subprocess.Popen(["sh", "-c", script], env={"HOME": str(home), "PATH": "/usr/bin:/bin"}, **pipes))
    return [each.communicate() for each in started]
