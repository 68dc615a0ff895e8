# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples, where they are run, and a list of those that have been."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from controller import BIN, HERE
from documented import TOP, all_examples
from this_machine import Machine, Site
from zfs_site import ZfsSite

sys.path.append(str(TOP / "tests/zfs"))
from zfs_host import guest  # noqa: E402, F401

FIRST_DEPLOY = "docs/docsite/rst/guide_first_deploy.rst"
SERVER = "roles/image_repository/README.md"
PUBLISH = """
- name: Publish
  apiary.bhyve.bhyve_catalog:
    path: "/var/db/apiary/{{ item[0].path }}"
    name: "{{ item[1][0] }}"
    version: "{{ item[1][1] }}"
    os: "{{ item[1][2] }}"
    source: "{{ source }}"
    signature_type: "{{ item[0].type }}"
    signing_key: "/usr/local/etc/apiary/{{ item[0].key }}"
  loop: "{{ [{'path': 'catalog', 'type': 'pubkey', 'key': 'images.key'},
    {'path': 'fingerprinted', 'type': 'fingerprints', 'key': 'images-eddsa.key'}] | product(images) }}"
"""

# The links are relative, because they are followed from outside, too.
LIBVIRT = """
rm -rf /var/log/libvirt
mkdir -p /srv/libvirt/run /srv/libvirt/log/guests
ln -s ../../srv/libvirt/log /var/log/libvirt
ln -s ../srv/libvirt/run /run/libvirt
bash -c '. "$1/tests/lab/libvirt.sh" && libvirt_start /srv/libvirt >/dev/null' bash "$1"
"""
IMAGES = [
    ["FreeBSD-14.2-RELEASE-ZFS-20G", "20250515", "freebsd"],
    ["FreeBSD-13.2-RELEASE-ZFS-20G", "20230701", "freebsd"],
    ["debian-12-ZFS-10G", "20250601", "debian-12"],
]


class Examples(dict):
    """Every example by page and name; those that were handed out have been run."""

    def __init__(self):
        super().__init__(((page, name), text) for page, name, text in all_examples())
        self.run = set()

    def take(self, page, *names):
        """The texts of some examples of a page, to be run: all of them where none is named."""
        keys = [(page, name) for name in names] or [key for key in self if key[0] == page]
        assert keys and set(keys) <= set(self), f"the documentation has no {set(keys) - set(self)}"
        self.run.update(keys)
        return [self[key] for key in keys]

    def text(self, page, name):
        return self.take(page, name)[0]

    def data(self, page, name):
        return yaml.safe_load(self.text(page, name))


@pytest.fixture(scope="session")
def examples():
    return Examples()


@pytest.fixture(scope="session")
def machine():
    machine = Machine()
    try:
        machine.start()
        yield machine
    finally:
        machine.stop()


@pytest.fixture(scope="session")
def site(machine, examples):
    """A user's folder on that machine, with the collection installed as the guide says."""
    site = Site(machine)
    built = [BIN / "ansible-galaxy", "collection", "build", "--output-path", site.folder]
    subprocess.run(built, cwd=TOP, check=True, stdout=subprocess.DEVNULL)
    site.run(examples.text(FIRST_DEPLOY, "ansible-galaxy collection install apiary-bhyve-0.1.0.tar.gz"))
    return site


@pytest.fixture(scope="session")
def keys(site, examples):
    """The keys that the examples make: what their tasks, run twice, have returned."""
    site.inventory(repo={})
    tasks = examples.take("bhyve_catalog_key")
    return site.play("repo", *tasks, *tasks)


@pytest.fixture(scope="session")
def disk(machine):
    """A disk that boots, writes "login:" on its console and goes off when its power button is pressed."""
    path = "/build/FreeBSD-14.2-RELEASE-amd64-zfs.raw"
    machine.sh('mkdir -p /build; "$1/tests/demo/make-disk.sh" "$2" login: 16M obeys', TOP, path)
    return path


@pytest.fixture(scope="session")
def libvirt(machine):
    """libvirt at the address that is asked where none is given, and its logs where they usually are."""
    machine.sh(LIBVIRT, TOP)


@pytest.fixture(scope="session")
def catalogue(site, keys, disk):
    """Images published from that disk: a folder whose clients have the public key, and one for those with fingerprints."""
    site.inventory(repo={})
    site.play("repo", PUBLISH, source=disk, images=IMAGES)


@pytest.fixture(scope="session")
def served(site, catalogue, examples):
    """The catalogue over ssh, as the README of the role says it; its placeholders are the two keys of root."""
    block = examples.data(SERVER, "image_repository_path: /var/db/apiary/catalog        # published to by bhyve_catalog")
    assert all("AAAA..." in key for key in block["image_repository_clients"])
    block["image_repository_clients"] = [site.file(f"/root/.ssh/{key}.pub").read_text().strip() for key in ("id_ed25519", "images")]
    site.inventory(repo=block)
    first = examples.text(SERVER, "ansible-playbook -i inventory apiary.bhyve.repository")
    again = examples.text("playbooks/repository.yml", "ansible-playbook -i INVENTORY apiary.bhyve.repository")
    return [site.run(command).recap("repo") for command in (first, again)]


@pytest.fixture(scope="session")
def zfs_site(tmp_path_factory, guest):  # noqa: F811
    return ZfsSite(tmp_path_factory.mktemp("zfs"), guest)


def pytest_collection_modifyitems(items):
    """Whether anything is missing is known at the end, and only where all tests have been asked for."""
    last = [item for item in items if item.path.stem == "test_complete"]
    everything = {path.stem for path in HERE.glob("test_*.py")} == {item.path.stem for item in items}
    items[:] = [item for item in items if item not in last] + (last if everything else [])
