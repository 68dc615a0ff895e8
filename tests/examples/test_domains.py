# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of libvirt_domain and libvirt_domain_info: a guest that boots, changes, obeys and goes."""

from __future__ import annotations

import re

import pytest

from documented import TOP

PAGE = "libvirt_domain"
DEFINE = "Define and start a guest from a template, and wait until it can be logged in to"
CHANGE = "Give it a new definition, and restart it if it does not run that"
SEVERAL = "Define and start several guests side by side, and wait for all of them"
STOP = "Shut a guest down, and power it off when it has not obeyed after two minutes"
RESTART = "Restart a guest, whatever it runs"
ORDER = "Have the host start the database first, and the others half a minute later"
REMOVE = "Remove a domain, running or not; its disks stay"


@pytest.fixture
def play(site, disk, libvirt):
    """Runs tasks where the template web1.xml.j2 is one of the role's."""
    site.inventory(["hv1"])
    site.write("templates/web1.xml.j2", (TOP / "roles/guest/templates/domains/qemu.xml.j2").read_text())
    site.machine.sh("cp --sparse=always $1 /srv/web1.raw", disk)
    seen = {"guest_disk": "/srv/web1.raw", "guest_seed": "", "guest_console_log": "/var/log/libvirt/guests/web1.log"}

    def run(*tasks, memory="32M"):
        return site.play("hv1", *tasks, guest={"name": "web1", "memory": memory, "accelerator": "tcg"}, **seen)

    return run


def test_several_guests(site, play, examples):
    template = site.file("/srv/site/templates/web1.xml.j2").read_text()
    site.machine.sh("cp --sparse=always /srv/web1.raw /srv/web2.raw")
    other = re.sub(r"\bguest_disk\b", "'/srv/web2.raw'", template.replace("guest.name", "'web2'")).replace("guest_console_log", "'/var/log/libvirt/guests/web2.log'")
    site.write("templates/web2.xml.j2", other)
    several, remove = examples.text(PAGE, SEVERAL), examples.text(PAGE, REMOVE)
    ran = play(several, several, remove, remove.replace("name: web1", "name: web2"))
    assert ran.changed(SEVERAL) == [True, False]
    guests = ran.of(SEVERAL)[0]["guests"]
    assert [(guests[name]["domain"]["state"], guests[name]["domain"]["autostart"]) for name in ("web1", "web2")] == [("running", True), ("running", False)]
    assert "login:" in site.file("/var/log/libvirt/guests/web2.log").read_text()


BARE = "<domain type='qemu'><name>$1</name><memory unit='MiB'>16</memory><os><type arch='x86_64'>hvm</type></os></domain>"


def test_guests_in_an_order(site, play, examples):
    order, names = examples.text(PAGE, ORDER), ("db1", "web1", "web2")
    site.machine.sh('install -D -m 755 "$1/roles/hypervisor/files/apiary-guests" /usr/local/libexec/apiary-guests', TOP)
    for name in names:
        site.machine.sh('echo "%s" >/srv/bare.xml; virsh -q define /srv/bare.xml' % BARE, name)
    assert play(order, order).changed(ORDER) == [True, False]
    turns = site.machine.sh("/usr/local/libexec/apiary-guests list").splitlines()
    assert [line.split("\t") for line in turns] == [["10", "30", "shut off", "db1"], ["20", "0", "shut off", "web1"], ["20", "0", "shut off", "web2"]]
    for name in names:
        site.virsh("undefine", name)


def test_a_guest_as_the_examples_have_it(site, play, examples):
    define = examples.text(PAGE, DEFINE)
    ran = play(define, define)
    assert ran.changed(DEFINE) == [True, False]
    assert ran.of(DEFINE)[0]["domain"]["state"] == "running" and site.virsh("domstate", "web1") == "running"
    assert "login:" in site.file("/var/log/libvirt/guests/web1.log").read_text()
    assert "web1" in site.virsh("list", "--autostart", "--name")
    before = site.virsh("domid", "web1")

    # A definition that it does not run yet is what the other module tells of.
    look = examples.take("libvirt_domain_info")
    ran = play(define, *look, memory="48M")
    assert ran.changed(DEFINE) == [True] and ran.of(DEFINE)[0]["domain"]["restart_required"] is True
    assert [domain["name"] for domain in ran[1]["result"]["domains"]] == ["web1"]
    assert ran[-1]["result"]["msg"] == ["web1"] and site.virsh("domid", "web1") == before

    change = examples.text(PAGE, CHANGE)
    ran = play(change, change, *look, memory="48M")
    assert ran.changed(CHANGE) == [True, False] and ran[-1]["result"]["msg"] == []
    changed = site.virsh("domid", "web1")
    assert changed != before
    assert play(examples.text(PAGE, RESTART)).changed(RESTART) == [True] and site.virsh("domid", "web1") != changed

    stop = examples.text(PAGE, STOP)
    ran = play(stop, stop)
    assert ran.changed(STOP) == [True, False]
    # It was not powered off, which libvirt would call destroyed.
    assert site.virsh("domstate", "web1", "--reason") == "shut off (shutdown)"

    remove = examples.text(PAGE, REMOVE)
    assert play(remove, remove).changed(REMOVE) == [True, False]
    assert site.virsh("list", "--all", "--name") == "" and site.file("/srv/web1.raw").exists()
