# SPDX-License-Identifier: GPL-3.0-or-later
"""The second day of guests by the playbooks, through libvirt's own bhyve driver: a newer image, a restart that is due, an order at boot,
a guest that is renamed and those that go. What this driver does not have, pausing and saving, is refused by it and changes nothing."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess

import pytest

from host import URI
from null_modem import NullModem
from patience import patience

TOP = pathlib.Path(__file__).resolve().parents[2]


class Site:
    """A hypervisor with bhyve and the playbooks that are run in its namespaces; its volumes are raw files."""

    def __init__(self, folder, host):
        self.folder, self.host, self.guests, self.versions, self.modems = folder, host, {}, [], []
        for name in ("catalogue", "images", "volumes", "seeds"):
            (folder / name).mkdir()
        collections = folder / "ansible_collections/apiary"
        collections.mkdir(parents=True)
        (collections / "bhyve").symlink_to(TOP)

    def guest(self, name, **more):
        self.modems.append(NullModem(self.folder, name))
        waited = {"console": "%s has booted" % name}
        self.guests[name] = {"image": "demo", "vcpus": 1, "memory": "64M", "console": str(self.folder / name), "wait_for": waited, **more}

    def inventory(self):
        repository = {
            "ansible_connection": "local", "bhyve_catalog_path": str(self.folder / "catalogue"),
            "bhyve_catalog_signing_key": str(self.folder / "catalog.key"), "bhyve_catalog_make_key": True,
            "bhyve_images": [{"name": "demo", "version": version, "source": str(self.folder / f"{version}.raw"), "os": "none"} for version in self.versions],
        }
        hypervisor = {
            "ansible_connection": "local", "bhyve_guests": self.guests, "bhyve_catalog": f"file://{self.folder}/catalogue",
            "bhyve_catalog_pubkey": f"{self.folder}/catalog.key.pub", "guest_folder": str(self.folder / "volumes"),
            "guest_image_store": str(self.folder / "images"), "guest_seed_folder": str(self.folder / "seeds"), "guest_uri": URI,
            "guest_template": "uefi", "guest_shutdown_timeout": patience(30), "guest_wait_timeout": patience(60),
        }
        path = self.folder / "hosts.json"
        path.write_text(json.dumps({"bhyve_repository": {"hosts": {"repo": repository}}, "bhyve_hypervisors": {"hosts": {"hv1": hypervisor}}}))
        return path

    def play(self, name, *words, code=0):
        """What a playbook has printed."""
        own = {"ANSIBLE_COLLECTIONS_PATH": str(self.folder), "ANSIBLE_HOME": str(self.folder / "home"), "ANSIBLE_NOCOLOR": "1"}
        command = self.host.entering("ansible-playbook", "-i", self.inventory(), f"apiary.bhyve.{name}", *words)
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **own}, timeout=patience(600))
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def publish(self, version):
        subprocess.run([TOP / "tests/demo/make-disk.sh", self.folder / f"{version}.raw", version, "16M"], check=True)
        self.versions.append(version)
        self.play("publish")

    def deploy(self, *words, code=0):
        """What was said, and how many tasks have changed something."""
        said = self.play("deploy", *words, code=code)
        return said, int(re.search(r"^hv1 .*changed=(\d+)", said, re.M)[1])

    def running(self):
        return sorted(self.host.virsh("list", "--name").split())

    def volumes(self):
        return sorted(file.name for file in (self.folder / "volumes").iterdir())


def row(said, guest):
    """The words of a guest's line in the table."""
    return re.search(rf'^\s*"?{guest} +(.*?)"?,?$', said, re.M)[1].split()


def refused(host, *words):
    done = host.inside("virsh", "-q", "-c", URI, *words, check=False)
    return done.returncode != 0 and done.stderr


@pytest.fixture
def site(host, tmp_path):
    made = Site(tmp_path, host)
    yield made
    for modem in made.modems:
        modem.close()


def test_the_second_day(site, host):
    site.publish("20260101")
    site.guest("web1", autostart=True, order=20)
    site.guest("db1", template="loader", autostart=True, order=10, delay=1)
    said, _changed = site.deploy()
    assert row(said, "web1")[:2] == row(said, "db1")[:2] == ["running", "demo-20260101"] and site.running() == ["db1", "web1"]
    said, changed = site.deploy()
    assert (changed, row(said, "web1")[0]) == (0, "running")

    # A newer image is told, and nobody's disk is exchanged for it. libvirt has no mark for those that have an order.
    site.publish("20260601")
    said, changed = site.deploy()
    assert changed == 0 and row(said, "web1")[-2:] == row(said, "db1")[-2:] == ["newer:", "20260601"]
    turns = host.inside("env", f"APIARY_GUESTS_URI={URI}", "/usr/local/libexec/apiary-guests", "list").stdout.splitlines()
    assert [line.split("\t") for line in turns] == [["10", "1", "running", "db1"], ["20", "0", "running", "web1"]]
    assert not list((host.folder / "etc/bhyve/autostart").glob("*"))

    # A guest that runs can be neither paused nor saved here, and is left as it is by whoever tries.
    for words in (["suspend", "web1"], ["managedsave", "web1"]):
        assert "not supported" in refused(host, *words), words
    assert site.deploy()[1] == 0 and site.running() == ["db1", "web1"]

    # A restart that is due is shown until it is done: the driver itself shows the old definition all the while.
    before = [host.processes("web1"), host.processes("db1")]
    site.guests["web1"]["memory"] = site.guests["db1"]["memory"] = "96M"
    shown = [site.deploy() for _ in range(2)]
    assert [changed for _said, changed in shown] == [1, 0]
    assert {tuple(row(said, name)[-2:]) for said, _changed in shown for name in ("web1", "db1")} == {("restart", "due")}
    site.guests["web1"]["restart"] = site.guests["db1"]["restart"] = "if_changed"
    said, changed = site.deploy()
    assert changed == 1 and "restart due" not in said
    after = [host.processes("web1"), host.processes("db1")]
    assert not {*before[0], *before[1]} & {*after[0], *after[1]} and [len(each) for each in after] == [1, 1]
    assert site.deploy()[1] == 0

    # One that has left the dictionary goes on and is named, and so is one that was renamed; both are removed by the name they have.
    site.guests.pop("db1")
    site.guest("www1", autostart=True)
    site.guests.pop("web1")
    said, _changed = site.deploy()
    for name in ("db1", "web1"):
        assert row(said, name)[-5:] == "in no bhyve_guests of this host".split()[-5:]
    assert site.running() == ["db1", "web1", "www1"] and row(said, "www1")[:2] == ["running", "demo-20260601"]
    site.play("remove", "-e", "bhyve_remove=web1,db1")
    assert (site.running(), site.volumes()) == (["www1"], ["www1.raw"])
    assert [link.stem for link in (host.folder / "etc/bhyve/autostart").glob("*")] == ["www1"]
    site.play("remove", "-e", "bhyve_remove=all")
    assert (site.running(), site.volumes(), host.virsh("list", "--all", "--name")) == ([], [], "")
