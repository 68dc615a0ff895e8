# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks publish and images refuse before anything is published, what they hand on, and that a second run changes nothing."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys

import pytest
import yaml
from ansible_collections.apiary.bhyve.plugins.modules import bhyve_catalog
from ansible_collections.apiary.bhyve.plugins.plugin_utils import _images

ANSIBLE_PLAYBOOK = pathlib.Path(sys.executable).with_name("ansible-playbook")
CATALOGUE = {"bhyve_catalog_path": "/nowhere", "bhyve_catalog_signing_key": "/nowhere/key"}
PLAYBOOKS = pathlib.Path(__file__).resolve().parents[3] / "playbooks"


def play(tmp_path, inventory, playbook="images"):
    (tmp_path / "hosts.json").write_text(json.dumps(inventory))
    command = [ANSIBLE_PLAYBOOK, "-i", str(tmp_path / "hosts.json"), "-c", "local", "apiary.bhyve." + playbook]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize(("images", "said"), [
    ([{"name": "demo"}], "bhyve_images is no dictionary of images: a list of them is for the playbook apiary.bhyve.publish"),
    ({"demo-1": {"source": "/x", "requirments": {}}}, "image demo-1 in bhyve_images: unknown key 'requirments'; did you mean 'requirements'?"),
    ({"demo-1": {}}, "image demo-1 in bhyve_images: it has no source"),
    ({"demo-1": None}, "image demo-1 in bhyve_images: it has no source"),
    ({"demo": {"source": "/x"}}, "image demo in bhyve_images: it has no version, neither by that key nor at the end of its name"),
    ({"a-1": {"source": "/x", "name": "demo"}}, "image a-1 in bhyve_images: it has no version"),
    ({"demo-1": {"source": "/x", "keep": 1}, "demo-2": {"source": "/x", "keep": 2}},
     "image demo-2 in bhyve_images: it has another keep or keep_days than demo-1, which is an image of the same name: say the same in both"),
])
def test_what_is_no_image_is_refused(tmp_path, images, said):
    code, output = play(tmp_path, {"bhyve_repository": {"hosts": {"repo": {"bhyve_images": images, **CATALOGUE}}}})
    assert code == 2 and said in output, output


@pytest.mark.parametrize(("images", "said"), [
    ([{"name": "demo", "version": "1", "source": "/x", "checksum": "x"}],
     "image demo in bhyve_images: unknown key 'checksum'; did you mean 'source_checksum'?"),
    ([{"version": "1", "source": "/x"}], "image number 1 in bhyve_images: it has no name"),
    ([{"name": "demo-1", "source": "/x"}], "image demo-1 in bhyve_images: it has no version"),
    ([{"name": "demo", "version": "1", "keep": 1}], "image demo in bhyve_images: unknown key 'keep', expected some of name, version, source"),
    ("demo", "expected bhyve_images to be a dictionary of images, or a list of them, found text"),
    (["demo"], "image number 1 in bhyve_images: expected a dictionary, found 'demo'"),
])
def test_what_is_not_in_the_words_of_the_module_is_refused(tmp_path, images, said):
    code, output = play(tmp_path, {"bhyve_repository": {"hosts": {"repo": {"bhyve_images": images, **CATALOGUE}}}}, "publish")
    assert code == 2 and said in output, output


def test_only_hosts_of_the_group_are_meant(tmp_path):
    code, said = play(tmp_path, {"all": {"hosts": {"web1": {}}}})
    assert code > 0 and "expected hosts in the group bhyve_repository of the inventory, found none" in said


def test_every_option_is_handed_on():
    *_, publish = yaml.safe_load((PLAYBOOKS / "tasks/publish.yml").read_text())
    *_, prune = yaml.safe_load((PLAYBOOKS / "images.yml").read_text())[0]["tasks"]
    documented = set(yaml.safe_load(bhyve_catalog.DOCUMENTATION)["options"])
    of_pruning = {"keep", "keep_days", "keep_images"}
    handed_on = publish["apiary.bhyve.bhyve_catalog"]
    assert set(handed_on) == documented - of_pruning
    for option, value in handed_on.items():
        assert option in _images.OF_CATALOGUE or "bhyve_image." + option in value.replace("bhyve_image_item.options", "bhyve_image")
    assert set(prune["apiary.bhyve.bhyve_catalog"]) == {*_images.OF_CATALOGUE, *of_pruning, "name"}
    assert all(prune["apiary.bhyve.bhyve_catalog"][option] == handed_on[option] for option in set(_images.OF_CATALOGUE) - {"state", "keep_images"})


@pytest.mark.usefixtures("apiary")
def test_what_the_dictionary_names_stays_and_a_second_run_changes_nothing(tmp_path):
    (tmp_path / "disk.raw").write_bytes(b"disk" * 1024)
    catalogue = tmp_path / "catalogue"

    def run(told):
        images = {name: {"source": str(tmp_path / "disk.raw"), **more} for name, more in told.items()}
        host = {
            "bhyve_images": images, "bhyve_catalog_path": str(catalogue), "bhyve_catalog_signing_key": str(tmp_path / "key"),
            "bhyve_catalog_make_key": True, "bhyve_catalog_lock_timeout": 60,
        }
        code, output = play(tmp_path, {"bhyve_repository": {"hosts": {"repo": host}}})
        assert code == 0, output
        return int(re.search(r"changed=(\d+)", output)[1]), sorted(path.stem for path in (catalogue / "All").iterdir())

    two = {"demo-1": {"keep": 1}, "demo-2": {"keep": 1, "labels": {"team": "web"}}}
    assert run(two) == (2, ["demo-1", "demo-2"])
    assert run(two) == (0, ["demo-1", "demo-2"])
    # Back to an older one: it would be published and withdrawn with every run.
    assert run({"demo-1": {"keep": 1}}) == (0, ["demo-1", "demo-2"])
    assert run({"demo-3": {"keep": 1}}) == (2, ["demo-3"])
