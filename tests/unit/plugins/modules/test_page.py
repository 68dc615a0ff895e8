# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people copy from the page of a catalogue is what the role `guest` takes: a guest of each image, and what a host must have."""

from __future__ import annotations

import html
import json
import re
import subprocess

import pytest
import yaml
from ansible_collections.apiary.bhyve.plugins.plugin_utils import _deployment, _schema
from ansible_collections.apiary.bhyve.plugins.plugin_utils._guest import guest_faults, role_templates, unread_keys
from ansible_collections.apiary.bhyve.plugins.plugin_utils._size import size_in_bytes

# Every loader that the role knows, and one that it does not, with every kind of disk.
LOADERS = [None, *_deployment.BHYVE_TEMPLATES, "bios"]
DRIVERS = [None, "virtio-blk", "nvme", "ahci-hd", "sata", "ide"]
MEMORY = [None, "1M", "512M", "1000000000", "3G"]


class Catalogue:
    """A catalogue of the program's own."""

    def __init__(self, apiary, folder):
        self.programs, self.folder = apiary.parent, folder
        (folder / "disk.raw").write_bytes(b"\1" * 65536)
        self._run("bhyve_catalog_key", path="key", type="eddsa")

    def _run(self, program, path, **options):
        told = json.dumps({"path": str(self.folder / path), **options})
        done = subprocess.run([self.programs / program, "-"], input=told.encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stdout

    def publish(self, path, name, needs, signature_type="pubkey"):
        key = {} if signature_type == "none" else {"signing_key": str(self.folder / "key")}
        self._run("bhyve_catalog", path, name=name, version="1", source=str(self.folder / "disk.raw"), format="raw", os="freebsd",
                  requirements={what: value for what, value in needs.items() if value}, signature_type=signature_type, **key)

    def codes(self, path):
        """What there is to copy: for hosts, then of each image."""
        page = (self.folder / path / "index.html").read_text(encoding="utf-8")
        plain = [html.unescape(re.sub("<[^>]+>", "", code)) for code in re.findall("<pre><code>(.*?)</code></pre>", page, re.S)]
        return [yaml.safe_load(code) for code in plain]


@pytest.fixture(scope="module")
def catalogue(apiary, tmp_path_factory):
    return Catalogue(apiary, tmp_path_factory.mktemp("page"))


def test_a_guest_of_each_image_is_one_that_the_role_deploys(catalogue):
    images = {}
    for number in range(max(len(LOADERS), len(DRIVERS), len(MEMORY)) * 2):
        needs = {what: some[number % len(some)] for what, some in (("loader", LOADERS), ("disk_driver", DRIVERS), ("memory", MEMORY))}
        # The second half is called as if its names were dates.
        name = "image-%d" % number if number % 2 else "2024-%02d" % number
        images[name + "-1"] = needs
        catalogue.publish("all", name, needs)
    _hosts, *guests = catalogue.codes("all")
    assert {guest["web1"]["image"] for guest in guests} == set(images)
    for guest in (guest["web1"] for guest in guests):
        needs = images[guest["image"]]
        assert list(guest_faults("web1", guest, "uefi", [])) == [], (needs, guest)
        assert set(guest) >= {"image", "vcpus", "memory"} and unread_keys(guest, "uefi")[1] == [], (needs, guest)
        assert size_in_bytes(guest["memory"]) >= size_in_bytes(needs["memory"] or 0), (needs, guest)
        assert guest.get("template") == _deployment.BHYVE_TEMPLATES.get(needs["loader"]), (needs, guest)
        assert guest.get("template") is None or guest["template"] in role_templates()


@pytest.mark.parametrize("signature_type", ["pubkey", "fingerprints", "none"])
def test_a_host_gets_variables_of_the_role(catalogue, signature_type):
    catalogue.publish(signature_type, "demo", {}, signature_type)
    variables = catalogue.codes(signature_type)[0]
    options = _schema._entry_points()["main"]["options"]
    assert set(variables) <= set(options), variables
    # What the page does not say is what the role takes anyway.
    said = variables.get("bhyve_catalog_signature_type", options["bhyve_catalog_signature_type"]["default"])
    assert said == signature_type and set(variables) - {"bhyve_catalog", "bhyve_catalog_signature_type"} == {
        "pubkey": {"bhyve_catalog_pubkey"}, "fingerprints": {"bhyve_catalog_fingerprints"}, "none": set()}[signature_type]
