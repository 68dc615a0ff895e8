# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Twenty guests defined and started by one play, through the collection's action plugin."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess

from patience import patience

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]


def play(lab, tmp_path, *words):
    """Runs the play; returns what its recap counts."""
    collections = tmp_path / "ansible_collections/apiary"
    collections.mkdir(parents=True, exist_ok=True)
    link = collections / "bhyve"
    if not link.exists():
        link.symlink_to(TOP)
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", str(HERE / "guests.yml"), "-e", f"lab_uri={lab.uri}",
         "-e", f"lab_folder={lab.folder}", "-e", json.dumps({"lab_up": {**lab.up, "timeout": patience(120)}}), *words],
        capture_output=True, text=True, env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = dict(re.findall(r"(\w+)=(\d+)", done.stdout.split("PLAY RECAP")[1]))
    return counts["changed"], done.stdout.count("\nchanged: ")


def test_twenty_guests_by_one_play(lab, tmp_path):
    for number in range(20):
        # Copies of a disk that is all holes.
        shutil.copy(lab.disk, lab.folder / f"guest{number}.raw")
    assert play(lab, tmp_path, "--check") == ("1", 20)
    assert lab.names() == []
    assert play(lab, tmp_path) == ("1", 20)
    assert len(lab.virsh("list", "--name").split()) == 20
    assert play(lab, tmp_path, "--check", "--diff") == ("0", 0)
