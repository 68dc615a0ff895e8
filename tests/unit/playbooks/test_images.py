# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook images refuses before anything is published, and that it knows every option of an image."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest
import yaml
from ansible_collections.apiary.bhyve.plugins.modules import bhyve_catalog

ANSIBLE_PLAYBOOK = pathlib.Path(sys.executable).with_name("ansible-playbook")
PLAYBOOK = pathlib.Path(__file__).resolve().parents[3] / "playbooks/images.yml"
# What the dictionary calls otherwise than the module.
CALLED = {"source_checksum": "checksum", "source_signature": "signature", "source_keyring": "keyring", "annotations": "labels"}


def play(tmp_path, inventory):
    (tmp_path / "hosts.json").write_text(json.dumps(inventory))
    command = [ANSIBLE_PLAYBOOK, "-i", str(tmp_path / "hosts.json"), "-c", "local", "apiary.bhyve.images"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize(("images", "said"), [
    ([{"name": "demo"}], "bhyve_images is no dictionary of images: a list of them is for the playbook apiary.bhyve.publish"),
    ({"demo-1": {"source": "/x", "requirments": {}}}, "image demo-1 in bhyve_images: unknown requirments, expected some of name, version, source"),
    ({"demo-1": {}}, "image demo-1 in bhyve_images: it has no source"),
    ({"demo-1": None}, "image demo-1 in bhyve_images: it has no source"),
    ({"demo": {"source": "/x"}}, "image demo in bhyve_images: it has no version, neither by that key nor at the end of its name"),
    ({"a-1": {"source": "/x", "name": "demo"}}, "image a-1 in bhyve_images: it has no version"),
])
def test_what_is_no_image_is_refused(tmp_path, images, said):
    code, output = play(tmp_path, {"bhyve_repository": {"hosts": {"repo": {"bhyve_images": images}}}})
    assert code == 2 and said in output, output


def test_only_hosts_of_the_group_are_meant(tmp_path):
    code, said = play(tmp_path, {"all": {"hosts": {"web1": {}}}})
    assert code > 0 and "expected hosts in the group bhyve_repository of the inventory, found none" in said


def test_every_option_of_an_image_is_handed_on():
    (site,) = yaml.safe_load(PLAYBOOK.read_text())
    *_, publish, prune = site["tasks"]
    of_catalogue = {"path", "state", "lock_timeout", "signing_key", "signing_command", "signature_type", "pubkey"}
    options = set(yaml.safe_load(bhyve_catalog.DOCUMENTATION)["options"]) - of_catalogue
    assert set(site["vars"]["bhyve_image_keys"]) == {CALLED.get(option, option) for option in options}
    handed_on = {**prune["apiary.bhyve.bhyve_catalog"], **publish["apiary.bhyve.bhyve_catalog"]}
    told = {option: str(value).replace("bhyve_image_item.value", "bhyve_image") for option, value in handed_on.items()}
    assert all("bhyve_image." + CALLED.get(option, option) in told[option] for option in options - {"name"})
