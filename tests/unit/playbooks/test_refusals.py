# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks refuse before any host is touched, and whom they leave alone."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest
import yaml
from ansible_collections.apiary.bhyve.plugins.modules import bhyve_catalog

ANSIBLE_PLAYBOOK = pathlib.Path(sys.executable).with_name("ansible-playbook")
GUEST = {"image": "demo-1", "vcpus": 1, "memory": "1G"}


@pytest.fixture
def play(tmp_path):
    def run(playbook, inventory, *words):
        (tmp_path / "hosts.json").write_text(json.dumps(inventory))
        command = [ANSIBLE_PLAYBOOK, "-i", str(tmp_path / "hosts.json"), "-c", "local", "apiary.bhyve." + playbook, *words]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return run


def test_a_key_that_says_nothing_of_an_image_is_not_published(play):
    image = {"name": "demo-1", "version": "1", "source": "/dev/null", "requirments": {"memory": "1G"}}
    inventory = {"bhyve_repository": {"hosts": {"repo": {"bhyve_images": [image]}}}}
    code, said = play("publish", inventory)
    assert code == 2 and "publishing demo-1: unknown requirments in bhyve_images, expected some of name, version" in said


@pytest.mark.parametrize("playbook", ["publish", "repository"])
def test_only_hosts_of_the_group_serve_images(play, playbook):
    code, said = play(playbook, {"all": {"hosts": {"web1": {}}}})
    assert code == 0 and "no hosts matched" in said


def test_a_guest_that_nobody_has_is_not_removed(play):
    # libvirt's own driver for tests has a domain, but none of ours.
    hosts = {"hv1": {"bhyve_guests": {"web1": GUEST}, "guest_uri": "test:///default"}, "hv2": {"guest_uri": "test:///default"}}
    guests = {"hosts": {"web1": {}}}
    code, said = play("remove", {"all": {"hosts": hosts}, "bhyve_guests": guests}, "-e", '{"bhyve_remove": "web1, web9"}')
    assert code == 2 and "expected names of guests of these hosts, found web9; they have: web1" in said
    assert "ok: [web1" not in said and "web1 :" not in said


def test_a_guest_that_nobody_has_is_not_deployed(play):
    hosts = {"hv1": {"bhyve_guests": {"web1": GUEST}}, "hv2": {"bhyve_guests": {"web2": GUEST}}}
    code, said = play("deploy", {"all": {"hosts": hosts}}, "-e", "guest_names=web2,wbe1")
    assert code == 2 and "found wbe1; they have: web1, web2" in said and "Fetch" not in said


def test_publish_hands_on_every_option_of_an_image():
    playbook = pathlib.Path(__file__).resolve().parents[3] / "playbooks/publish.yml"
    refuse, _key, publish = yaml.safe_load(playbook.read_text())[0]["tasks"]
    keys = refuse["vars"]["bhyve_image_keys"]
    of_catalogue = {"path", "state", "keep", "keep_days", "lock_timeout", "signing_key", "signing_command", "signature_type", "pubkey"}
    assert set(keys) == set(yaml.safe_load(bhyve_catalog.DOCUMENTATION)["options"]) - of_catalogue
    handed_on = publish["apiary.bhyve.bhyve_catalog"]
    assert all("bhyve_image_item." + key in handed_on[key] for key in keys)
