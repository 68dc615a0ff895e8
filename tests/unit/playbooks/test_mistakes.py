# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typical mistakes, through the real ansible-playbook: each gives one line that says what to do, in the words of who has made it."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys

import pytest

ANSIBLE_PLAYBOOK = pathlib.Path(sys.executable).with_name("ansible-playbook")
GUEST = {"image": "demo-1", "vcpus": 1, "memory": "1G", "bridge": "bridge0"}
# libvirt's own driver for tests, which needs no daemon.
LIBVIRT = {"guest_uri": "test:///default"}
OPEN = {"bhyve_catalog_signature_type": "none"}
PUBLISHED = {"bhyve_catalog_path": "/nowhere", "bhyve_catalog_signing_key": "/nowhere/key"}


def seeded(**seed):
    return {**GUEST, "seed": seed}


# What is wrong with a dictionary of guests, and the line. Each is a host of one play.
GUESTS = [
    ({"web1": {"imge": "demo-1", "vcpus": 1, "memory": "1G"}}, "web1: unknown key 'imge'; did you mean 'image'?; 'image' is missing"),
    ({"web2": {**GUEST, "memory": 2048}}, "web2: 'memory' is 2048 bytes; did you mean 2048M?"),
    ({"web3": {**GUEST, "disk": 40}}, "web3: 'disk' is 40 bytes; did you mean 40G?"),
    ([{"name": "web4", **GUEST}], "bhyve_guests must be a dictionary of guests, found a list"),
    ({"web5": "demo-1"}, "web5: expected a dictionary with image, vcpus and memory, found 'demo-1'"),
    ({"web6": {**GUEST, "template": "uefy"}},
     "web6: no template 'uefy'; known are loader, qemu, uefi, and templates/domains/uefy.xml.j2 beside the playbook"),
    ({"web7": seeded(addresses=["192.0.2.11"])},
     "web7: seed address '192.0.2.11' has no prefix length: write 192.0.2.11/24 if the network has that size"),
    ({"web_8": seeded()}, "web_8: 'web_8' cannot be its host name; set seed.hostname"),
    ({"web9": {**GUEST, "wait_for": {"port": 22}}},
     "web9: 'wait_for.port' has no host, and the guest has no fixed address to take: say 'wait_for.host'"),
    ({"web10": {**GUEST, "vcpus": "two"}}, "web10: 'vcpus' must be a whole number, found 'two'"),
    ({"web11": {**GUEST, "autostart": "maybe"}}, "web11: 'autostart' must be true or false, found 'maybe'"),
    ({"web12": {**GUEST, "state": "absent"}},
     "web12: 'state' must be one of running, shutoff, present, found 'absent'; apiary.bhyve.remove takes a guest away"),
    ({"web13": {**GUEST, "hostname": "x.example.org"}}, "web13: unknown key 'hostname'; did you mean 'seed.hostname'?"),
    ({"web14": seeded(ssh_keys="/root/.ssh/id_ed25519.pub")},
     "web14: 'seed.ssh_keys[0]' must be one whole line of a file that ssh-keygen has written, such as ~/.ssh/id_ed25519.pub; "
     "neither dots in place of the key nor a private key"),
]
# What is wrong with other variables of a host, found by asking it.
VARIABLES = [
    ({}, 'reading variable `bhyve_catalog`: reading repository "": it is empty; set it to ssh://USER@HOST, https://HOST/PATH, an absolute path or the name '
         "of a repository of pkg(8)"),
    ({"bhyve_catalog": "ftp://repo.example.org/x", **OPEN},
     'reading variable `bhyve_catalog`: reading repository "ftp://repo.example.org/x": ftp:// is not served; use a path, file, http, https or ssh'),
    ({"bhyve_catalog": "/nowhere"},
     "variable `bhyve_catalog_pubkey` is missing: signature_type pubkey needs a file with the public key; signature_type none takes a catalogue from anyone"),
    ({"bhyve_catalog": "/nowhere", "bhyve_catalog_pubkey": "/nowhere.pub"}, "reading public key /nowhere.pub: No such file or directory (os error 2)"),
    ({"bhyve_catalog": "/nowhere", **OPEN}, "reading the catalogue of /nowhere: opening catalogue /nowhere: No such file or directory (os error 2)"),
]
# Playbooks, variables of their one host, more words of the command, and the line.
COMMANDS = [
    ("deploy", {"bhyve_guests": {"web1": GUEST}}, ["-e", "guest_names=wbe1"],
     "looking for guests: expected names of guests of these hosts, found wbe1; they have: web1; did you mean web1?"),
    ("deploy", {"bhyve_guest": {"web1": GUEST}}, [], "found no guests, and a variable bhyve_guest; did you mean bhyve_guests?"),
    ("deploy", {"bhyve_guests": {"web1": GUEST}}, ["--tags", "images"],
     "running apiary.bhyve.deploy: expected no tags, because none of its tasks has one, found --tags images; "
     "leave that out: what is as it should be is left alone"),
    ("remove", {"bhyve_guests": {"web1": GUEST}}, ["-e", "bhyve_remove=web1, web2"],
     "found 'web2' after a blank in -e: write names with commas alone, as in -e bhyve_remove=web1,web2"),
    ("restart", {"bhyve_guests": {"web1": GUEST}}, [],
     "Say which guests to restart, with commas alone between them, as in -e guest_names=web1,web2, or -e guest_names=all; add --check to look first."),
    ("publish", {}, [],
     "publishing images: expected bhyve_images and bhyve_catalog_path and bhyve_catalog_signing_key to be set for this host, as a variable of it or of "
     "the group bhyve_repository, or with -e"),
    ("publish", {"bhyve_images": "demo", **PUBLISHED}, [],
     "publishing images: expected bhyve_images to be a dictionary of images, or a list of them, found text"),
    ("publish", {"bhyve_images": [{"name": "demo", "verison": "1", "source": "/x"}], **PUBLISHED}, [],
     "image demo in bhyve_images: unknown key 'verison'; did you mean 'version'?; it has no version"),
    ("repository", {"image_repository_clients": ["ssh-ed25519 AAAA... root@hv1"], "ansible_python_interpreter": sys.executable}, [],
     "image_repository_clients: expected public keys without options, each one whole line of a file that ssh-keygen has written, found "
     "ssh-ed25519 AAAA... root@hv1"),
    ("ntp", {}, ["-e", "ntp_fail_on=crit"], "ntp_fail_on must be one of never, critical, unknown, warning, found crit"),
    ("ntp", {}, ["-e", "ntp_offset_warning=soon", "-e", "ntp_become=false"], "ntpd_check: variable ntp_offset_warning must be a number, found 'soon'"),
]
# What is wrong with the variables of a repository, and the line. Each is a host of one play.
REPOSITORIES = [
    ({"image_repository_server": "pkg"},
     "image_repository_server: expected program on Linux, where nothing confines pkg's own server to the catalogue, found pkg; leave it out"),
    ({"image_repository_http_certificate": "/etc/ssl/repo.pem"},
     "image_repository_http_key: expected a file to go with image_repository_http_certificate, found nothing; set both for https, or neither"),
    ({"image_repository_http_key": "/etc/ssl/repo.key"},
     "image_repository_http_certificate: expected a file to go with image_repository_http_key, found nothing; set both for https, or neither"),
    ({"image_repository_path": "/srv/my images"},
     "image_repository_path: expected an absolute path of letters, digits and / . _ -, found '/srv/my images'; choose another place"),
    ({"image_repository_mirror_settings": "mirror.json"},
     "image_repository_mirror_settings: expected an absolute path of letters, digits and / . _ -, found 'mirror.json'; choose another place"),
    ({"image_repository_program": "/usr/local/libexec/images"},
     "image_repository_program: expected a path that ends in bhyve_catalog_server, by which the program knows what to be, found "
     "/usr/local/libexec/images; set it to /usr/local/libexec/bhyve_catalog_server"),
    ({"image_repository_mirror_program": "/usr/local/libexec/mirror"},
     "image_repository_mirror_program: expected a path that ends in bhyve_catalog_mirror, by which the program knows what to be, found "
     "/usr/local/libexec/mirror; set it to /usr/local/libexec/bhyve_catalog_mirror"),
    ({"image_repository_mirror_schedule": "hourly"},
     "image_repository_mirror_schedule: expected five fields of crontab(5) as in */15 * * * *, found 'hourly'; write five, with one blank between them, "
     "or leave it empty for never"),
    ({"image_repository_home": "/var/db/apiary/catalog/home"},
     "image_repository_home: expected a folder outside of image_repository_path, /var/db/apiary/catalog, found /var/db/apiary/catalog/home; "
     "choose another place"),
    ({"image_repository_path": "/var/db/apiary/repository/images"},
     "image_repository_path: expected a folder outside of image_repository_home, /var/db/apiary/repository, found /var/db/apiary/repository/images; "
     "choose another place"),
    ({"image_repository_home": "/srv/images", "image_repository_path": "/srv/images/", "image_repository_mirror_schedule": "* * * *"},
     "image_repository_mirror_schedule: expected five fields of crontab(5) as in */15 * * * *, found '* * * *'; write five, with one blank between them, "
     "or leave it empty for never; "
     "image_repository_home: expected a folder outside of image_repository_path, /srv/images/, found /srv/images; choose another place"),
]
# Tasks of one's own.
TASKS = [
    ("zfs_receive", {"datset": "tank/x"}, "zfs_receive: unknown option datset; did you mean dataset?"),
    ("libvirt_domain", {"name": "x", "wait_for": "port 22"}, "libvirt_domain: option wait_for must be a dictionary, found text"),
    ("zfs_receive", {"guests": ["web1"]}, "zfs_receive: 'guests' must be a dictionary with the options of each guest by its name, found a list"),
    ("ntpd_check", {"min_peers": "many"}, "ntpd_check: option min_peers must be a whole number, found 'many'"),
    ("bhyve_image_info", {"repository": "ftp://x", **{"signature_type": "none"}},
     'reading option `repository`: reading repository "ftp://x": ftp:// is not served; use a path, file, http, https or ssh'),
]
FAILED = re.compile(r"^(?:fatal|failed): \[(\S+?)\].*? => (\{.*)$", re.M)
# Nobody who uses Ansible has to know what Python calls things.
PYTHONS = re.compile(r"<class|Ansible[A-Z]\w+|_Ansible|NoneType|object of type|Traceback|Error:")


@pytest.fixture
def play(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))

    def run(playbook, inventory, *words):
        """What each host was told, and all that was said."""
        (tmp_path / "hosts.json").write_text(json.dumps(inventory))
        command = [ANSIBLE_PLAYBOOK, "-i", tmp_path / "hosts.json", "-c", "local", playbook, *words]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        told = {}
        for host, result in FAILED.findall(done.stdout):
            said = json.loads(result)["msg"]
            told.setdefault(host, []).append(said if isinstance(said, str) else "; ".join(said))
        assert done.returncode or "ignored" in done.stdout, done.stdout
        return told, done.stdout + done.stderr

    return run


def names(mistakes):
    return ["host%d" % number for number, _mistake in enumerate(mistakes)]


def test_there_are_enough():
    assert len(GUESTS + VARIABLES + COMMANDS + REPOSITORIES + TASKS) >= 45


def test_mistakes_in_a_guest(play):
    told, said = play("apiary.bhyve.deploy", {"all": {"hosts": {host: {"bhyve_guests": guests} for host, (guests, _line) in zip(names(GUESTS), GUESTS)}}})
    assert {host: lines[-1] for host, lines in told.items()} == {host: line for host, (_guests, line) in zip(names(GUESTS), GUESTS)}, said
    assert "TASK [apiary.bhyve.guest : Fetch" not in said


@pytest.mark.usefixtures("apiary")
def test_mistakes_in_variables(play, tmp_path):
    places = {**LIBVIRT, "guest_folder": str(tmp_path), "guest_image_store": str(tmp_path / "store"), "guest_seed_folder": str(tmp_path)}
    hosts = {host: {"bhyve_guests": {"g" + host: GUEST}, **places, **variables} for host, (variables, _line) in zip(names(VARIABLES), VARIABLES)}
    told, said = play("apiary.bhyve.deploy", {"all": {"hosts": hosts}})
    lines = {host: "g%s: %s" % (host, line) for host, (_variables, line) in zip(names(VARIABLES), VARIABLES)}
    assert {host: lines[-1] for host, lines in told.items()} == lines, said


@pytest.mark.usefixtures("apiary")
@pytest.mark.parametrize(("playbook", "variables", "words", "line"), COMMANDS)
def test_mistakes_of_a_command(play, playbook, variables, words, line):
    group = "bhyve_repository" if playbook in ("publish", "repository") else "all"
    told, said = play("apiary.bhyve." + playbook, {group: {"hosts": {"hv1": variables}}}, *words)
    # What cannot be begun fails for no host.
    assert told.get("hv1", [line])[0] == line and line in " ".join(said.replace("\\n", " ").split()), said
    assert not any(map(PYTHONS.search, told.get("hv1", ())))


def test_mistakes_of_a_repository(play):
    plain = {"ansible_python_interpreter": sys.executable}
    hosts = {host: {**plain, **variables} for host, (variables, _line) in zip(names(REPOSITORIES), REPOSITORIES)}
    told, said = play("apiary.bhyve.repository", {"bhyve_repository": {"hosts": hosts}})
    assert told == {host: [line] for host, (_variables, line) in zip(names(REPOSITORIES), REPOSITORIES)}, said
    assert "TASK [apiary.bhyve.image_repository : Make the folder" not in said


@pytest.mark.usefixtures("apiary")
def test_mistakes_in_tasks(play, tmp_path):
    tasks = [{"apiary.bhyve." + module: options, "ignore_errors": True} for module, options, _line in TASKS]
    (tmp_path / "play.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    told, said = play(tmp_path / "play.yml", {"all": {"hosts": {"hv1": {}}}})
    assert told["hv1"] == [line for _module, _options, line in TASKS], said
