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

ANSIBLE_PLAYBOOK = pathlib.Path(sys.executable).with_name("ansible-playbook")
GUEST = {"image": "demo-1", "vcpus": 1, "memory": "1G"}
# libvirt's own driver for tests, which needs no daemon and has a domain, but none of ours.
LIBVIRT = {"guest_uri": "test:///default"}


@pytest.fixture
def play(tmp_path, monkeypatch):
    # Nobody else removes the program that is kept there.
    monkeypatch.setenv("HOME", str(tmp_path))

    def run(playbook, inventory, *words):
        (tmp_path / "hosts.json").write_text(json.dumps(inventory))
        command = [ANSIBLE_PLAYBOOK, "-i", str(tmp_path / "hosts.json"), "-c", "local", "apiary.bhyve." + playbook, *words]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return run


def test_a_key_that_says_nothing_of_an_image_is_not_published(play):
    image = {"name": "demo-1", "version": "1", "source": "/dev/null", "requirments": {"memory": "1G"}}
    told = {"bhyve_images": [image], "bhyve_catalog_path": "/nowhere", "bhyve_catalog_signing_key": "/nowhere/key"}
    code, said = play("publish", {"bhyve_repository": {"hosts": {"repo": told}}})
    assert code == 2 and "unknown key 'requirments'; did you mean 'requirements'?" in said


@pytest.mark.parametrize("playbook", ["publish", "repository"])
def test_only_hosts_of_the_group_serve_images(play, playbook):
    code, said = play(playbook, {"all": {"hosts": {"web1": {}}}})
    assert code > 0 and "expected hosts in the group bhyve_repository of the inventory, found none; put them there, or say -e" in said


@pytest.mark.parametrize("words", [[], ["--limit", "web1"], ["--list-hosts"]])
def test_only_hosts_of_the_group_become_hypervisors(play, words):
    code, said = play("hypervisor", {"all": {"hosts": {"web1": {}}}}, *words)
    assert code > 0 and "expected hosts in the group bhyve_hypervisors of the inventory, found none; put them there, or say -e bhyve_hosts=" in said
    assert play("hypervisor", {}, *words)[0] > 0 and play("hypervisor", {}, "--syntax-check")[0] == 0
    code, said = play("hypervisor", {"all": {"hosts": {"web1": {}}}}, "--list-hosts", "-e", "bhyve_hosts=web1")
    assert code == 0 and "hosts (1): web1" in said


@pytest.mark.parametrize(("playbook", "aimed_at"), [
    ("hypervisor", {"hv1"}), ("deploy", {"hv1"}), ("remove", {"hv1"}), ("ntp", {"hv1", "repo1"}),
])
def test_neither_guests_nor_other_hosts_are_meant(tmp_path, playbook, aimed_at):
    """db9 is a guest that the inventory knows as a host, too."""
    (tmp_path / "10-hosts.yml").write_text("all: {hosts: {hv1: {ansible_connection: local}, db9: {}, repo1: {}}}")
    (tmp_path / "20-guests.yml").write_text("plugin: apiary.bhyve.guests")
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars/hv1.yml").write_text(json.dumps({"bhyve_guests": {"db9": GUEST, "web1": GUEST}}))
    command = [ANSIBLE_PLAYBOOK, "-i", str(tmp_path), "apiary.bhyve." + playbook, "--list-hosts"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0 and {line.strip() for line in done.stdout.splitlines() if line.startswith("      ")} == aimed_at, done.stdout


def test_a_host_without_guests_is_left_alone(play):
    code, said = play("deploy", {"all": {"hosts": {"hv1": {}, "hv2": {"bhyve_guests": {}, **LIBVIRT}}}})
    assert code == 0 and "hv2 : ok=" in said and "0 guests" not in said, said
    assert "hv1" not in said.partition("PLAY [Deploy guests]")[2].partition("PLAY RECAP")[0] and "changed=0" in said.partition("hv1 :")[2], said
    assert said.count("Leave alone who has no guests") == 1


def test_a_hypervisor_without_guests_is_looked_at(play):
    """It may still run one that has left its dictionary."""
    hosts = {"hv%d" % number: LIBVIRT for number in range(3)}
    code, said = play("deploy", {"bhyve_hypervisors": {"hosts": hosts}})
    assert code == 0 and said.count("TASK [Leave alone") == 1 and "guest state" not in said, said
    # Now that the program is kept there, that look is all that it costs.
    for words in ([], ["--check"]):
        code, said = play("deploy", {"bhyve_hypervisors": {"hosts": hosts}}, "-vvv", *words)
        assert code == 0 and [said.count("<hv%d> EXEC" % number) for number in range(3)] == [1, 1, 1], said


@pytest.mark.usefixtures("apiary")
def test_what_is_omitted_is_not_there(play, tmp_path):
    omitted = "{{ nothing | default(omit) }}"
    guest = {**GUEST, "bridge": "b0", "disk": omitted, "seed": {"hostname": omitted, "mtu": omitted, "users": [{"name": "ada", "shell": omitted}]}}
    code, said = play("deploy", {"all": {"hosts": {"hv1": {"bhyve_guests": {"web1": guest}, **LIBVIRT}}}}, "-e", "guest_image_store=%s" % tmp_path)
    assert code == 2 and "Fetch and verify images" in said and "reading variable `bhyve_catalog`" in said, said


@pytest.mark.usefixtures("apiary")
def test_a_port_and_an_address_of_the_seed_are_enough(play, tmp_path):
    """As far as the first task that asks a host for something."""
    seed = {"mac": "52:54:00:00:00:01", "addresses": ["192.0.2.16/24"]}
    guests = {"web3": {**GUEST, "network": "user", "template": "qemu", "seed": seed, "wait_for": {"port": 22}}}
    code, said = play("deploy", {"all": {"hosts": {"hv1": {"bhyve_guests": guests, **LIBVIRT}}}}, "-e", "guest_image_store=%s" % tmp_path)
    assert code == 2 and "reading variable `bhyve_catalog`" in said, said


@pytest.mark.parametrize(("guests", "reason"), [
    ({"web2": {**GUEST, "memory": 2048}}, "web2: 'memory' is 2048 bytes; did you mean 2048M?"),
    ({"web_2": {**GUEST, "bridge": "b0", "seed": {}}}, "web_2: 'web_2' cannot be its host name; set seed.hostname"),
    ({"web3": {**GUEST, "template": "uefy"}}, "web3: no template 'uefy'; known are loader, qemu, uefi, and templates/domains/uefy.xml.j2"),
    ({"web4": {**GUEST, "seed": {"addresses": ["{{ missing }}.2/24"]}}}, "missing"),
])
def test_a_guest_is_refused_before_its_host_is_touched(play, guests, reason):
    code, said = play("deploy", {"all": {"hosts": {"hv1": {"bhyve_guests": guests}}}})
    assert code == 2 and reason in said and "TASK [apiary.bhyve.guest : Fetch" not in said, said


def test_a_template_that_cannot_be_rendered_is_told_before_a_host_is_touched(play, tmp_path):
    template = tmp_path / "own.xml.j2"
    template.write_text("{{ said_by_nobody }}")
    code, said = play("deploy", {"all": {"hosts": {"hv1": {"bhyve_guests": {"web1": {**GUEST, "template": str(template)}}}}}})
    assert code == 2 and "said_by_nobody" in said and "own.xml.j2 for guest web1" in said and "Look which domains are there" not in said, said


@pytest.mark.usefixtures("apiary")
def test_what_has_failed_is_told_below_the_table(play, tmp_path):
    code, said = play("deploy", {"all": {"hosts": {"hv1": {"bhyve_guests": {"web1": GUEST}, **LIBVIRT}}}}, "-e", "guest_image_store=%s" % tmp_path)
    table, told, reasons = said.partition("seconds on the host for 1 guest")
    assert code == 2 and told and "web1 failed" in table and "web1: reading variable `bhyve_catalog`" in reasons, said


def test_a_guest_that_nobody_has_is_not_removed(play):
    hosts = {"hv1": {"bhyve_guests": {"web1": GUEST}, **LIBVIRT}, "hv2": LIBVIRT}
    guests = {"hosts": {"web1": {}}}
    code, said = play("remove", {"all": {"hosts": hosts}, "bhyve_guests": guests}, "-e", '{"bhyve_remove": "web1, web9"}')
    assert code == 2 and "expected names of guests of these hosts, found web9; they have: web1" in said
    assert "ok: [web1" not in said and "web1 :" not in said


@pytest.mark.usefixtures("apiary")
def test_names_for_other_playbooks_name_nobody_who_is_removed(play, tmp_path):
    hosts = {"hv1": {"bhyve_guests": {"web1": GUEST, "web2": GUEST}, "guest_folder": str(tmp_path), **LIBVIRT}}
    code, said = play("remove", {"all": {"hosts": hosts}}, "-e", "bhyve_remove=web2", "-e", "guest_names=web1", "--check")
    table = said.partition("Show what was removed")[2]
    assert code == 0 and "web2 none" in table and "web1" not in table, said


@pytest.mark.parametrize(("words", "reason"), [
    ([], "Say which guests to remove, as in -e bhyve_remove=web1,web2"),
    (["-e", "bhyve_remove="], "Say which guests"),
    (["-e", "bhyve_remove=,"], "Say which guests"),
    (["-e", '{"bhyve_remove": []}'], "Say which guests"),
    (["-e", "bhyve_remove=web1, web2 web3"], "found 'web2 web3' after a blank in -e: write names with commas alone"),
    (["-e", "bhyve_remove='web1 web9'"], "found web9; they have: web1, web2"),
    (["-e", '{"bhyve_remove": ["web1", "web 2"]}'], "found web 2; they have: web1, web2"),
    (["-e", "bhyve_remove=web1,all"], "found all; they have: web1, web2"),
])
def test_whom_to_remove_has_to_be_said(play, tmp_path, words, reason):
    hosts = {"hv1": {"bhyve_guests": {"web1": GUEST, "web2": GUEST}, "guest_folder": str(tmp_path), **LIBVIRT}}
    code, said = play("remove", {"all": {"hosts": hosts}}, *words)
    assert code == 2 and reason in said and "Stop and undefine" not in said, said


def test_a_guest_that_nobody_has_is_not_deployed(play):
    hosts = {"hv1": {"bhyve_guests": {"web1": GUEST}}, "hv2": {"bhyve_guests": {"web2": GUEST}}}
    code, said = play("deploy", {"all": {"hosts": hosts}}, "-e", "guest_names=web2,wbe1")
    assert code == 2 and "found wbe1; they have: web1, web2" in said and "Fetch" not in said


def test_names_are_judged_on_every_host(play):
    hosts = {"hv1": {"bhyve_guests": {"web1": GUEST}, **LIBVIRT}, "hv2": {"bhyve_guests": {"web2": GUEST}, "guest_names": ["wbe2"], **LIBVIRT}}
    code, said = play("deploy", {"all": {"hosts": hosts}})
    assert code == 2 and "found wbe2; they have: web1, web2" in said and "ok: [hv1]" in said.partition("Fetch and verify images")[2]


def test_a_host_that_cannot_be_read_is_alone_with_that(play):
    hosts = {"hv1": {"bhyve_guests": {"web1": GUEST}, **LIBVIRT}, "hv2": {"bhyve_guests": "{{ nothing_at_all }}", **LIBVIRT}}
    code, said = play("deploy", {"all": {"hosts": hosts}})
    assert code == 2 and "nothing_at_all" in said and "ok: [hv1]" in said.partition("Fetch and verify images")[2], said


@pytest.mark.parametrize("broken", [
    {**GUEST, "memory": "{{ nothing_at_all }}"}, {**GUEST, "seed": {"addresses": ["{{ nothing_at_all }}.2/24"]}},
    {**GUEST, "vars": {"shares": ["{{ nothing_at_all }}"]}},
])
def test_a_guest_that_cannot_be_read_is_alone_with_that(play, tmp_path, broken):
    hosts = {"hv1": {"bhyve_guests": {"web1": GUEST, "web2": broken, "web3": GUEST}, "guest_folder": str(tmp_path), **LIBVIRT}}
    code, said = play("deploy", {"all": {"hosts": hosts}}, "-e", "guest_image_store=%s" % tmp_path)
    assert code == 2 and "nothing_at_all" in said.partition("Show the guests, and fail where one has failed")[2].partition("web2: ")[2], said
    assert "reading variable `bhyve_catalog`" in said and said.count("web1: ") and "web2 failed" in said
    code, said = play("remove", {"all": {"hosts": hosts}}, "-e", "bhyve_remove=all", "--check")
    assert code == 0 and "3 of 3 guests would be removed" in said, said


@pytest.mark.parametrize(("guests", "words", "told"), [
    ({"www1": GUEST}, ["-e", "guest_names=web1"], "Say which guest, and how its key in bhyve_guests is called now"),
    ({"db1": GUEST}, ["-e", "guest_names=web1", "-e", "guest_new_name=www1"], "expected www1 in bhyve_guests of one of these hosts, found none; rename the key web1"),
    ({"web1": GUEST}, ["-e", "guest_names=web1", "-e", "guest_new_name=www1"], "expected web1 in no bhyve_guests any more, found it on hv1; rename the key web1"),
])
def test_a_rename_fits_the_dictionary_or_says_how(play, guests, words, told):
    code, said = play("rename", {"bhyve_hypervisors": {"hosts": {"hv1": {"bhyve_guests": guests, **LIBVIRT}}}}, *words)
    assert code == 2 and told in said
