# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting, in the shell and in Python: for a condition, and with a word on what was seen last."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import patience
import pytest

PATIENCE_SH = Path(__file__).parents[1] / "patience.sh"


def shell(script, factor="1", folder="/"):
    environment = {**os.environ, "APIARY_PATIENCE": factor}
    done = subprocess.run(
        ["bash", "-euc", f". {PATIENCE_SH}; {script}"], env=environment, cwd=folder, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


def test_patience_is_multiplied(monkeypatch):
    assert shell("patience 30", factor="2.5") == (0, "75\n", "")
    monkeypatch.setattr(patience, "FACTOR", 2.5)
    assert patience.patience(30) == 75


def test_the_shell_waits_until_it_is_so(tmp_path):
    look = "look() { printf . >>looks; [ $(wc -c <looks) = 3 ]; }"
    assert shell(f"{look}; wait_for 60 'three looks' look", folder=tmp_path) == (0, "", "")


@pytest.mark.parametrize("status, limit", [(1, 0), (3, 600)])
def test_the_shell_says_what_it_saw_last(status, limit):
    look = f"look() {{ echo 'still empty'; return {status}; }}"
    said = f"waited for the list, at most {limit} s; the last look (look) gave: still empty\n"
    assert shell(f"{look}; wait_for {limit} 'the list' look; echo never") == (1, "", said)


def test_python_waits_until_it_is_so():
    looks = iter([None, [], "found"])
    assert patience.wait_for("it", lambda: next(looks)) == "found"


def test_python_says_what_it_saw_last():
    with pytest.raises(AssertionError, match=r"waited 0 s for the list; the last look gave: \[\]"):
        patience.wait_for("the list", lambda: [], seconds=0)
