# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide "Three hosts, from nothing", from its first command to its last, each as it is printed, on three hosts that have nothing."""

from __future__ import annotations

import json
import re
import subprocess
import textwrap

import pytest
import yaml

from conftest import LIBVIRT
from controller import BIN, Controller
from documented import TOP
from fleet import Fleet, asked
from this_machine import HYPERVISOR

GUIDE = "docs/docsite/rst/guide_three_hosts.rst"
PLAYBOOK = "ansible-playbook -i inventory apiary.bhyve."
FILES = ("hosts.yml", *(f"group_vars/{group}.yml" for group in ("bhyve_repository", "bhyve_hypervisors", "freebsd", "debian")), "host_vars/hv1.yml")

# What these copies lack: processors with KVM, systemd; and FreeBSD, so hv1 is another Debian.
LACKING = HYPERVISOR | {"hypervisor_bridge": "", "hypervisor_bridge_members": []}

# As each vendor ships it, and as each writes checksums.
SHIPPED = {".raw.xz": 'xz -T1 -0 <"$1" >"$2"', ".qcow2": 'qemu-img convert -O qcow2 "$1" "$2"'}
LISTS = {
    "CHECKSUM.SHA512": 'echo "SHA512 ($name) = $(sha512sum "$name" | cut -d " " -f 1)" >CHECKSUM.SHA512',
    "SHA512SUMS": 'sha512sum "$name" >SHA512SUMS',
}


def vendors_file(image):
    """What `Fleet.serve` takes, for an entry of bhyve_images: a small disk, which boots and says login:."""
    disk = '"%s/tests/demo/make-disk.sh" /tmp/disk login: 16M obeys; set -- /tmp/disk "$1"; ' % TOP
    making = next(words for end, words in SHIPPED.items() if image["source"].endswith(end))
    return image["source"], disk + making, LISTS[image["checksum"].rpartition("/")[2]]


@pytest.fixture(scope="module")
def fleet():
    fleet = Fleet()
    try:
        fleet.start()
        yield fleet
    finally:
        fleet.stop()


@pytest.fixture(scope="module")
def operator(fleet, examples):
    """Who sits at the controller, with the artifact, and what the guide has them write."""
    host, inside = fleet["controller"], "/srv/site"
    (host.root / "srv/site").mkdir(parents=True)
    operator = Controller(host.root / "srv/site", inside, host.enter(), HOME="/root", ANSIBLE_PYTHON_INTERPRETER="/usr/bin/python3")
    built = [BIN / "ansible-galaxy", "collection", "build", "--output-path", operator.folder]
    subprocess.run(built, cwd=TOP, check=True, stdout=subprocess.DEVNULL)
    for name in FILES:
        operator.write(f"inventory/{name}", examples.text(GUIDE, f"# inventory/{name}"))
    operator.write("inventory/lacking.json", json.dumps({"all": {"hosts": {"hv1": LACKING, "hv2": LACKING}}}))
    for name in ("hv1", "hv2"):
        fleet[name].sh(LIBVIRT, TOP)
    images = yaml.safe_load(examples.text(GUIDE, "# inventory/group_vars/bhyve_repository.yml"))["bhyve_images"]
    newer = yaml.safe_load(examples.text(GUIDE, "# one more entry of bhyve_images"))
    fleet.serve([vendors_file(image) for image in (images | newer).values()])
    return operator


def domains(fleet, host):
    """The guests of a host that run."""
    return fleet[host].sh("virsh -q list --name").split()


def in_order(text):
    """The commands of the guide's blocks, in the order in which they are printed."""
    return [command for _, command in re.findall(r"^( {4}\$ )(.*)$", text, re.M)]


def test_ten_commands_at_most_lead_to_the_first_guest(fleet, operator, examples):
    commands = in_order((TOP / GUIDE).read_text())
    first = commands[: commands.index(PLAYBOOK + "deploy") + 1]
    assert len(first) == 9
    operator.write("keys.yml", examples.text(GUIDE, "# keys.yml"))
    for command in first:
        assert domains(fleet, "hv1") == []
        ran = operator.run(examples.text(GUIDE, command))
    assert domains(fleet, "hv1") == ["web1"] and ran.recap("hv1")["changed"] > 0
    assert fleet["hv1"].sh("grep -c login: /var/log/libvirt/guests/web1.log") == "1"


def test_each_of_them_changes_nothing_a_second_time(fleet, operator, examples):
    fetched = len([line for line in asked(fleet) if "qcow2" in line or "raw.xz" in line])
    assert fetched == 2
    for command in (f"{PLAYBOOK}repository", f"{PLAYBOOK}hypervisor", f"{PLAYBOOK}images", "ansible-playbook -i inventory keys.yml"):
        assert re.findall(r"changed=([1-9]\d*)", operator.run(command).output) == [], command
    assert fetched == len([line for line in asked(fleet) if "qcow2" in line or "raw.xz" in line])


def test_the_second_guest_comes_on_the_other_host(fleet, operator, examples):
    operator.write("inventory/host_vars/hv2.yml", examples.text(GUIDE, "# inventory/host_vars/hv2.yml"))
    ran = operator.run(PLAYBOOK + "deploy")
    assert (ran.recap("hv1")["changed"], ran.recap("hv2")["changed"] > 0) == (0, True)
    assert domains(fleet, "hv2") == ["db1"]
    shown = operator.run(examples.text(GUIDE, PLAYBOOK + "list")).output
    assert re.search(r"db1 +hv2 +running", shown) and re.search(r"web1 +hv1 +running", shown)


def test_the_day_after(fleet, operator, examples):
    entry = textwrap.indent(examples.text(GUIDE, "# one more entry of bhyve_images"), "  ")
    page = examples.text(GUIDE, "# inventory/group_vars/bhyve_repository.yml")
    operator.write("inventory/group_vars/bhyve_repository.yml", page + entry)
    assert operator.run(PLAYBOOK + "images").recap("repo")["changed"] == 1
    assert re.search(r"db1 .*new.* 20251006", operator.run(PLAYBOOK + "list").output)
    disk = fleet["hv2"].root / "var/lib/guests/db1.raw"
    first, redeploy = disk.stat().st_ino, PLAYBOOK + "redeploy -e guest_names=db1"
    assert "debian-12-20251006" in operator.run(examples.text(GUIDE, redeploy)).output
    assert domains(fleet, "hv2") == ["db1"] and disk.stat().st_ino != first
    operator.run(examples.text(GUIDE, redeploy + " -e guest_redeploy_back=true"))
    assert domains(fleet, "hv2") == ["db1"] and disk.stat().st_ino == first
    shown = operator.run(examples.text(GUIDE, PLAYBOOK + "prune --check")).output
    assert re.search(r"db1\.raw\.\S+ .*(kept|until)", shown)


def test_a_guest_that_has_done_its_work(fleet, operator, examples):
    operator.write("inventory/host_vars/hv1.yml", "bhyve_guests: {}\n")
    operator.run(examples.text(GUIDE, PLAYBOOK + "remove -e bhyve_remove=web1"))
    assert domains(fleet, "hv1") == [] and domains(fleet, "hv2") == ["db1"]


# What goes wrong in the first hour: who breaks it, how, how it is mended, and the words by which the guide of messages is searched.
KNOWN, KEPT = "/root/.ssh/known_hosts", "/root/.ssh/known_hosts.kept"
ALLOWED = "$(find /var/db/apiary/repository -name authorized_keys)"
SOCKET = "/run/libvirt/libvirt-sock"
BROKEN = {
    # Connections that Ansible keeps open are past the question.
    "ssh: Host key verification failed": ("controller", f"mv {KNOWN} {KEPT}; rm -rf /root/.ansible/cp", f"mv {KEPT} {KNOWN}"),
    "Missing sudo password": ("hv1", "mv /etc/sudoers.d/admin /root/admin", "mv /root/admin /etc/sudoers.d/admin"),
    "exited with 255: Host key verification failed": ("hv1", f"mv {KNOWN} {KEPT}", f"mv {KEPT} {KNOWN}"),
    "REMOTE HOST IDENTIFICATION HAS CHANGED": (
        "hv1", f'cp {KNOWN} {KEPT}; ssh-keygen -q -t ed25519 -N "" -f /root/other; echo "repo $(cat /root/other.pub)" >{KNOWN}', f"mv {KEPT} {KNOWN}",
    ),
    "Permission denied (publickey": ("repo", f"mv {ALLOWED} /root/allowed", "mv /root/allowed /var/db/apiary/repository/.ssh/authorized_keys"),
    "Failed to connect socket to": ("hv1", f"mv {SOCKET} {SOCKET}.kept", f"mv {SOCKET}.kept {SOCKET}"),
}
MISTAKEN = {
    "found missing: bridge": ("bridge: bridge0", "bridge: bridge9"),
    "neither dots in place of the key nor a private key": ("\"{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}\"", "ssh-ed25519 AAAA..."),
    "nuageinit 14.1 does not understand": ('nuageinit: "15.0"', 'nuageinit: "14.1"'),
}
MESSAGES = (TOP / "docs/docsite/rst/guide_troubleshooting.rst").read_text()


@pytest.mark.parametrize("message", BROKEN)
def test_messages_of_the_first_hour(fleet, operator, examples, message):
    name, breaks, mends = BROKEN[message]
    operator.write("inventory/host_vars/hv1.yml", examples.text(GUIDE, "# inventory/host_vars/hv1.yml"))
    # What the store has is not asked for.
    fleet["hv1"].sh("rm -rf /var/db/apiary/images/*")
    fleet[name].sh(breaks)
    try:
        said = operator.run(PLAYBOOK + "deploy --limit hv1", 4 if name == "controller" else 2).output
    finally:
        fleet[name].sh(mends)
    assert message in said and message in MESSAGES


@pytest.mark.parametrize("message", MISTAKEN)
def test_messages_of_the_first_mistakes(operator, examples, message):
    written, mistaken = MISTAKEN[message]
    page = examples.text(GUIDE, "# inventory/host_vars/hv1.yml")
    assert written in page
    operator.write("inventory/host_vars/hv1.yml", page.replace(written, mistaken))
    assert message in operator.run(PLAYBOOK + "deploy --limit hv1", 2).output and message in MESSAGES
