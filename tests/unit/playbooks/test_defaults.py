# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that are said once for a play, by the collection's action groups."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest
import yaml

TOP = pathlib.Path(__file__).resolve().parents[3]
ANSIBLE_PLAYBOOK = pathlib.Path(sys.executable).with_name("ansible-playbook")
GROUPS = yaml.safe_load((TOP / "meta/runtime.yml").read_text())["action_groups"]


def test_every_module_is_in_the_group_of_all():
    assert GROUPS["all"] == sorted(path.stem for path in TOP.glob("plugins/modules/*.py"))


@pytest.mark.usefixtures("apiary")
@pytest.mark.parametrize("module", GROUPS["catalogue"])
def test_where_the_catalogue_is_can_be_said_once(tmp_path, module):
    at = str(tmp_path / "catalogue")
    own = {"bhyve_image": {"name": "demo-1", "store": str(tmp_path)}, "bhyve_catalog_mirror": {"path": str(tmp_path / "mirror")}}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {"group/apiary.bhyve.catalogue": {"repository": at, "signature_type": "none"}},
        "tasks": [{"apiary.bhyve." + module: own.get(module, {"store": str(tmp_path)})}],
    }
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    done = subprocess.run([ANSIBLE_PLAYBOOK, tmp_path / "play.yml"], check=False, capture_output=True, text=True)
    assert done.returncode == 2 and at in done.stdout and "unsupported" not in done.stdout.lower(), done.stdout + done.stderr


def test_filters_of_our_own_roles_are_no_interface():
    """What a user may build upon is said here; all others say that they are not that."""
    public = {"clock_table", "fleet_problems", "guest_definitions", "guest_interfaces", "listing", "size_in_bytes"}
    pages = {path.stem: yaml.safe_load(path.read_text())["DOCUMENTATION"] for path in TOP.glob("plugins/filter/*.yml")}
    ours = "for the roles and playbooks of this collection alone"
    assert public == {name for name, page in pages.items() if not any(ours in note for note in page.get("notes", ()))}
