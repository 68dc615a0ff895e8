# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tests/setup/cache.sh: what is made once a machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

CACHE_SH = Path(__file__).parents[1] / "setup/cache.sh"
# Leaves a file in the folder it is given, and a letter in a log for each time it is called.
MAKER = "#!/bin/sh\nset -e\nprintf m >>%s/log\n[ -z \"$FAIL\" ] || { touch \"$1/half\"; exit 1; }\nls -A \"$1\"\ntouch \"$1/whole\"\n"


@pytest.fixture
def machine(tmp_path):
    maker = tmp_path / "maker"
    maker.write_text(MAKER % tmp_path)
    maker.chmod(0o755)
    return tmp_path


def start(machine, key="key", **variables):
    script = f'set -eu; . {CACHE_SH}; folder=$(cached kind {key} "$0"); echo "$folder"'
    environment = {**os.environ, "APIARY_CACHE": str(machine / "cache"), "FAIL": "", **variables}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(["sh", "-c", script, machine / "maker"], env=environment, **pipes)


def cached(machine, key="key", **variables):
    process = start(machine, key, **variables)
    stdout, stderr = process.communicate()
    return process.returncode, stdout.strip(), stderr


def times_made(machine):
    return len((machine / "log").read_text())


def test_made_once(machine):
    folder = str(machine / "cache/kind/key")
    assert cached(machine) == (0, folder, "")
    assert cached(machine) == (0, folder, "")
    assert times_made(machine) == 1 and (machine / "cache/kind/key/whole").exists()
    assert cached(machine, "other")[1] == str(machine / "cache/kind/other")
    assert times_made(machine) == 2


def test_what_was_not_finished_is_made_again_from_nothing(machine):
    status, said, _ = cached(machine, FAIL="yes")
    assert (status != 0, said) == (True, "")
    status, _, stderr = cached(machine)
    assert (status, stderr) == (0, ""), "the maker was given a folder with something in it"
    assert not (machine / "cache/kind/key/half").exists()


def test_many_who_ask_at_once_get_one(machine):
    processes = [start(machine) for _each in range(8)]
    assert {process.communicate()[0] for process in processes} == {f"{machine}/cache/kind/key\n"}
    assert times_made(machine) == 1


def test_what_nobody_has_used_for_a_month_goes(machine):
    for key in ["old", "young"]:
        cached(machine, key)
    os.utime(machine / "cache/kind/old.used", (0, 0))
    cached(machine, "new")
    assert sorted(path.name for path in (machine / "cache/kind").iterdir()) == ["new", "new.used", "young", "young.used"]
