# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide of the first deploy from its first step to its last, the README's guest, and the role's play."""

from __future__ import annotations

import json

import pytest
import yaml

from documented import TOP
from this_machine import HYPERVISOR

GUIDE = "docs/docsite/rst/guide_first_deploy.rst"
SECOND_DAY = "docs/docsite/rst/guide_second_day.rst"
PLAYBOOK = "ansible-playbook -i inventory apiary.bhyve."
DISK = "/var/lib/guests/web1.raw"

# Words of the report, and the role's tasks that register them.
REGISTERED = {
    "images": "Fetch and verify images", "volumes": "Receive volumes", "seeds": "Write seeds",
    "domains": "Define and start domains, and wait until their guests answer", "domains_found": "Look which domains are there",
}


def deploy(site, command):
    return site.run(command).recap("hv1")


def test_it_is_installed_as_the_readme_says(site, examples):
    site.write("requirements.yml", examples.text("README.md", "# requirements.yml"))
    command = examples.text("README.md", "ansible-galaxy collection install -r requirements.yml")
    assert "Nothing to do" in site.run(command).output
    assert "apiary.bhyve:0.1.0 was installed successfully" in site.run(command + " --force").output


def test_the_hypervisor_is_prepared_once(site, libvirt, examples):
    site.inventory(["hv1"], hv1=HYPERVISOR)
    first = examples.text(GUIDE, PLAYBOOK + "hypervisor --limit hv1")
    again = [
        examples.text("roles/hypervisor/README.md", PLAYBOOK + "hypervisor"),
        examples.text("playbooks/hypervisor.yml", "ansible-playbook -i INVENTORY apiary.bhyve.hypervisor"),
    ]
    assert site.run(first).recap("hv1")["changed"] > 0
    assert [site.run(command).recap("hv1")["changed"] for command in again] == [0, 0]
    assert site.mode("/var/lib/guests") == "0o711" and site.file("/var/db/apiary/seeds").is_dir()


def test_the_fleet_is_checked(site, examples):
    """The README of the role has the same guest as the guide: each is sound, and on two hosts it is one too many."""
    theirs, ours = examples["roles/guest/README.md", "bhyve_guests:"], examples[GUIDE, "bhyve_guests:"]
    check = examples.text("fleet_problems", "Check the fleet")
    for guests in (theirs, ours, examples["roles/guest/README.md", "# a guest with two interfaces"]):
        site.inventory(hv1=yaml.safe_load(guests))
        assert site.play("hv1", check)[0]["outcome"] == "ok"
    site.inventory(hv1=yaml.safe_load(theirs), hv2=yaml.safe_load(ours))
    assert [site.play(hosts, check, code=2)[0]["outcome"] for hosts in ("hv1", "all")] == ["failed", "failed"]


@pytest.fixture(scope="module")
def deployed(site, served, libvirt, examples):
    """The guide's two files and its two commands, and the same again."""
    site.inventory(["hv1"], hv1=HYPERVISOR)
    site.write("inventory/group_vars/bhyve_hypervisors.yml", examples.text(GUIDE, "bhyve_catalog: ssh://images@repo.example.org"))
    site.write("inventory/host_vars/hv1.yml", examples.text(GUIDE, "bhyve_guests:"))
    check = site.run(examples.text(GUIDE, PLAYBOOK + "deploy --limit hv1 --check --diff"))
    assert not site.file(DISK).exists()
    first = site.run(examples.text(GUIDE, PLAYBOOK + "deploy --limit hv1"))
    return check, first, site.run(examples.text("playbooks/deploy.yml", "ansible-playbook -i INVENTORY apiary.bhyve.deploy"))


def test_the_first_guest(site, deployed):
    assert [ran.recap("hv1")["changed"] for ran in deployed] == [4, 4, 0]
    assert "+  " in deployed[0].output and "web1" in deployed[1].output
    assert site.virsh("domstate", "web1") == "running" and site.file("/var/db/apiary/seeds/web1.seed").exists()


def test_the_second_day(site, deployed, examples):
    before = site.virsh("domid", "web1")
    for command in (examples.text(SECOND_DAY, PLAYBOOK + "list"), examples.text("playbooks/list.yml", "ansible-playbook -i INVENTORY apiary.bhyve.list")):
        ran = site.run(command)
        assert ran.recap("hv1")["changed"] == 0 and "web1   hv1   running" in ran.output
    for page, command in ((SECOND_DAY, PLAYBOOK), ("playbooks/restart.yml", PLAYBOOK.replace("inventory", "INVENTORY"))):
        assert deploy(site, examples.text(page, command + "restart -e guest_names=web1"))["changed"] == 1
        assert site.virsh("domstate", "web1") == "running" and site.virsh("domid", "web1") != before
        before = site.virsh("domid", "web1")
    # On a host without ZFS these say that they need it.
    words = "-e guest_names=web1 -e guest_snapshot=before-upgrade"
    for verb, more in (("snapshot", ""), ("rollback", " -e guest_stop=true")):
        inventory = PLAYBOOK.replace("inventory", "INVENTORY")
        for page, command in ((SECOND_DAY, "%s%s %s%s" % (PLAYBOOK, verb, words, more)), ("playbooks/%s.yml" % verb, "%s%s %s" % (inventory, verb, words))):
            assert "web1: snapshots need ZFS" in site.run(examples.text(page, command), code=2).output
    assert site.virsh("domid", "web1") == before


def test_what_is_asked_and_told_on_the_second_day(site, examples):
    domains = {"domains": [{"name": "web1", "state": "running", "managed": {}, "disks": []}]}
    told = {"verb": "restart", "names": "web1", "definitions": {"web1": {"image": "demo"}}, "place": {"folder": "/var/lib/guests"}, "domains_found": domains,
            "asked": {}, "catalog": {}, "restarted": {"guests": {"web1": {"failed": True, "msg": "it hangs"}}}}
    pages = ["listing", "listing_options", "listing_table", "verb_failures", "verb_options", "verb_table"]
    said = [each["result"]["msg"] for each in site.play("hv1", *(examples.take(page)[0] for page in pages), guest_verb=told, guest_listed=told)]
    assert set(said[1]) == {"domains", "volumes"} and said[3] == ["web1: it hangs"]
    assert said[4]["web1"]["state"] == "running" and said[5][1].split() == ["web1", "failed"]


def test_everything_of_a_host_in_one_exchange(site, deployed, examples):
    ran = site.play("hv1", *examples.take("libvirt_host_info"))
    assert ran[-1]["result"]["msg"] == ["web1", "web1.raw"]


def test_plays_of_ones_own(site, deployed, examples):
    site.write("roles/our_own_role/tasks/main.yml", "- name: Work of our own\n  ansible.builtin.raw: 'true'\n  changed_when: false\n")
    for page, name in [(GUIDE, "- hosts: virtual_machine_hosts"), ("roles/guest/README.md", "- hosts: hypervisors")]:
        site.write("site.yml", examples.text(page, name))
        recap = deploy(site, "ansible-playbook -i inventory site.yml")
        assert (recap["changed"], recap["failed"]) == (0, 0) and recap["ok"] > 4


def test_what_the_filters_make_of_it(site, deployed, examples):
    """Each example sees what the role has registered."""
    seen = {word: deployed[1].results.of(task)[0] for word, task in REGISTERED.items()}
    place = {"folder": "/var/lib/guests", "seeds": "/var/db/apiary/seeds", "template": "uefi"}
    told = {"names": ["web1"], "definitions": "{{ bhyve_guests | apiary.bhyve.guest_definitions }}", "place": place, **seen}
    pages = [
        "deployment_table", "deployment_failures", "guests_elsewhere", "guests_here", "naming_problems", "size_in_bytes",
        "deployment_options", "guest_domains",
    ]
    tasks = [examples.take(page)[0] for page in pages]
    # What the role has by default, and finds among its own files.
    site.write("templates/domains/qemu.xml.j2", (TOP / "roles/guest/templates/domains/qemu.xml.j2").read_text())
    ran = site.play("hv1", *tasks, guest_deployment=told, deployment=told, guest_wait_timeout=120, guest_console_folder="/var/log/libvirt/guests")
    said = [each["result"].get("msg") for each in ran]
    assert said[0][1].split()[0] == "web1" and "FreeBSD-14.2-RELEASE-ZFS-20G-20250515" in said[0][1]
    assert said[1:4] == [[], {}, ["web1"]] and said[4] == "All assertions passed"
    assert said[5] == "<memory unit='b'>2147483648</memory>"
    assert [each["result"]["changed"] for each in ran[6:]] == [False, False]
    pages = [
        "guest_definitions", "fleet_faults", "deployment_refusal", "hosts_with_guests", "hosts_to_prepare", "hosts_of_repository", "hosts_with_clocks",
        "hosts_without_guests", "hosts_to_ask", "hosts_silent", "guest_interfaces",
    ]
    ran = site.play("hv1", *(examples.take(page)[0] for page in pages), guest_deployment=told)
    said = [each["result"]["msg"] for each in ran]
    assert said.pop().split()[2:5] == ["<source", "bridge='bridge0'/>", "</interface>"]
    assert said == ["192.0.2.11", ["web1"], "All assertions passed", "bhyve_hypervisors", "bhyve_hypervisors", "bhyve_repository", "all", [], [], []]


def test_what_the_filters_make_of_a_removal(site, deployed, examples):
    place = {"folder": "/var/lib/guests", "seeds": "/var/db/apiary/seeds"}
    told = {"names": ["web1"], "place": place, "domains": {"guests": {"web1": {"failed": True, "msg": "it hangs"}}}}
    pages = ["removal_table", "removal_failures", "guests_unknown", "guests_to_remove", "removal_problems", "removal_options"]
    *said, seeds = [each["result"] for each in site.play("hv1", *(examples.take(page)[0] for page in pages), guest_removal=told)]
    table, *said = [each["msg"] for each in said]
    assert table[1].split() == ["web1", "kept", "kept", "kept"] and said == [["web1: it hangs"], ["web9"], ["web1"], []] and seeds["changed"] is False


def test_the_guest_of_the_readme_takes_its_place(site, deployed, examples):
    site.write("inventory/host_vars/hv1.yml", examples.text("README.md", "# host_vars/hv1.yml: the only description of a guest"))
    command = examples.text("README.md", PLAYBOOK + "deploy")
    assert [deploy(site, command)["changed"] > 0 for _ in range(2)] == [True, False]
    assert site.file(DISK).stat().st_size == 40 << 30 and "web1" in site.virsh("list", "--autostart", "--name")


def test_it_is_removed(site, deployed, examples):
    guests = yaml.safe_load(site.file("/srv/site/inventory/host_vars/hv1.yml").read_text())["bhyve_guests"]
    site.write("inventory/host_vars/hv1.yml", json.dumps({"bhyve_guests": {**guests, "web2": guests["web1"]}}))
    task = "Remove seeds of guests whose domains are gone"
    seeds = examples.text("removal_options", task)
    place = {"folder": "/var/lib/guests", "seeds": "/var/db/apiary/seeds"}
    assert site.play("hv1", seeds, seeds, guest_removal={"names": ["web1"], "place": place}).changed(task) == [True, False]
    command = examples.text("playbooks/remove.yml", "ansible-playbook -i INVENTORY apiary.bhyve.remove -e bhyve_remove=web1,web2")
    assert [deploy(site, command)["changed"] > 0 for _ in range(2)] == [True, False]
    assert site.virsh("list", "--all", "--name") == "" and not site.file(DISK).exists()
    assert deploy(site, examples.text(GUIDE, PLAYBOOK + "remove -e bhyve_remove=web1"))["changed"] == 0


def test_guests_as_hosts_of_the_inventory(site, examples):
    site.inventory()
    hosts = {"hv1": examples.data(GUIDE, "bhyve_guests:")}
    site.write("inventory/10-hypervisors.yml", json.dumps({"all": {"hosts": hosts}}))
    site.write("inventory/20-guests.yml", examples.text("guests", ""))
    shown = json.loads(site.run("ansible-inventory -i inventory --list").output)
    assert shown["guests_on_hv1"]["hosts"] == shown["bhyve_guests"]["hosts"] == ["web1"]
    assert "192.0.2.11" in str(shown["_meta"]["hostvars"]["web1"]["ansible_host"])
