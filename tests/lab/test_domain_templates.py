# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest role's domain templates: rendered by Ansible, held against libvirt's schema, and booted where they can be."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

HERE = pathlib.Path(__file__).resolve().parent
CASES = [line[:-1] for line in (HERE / "cases/templates.yml").read_text().splitlines() if line[0].isalpha()]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory, running_lab):
    folder = tmp_path_factory.mktemp("domains")
    collections = tmp_path_factory.mktemp("collections")
    link = collections / "ansible_collections/apiary/bhyve"
    link.parent.mkdir(parents=True)
    link.symlink_to(HERE.parents[1])
    subprocess.run(
        ["ansible-playbook", "-i", "localhost,", str(HERE / "render.yml"), "-e", f"folder={folder}",
         "-e", f"lab_disk={running_lab.disk}", "-e", f"lab_log={running_lab.folder}/web1.log"],
        check=True, capture_output=True, env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections)},
    )
    return folder


def valid(path):
    done = subprocess.run(["virt-xml-validate", str(path), "domain"], capture_output=True, text=True)
    # It says on stderr that all is well.
    return done.returncode == 0 and done.stderr == f"{path} validates\n", done.stderr


@pytest.mark.parametrize("case", CASES)
def test_libvirts_schema_accepts_it(rendered, tmp_path, case):
    path = rendered / (case + ".xml")
    version = subprocess.run(["virsh", "--version"], check=True, capture_output=True, text=True).stdout
    if "bus='nvme'" in path.read_text() and tuple(map(int, version.split("."))) < (11, 9):
        # NVMe disks came with 11.9; everything else in the document can be judged all the same.
        assert not valid(path)[0]
        other = tmp_path / "sata.xml"
        other.write_text(path.read_text().replace("dev='nvme0n1' bus='nvme'", "dev='sda' bus='sata'"))
        path = other
    accepted, reason = valid(path)
    assert accepted, reason


@pytest.mark.parametrize("case", CASES)
def test_what_every_guest_needs_is_there(rendered, case):
    domain = ElementTree.parse(rendered / (case + ".xml")).getroot()
    assert domain.find("features/acpi") is not None, "no shutdown by the power button"
    serial = domain.findall("devices/serial")
    assert len(serial) == 1, "no console to wait for"
    boot = domain.findall("devices/disk/boot")
    if domain.get("type") == "bhyve":
        # The driver knows these disks and one boot mark only; without a mark bhyveload takes the last disk.
        assert {disk.get("type") for disk in domain.findall("devices/disk")} == {"file"}
        assert len(boot) == (0 if domain.find("os/loader") is not None else 1)
        source = serial[0].find("source")
        assert serial[0].get("type") == "nmdm"
        assert source.get("master")[:-1] == source.get("slave")[:-1]
        assert (source.get("master")[-1], source.get("slave")[-1]) == ("A", "B")


def test_interfaces_are_in_the_order_of_the_networks(rendered):
    def interfaces(case):
        for interface in ElementTree.parse(rendered / (case + ".xml")).getroot().findall("devices/interface"):
            found = [interface.find(tag) for tag in ("source", "mac", "mtu")]
            yield interface.get("type"), *(None if tag is None else next(iter(tag.attrib.values())) for tag in found)

    assert list(interfaces("bhyve-two-interfaces")) == [("bridge", "bridge0", "58:9c:fc:20:00:01", None), ("bridge", "bridge1", None, None)]
    assert list(interfaces("bhyveload-two-interfaces")) == [("bridge", "bridge0", None, None), ("bridge", "bridge1", "58:9c:fc:20:00:02", None)]
    assert list(interfaces("qemu-three-interfaces")) == [
        ("bridge", "br0", None, "9000"), ("user", None, None, None), ("bridge", "br1", "52:54:00:00:00:0a", None),
    ]


def test_values_are_escaped(rendered):
    everything = ElementTree.parse(rendered / "bhyve-everything.xml").getroot()
    assert everything.find("devices/graphics").get("passwd") == "a'b&c"
    assert ElementTree.parse(rendered / "qemu-user-network.xml").getroot().findtext("name") == "a & b"


def test_libvirt_takes_bridges_with_an_mtu(lab, rendered):
    lab.virsh("define", rendered / "qemu-three-interfaces.xml")
    assert "<mtu size='9000'/>" in lab.virsh("dumpxml", "web1", "--inactive")


def test_the_seed_finds_each_interface_by_the_address_that_the_domain_has(lab, rendered, tmp_path):
    options = {"name": "web1", "xml": (rendered / "qemu-boots-with-networks.xml").read_text(), "wait_for": lab.up}
    lab.good(options)
    domain = ElementTree.fromstring(lab.virsh("dumpxml", "web1"))
    of_domain = [mac.get("address") for mac in domain.findall("devices/interface/mac")]
    networks = [{"addresses": ["192.0.2.11/24"]}, {"addresses": ["dhcp"], "mac": "52:54:00:00:00:0A"}, {"addresses": ["10.0.0.11/24"]}]
    seed = tmp_path / "web1.seed"
    words = json.dumps({"path": str(seed), "name": "web1", "family": "linux", "networks": networks})
    subprocess.run([lab.program("guest_seed"), "-"], input=words, capture_output=True, text=True, check=True)
    in_seed = re.findall(rb"mac_address: '([^']+)'", seed.read_bytes())
    assert len(of_domain) == 3 and [mac.decode() for mac in in_seed] == of_domain


def test_the_qemu_template_boots(lab, rendered):
    options = {"name": "web1", "xml": (rendered / "qemu-boots.xml").read_text(), "wait_for": lab.up}
    assert lab.good(options)["changed"] is True
    assert lab.good(options)["changed"] is False
