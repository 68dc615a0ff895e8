# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles through ansible-core and ssh: an image published from a raw disk, guests of it on a hypervisor with real ZFS."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import HERE, TOP
from patience import patience

IMAGE = "disk-1.0-20261122"
SIZE = 8 << 20


class Site:
    """A controller: inventory, collection, and a catalogue that is published there and brought to the hypervisor."""

    def __init__(self, folder, guest, place):
        self.folder, self.guest, self.place = folder, guest, place
        collections = folder / "collections/ansible_collections/apiary"
        collections.mkdir(parents=True)
        (collections / "bhyve").symlink_to(TOP)
        self.disk = folder / "disk-20261122.raw"
        self.disk.write_bytes(random.randbytes(1 << 20) + bytes(SIZE - (2 << 20)) + random.randbytes(1 << 20))
        self.versions = ["20261122"]
        self.guests = {"web1": {"image": IMAGE, "vcpus": 1, "memory": "64M"}, "web2": {"image": IMAGE, "vcpus": 1, "memory": "64M", "disk": "16M"}}
        self.catalog = folder / f"catalog-{place.name.split('/')[1]}"
        self.catalog.mkdir()

    def inventory(self):
        at = f"/root/{self.catalog.name}"
        hypervisor = {
            **self.guest.connection(),
            "bhyve_catalog": f"file://{at}",
            "bhyve_catalog_pubkey": f"{at}/catalog.key.pub",
            "guest_image_store": f"{at}-store",
            "guest_dataset": self.place.vm,
            "guest_golden": self.place.images,
            "bhyve_guests": self.guests,
        }
        repository = {
            "ansible_connection": "local",
            "bhyve_catalog_path": str(self.catalog),
            "bhyve_catalog_signing_key": str(self.folder / "catalog.key"),
            "bhyve_catalog_make_key": True,
            "bhyve_images": [{"name": "disk-1.0", "version": version, "source": str(self.folder / f"disk-{version}.raw"), "os": "none"} for version in self.versions],
        }
        path = self.folder / "hosts.json"
        path.write_text(json.dumps({"all": {"hosts": {"hv1": hypervisor}}, "bhyve_repository": {"hosts": {"repo": repository}}}))
        return path

    def play(self, name, host, *words, code=0):
        """Runs a playbook; returns what it changed and what it printed."""
        done = subprocess.run(
            [Path(sys.executable).parent / "ansible-playbook", "-i", self.inventory(), name, "--limit", host, *words],
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections"),
                "ANSIBLE_HOME": str(self.folder / "home"),
                "ANSIBLE_TIMEOUT": str(int(patience(300))),
                "ANSIBLE_NOCOLOR": "1",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience(600),
        )
        assert done.returncode == code, done.stdout + done.stderr
        return int(re.search(rf"^{host} .*changed=(\d+)", done.stdout, re.M)[1]), done.stdout

    def volumes(self, *words):
        return self.play(HERE / "site/volumes.yml", "hv1", *words)

    def publish(self):
        """Publishes the disk and brings the catalogue to the hypervisor."""
        changed, _ = self.play("apiary.bhyve.publish", "repo")
        assert changed == 2
        (self.folder / "catalog.key.pub").rename(self.catalog / "catalog.key.pub")
        self.guest.host("push", str(self.catalog))


@pytest.fixture
def site(tmp_path, guest, place):
    return Site(tmp_path, guest, place)


def test_guests_of_a_published_image(site, guest, place):
    site.publish()
    golden, before = f"{place.images}/{IMAGE}", place.names()
    names = [golden, f"{golden}@image", f"{place.vm}/web1", f"{place.vm}/web2"]

    changed, shown = site.volumes("--check", "--diff")
    assert changed == 2 and place.names() == before
    assert f"+{place.vm}/web2:" in shown and f"+  is a clone of {golden}@image" in shown

    changed, _ = site.volumes()
    assert changed == 2 and place.names() == names
    disk = guest.sh(f"cat /dev/zvol/{place.vm}/web1 | sha256sum; head -c {SIZE} /dev/zvol/{place.vm}/web2 | sha256sum")
    local = subprocess.run(["sha256sum", site.disk], capture_output=True, text=True, check=True).stdout.split()[0]
    assert disk.split()[::2] == [local, local]
    assert guest.sh(f"zfs get -Hp -o value volsize {place.vm}/web1 {place.vm}/web2").split() == [str(SIZE), str(2 * SIZE)]

    assert site.volumes()[0] == 0
    assert site.volumes("--check", "--diff")[0] == 0

    # Another guest and a larger disk: only that is new.
    site.guests["web3"] = {"image": IMAGE, "vcpus": 1, "memory": "64M"}
    site.guests["web2"]["disk"] = "24M"
    changed, shown = site.volumes("--check", "--diff")
    assert changed == 1 and place.names() == names
    assert "-  volsize: 16M" in shown and "+  volsize: 24M" in shown and f"+{place.vm}/web3:" in shown
    assert site.volumes()[0] == 1 and site.volumes()[0] == 0
    assert place.names() == [*names, f"{place.vm}/web3"]

    gone = ("-e", json.dumps({"removed": ["web2", "web3"]}))
    remove = HERE / "site/remove.yml"
    assert site.play(remove, "hv1", "--check", "--diff", *gone)[0] == 1
    assert place.names() == [*names, f"{place.vm}/web3"]
    assert site.play(remove, "hv1", *gone)[0] == 1
    assert site.play(remove, "hv1", *gone)[0] == 0
    assert place.names() == names[:-1]


def test_a_guest_keeps_its_version_of_a_base_name(site, guest, place):
    site.guests = {"web1": {"image": "disk-1.0", "vcpus": 1, "memory": "64M"}}
    site.publish()
    assert site.volumes()[0] == 2

    # A newer version is published: who is there keeps what it has, who is new takes the newest.
    (site.folder / "disk-20270101.raw").write_bytes(random.randbytes(4096) + site.disk.read_bytes()[4096:])
    site.versions.append("20270101")
    (site.catalog / "catalog.key.pub").rename(site.folder / "catalog.key.pub")
    changed, _ = site.play("apiary.bhyve.publish", "repo")
    assert changed == 1
    (site.folder / "catalog.key.pub").rename(site.catalog / "catalog.key.pub")
    guest.host("push", str(site.catalog))
    assert site.volumes()[0] == 0
    site.guests["web2"] = {"image": "disk-1.0", "vcpus": 1, "memory": "64M"}
    assert site.volumes()[0] == 2 and site.volumes()[0] == 0
    origins = guest.sh(f"zfs get -H -o value origin {place.vm}/web1 {place.vm}/web2").split()
    assert origins == [f"{place.images}/disk-1.0-{version}@image" for version in site.versions]

    # Neither store nor catalogue are there any more: guests that are need neither.
    at = f"/root/{site.catalog.name}"
    guest.sh(f"rm -r {at}-store {at}/All {at}/data.pkg {at}/packagesite.pkg")
    assert site.volumes()[0] == 0
    site.guests["web1"]["image"] = "disk-1.0-20270101"
    _, shown = site.volumes("-v")
    assert "made from image disk-1.0-20261122, expected disk-1.0-20270101" in " ".join(shown.split())
