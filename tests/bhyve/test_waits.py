# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a guest on bhyve, and what its driver cannot do."""

from __future__ import annotations

import pytest

from null_modem import NullModem
from patience import patience


@pytest.fixture
def modem(host):
    made = NullModem(host.folder, "nmdm-web1")
    yield made
    made.close()


def test_the_console_is_the_null_modem(host, modem):
    wanted = {"name": "web1", "xml": host.xml("web1", devices=modem.serial()), "state": "running"}
    reply = host.good(**wanted, wait_for={"console": "web1 has booted", "timeout": patience(60)})
    assert (reply["changed"], reply.get("warnings")) == (True, None)
    again = host.good(**wanted, wait_for={"console": "web1 has booted", "timeout": patience(60)})
    assert again["changed"] is False


def test_what_an_earlier_instance_wrote_is_not_waited_for(host, modem):
    """Terminals keep what nobody has read; the guest of this test writes another text."""
    with open(modem.halves["A"], "wb", buffering=0) as master:
        master.write(b"rescue shell of an earlier boot\n")
    wanted = {"name": "web1", "xml": host.xml("web1", devices=modem.serial()), "state": "running"}
    reply = host.run(**wanted, wait_for={"console": "rescue shell", "timeout": 2})
    assert "expected \"rescue shell\" on its console within 2 s" in reply["msg"] and "web1 has booted" in reply["msg"], reply


@pytest.mark.parametrize(
    ("wait", "words"),
    [({"agent": True}, "expected libvirt 12.4 or newer for `agent` on bhyve, found 11.3.0"), ({"console": "login:"}, "a <serial type='nmdm'>, found none")],
)
def test_what_cannot_come_is_refused_before_anything_is_done(host, wait, words):
    reply = host.run(name="web1", xml=host.xml("web1"), state="running", wait_for=wait)
    assert words in reply["msg"] and host.virsh("list", "--all", "--name") == "", reply


def test_what_the_driver_leaves_out_is_told_or_refused(host):
    xml = host.xml("web1")
    lossy = xml.replace("</loader>", "</loader><nvram>/var/db/web1_VARS.fd</nvram>").replace("<on_reboot>restart", "<on_reboot>destroy")
    reply = host.good(name="web1", xml=lossy, state="present")
    assert ["<nvram>" in reply["warnings"][0], "<on_reboot>" in reply["warnings"][1]] == [True, True], reply
    assert host.good(name="web1", xml=lossy, state="present").get("warnings") is None
    writable = xml.replace("bus='virtio'/>", "bus='virtio'/><readonly/>")
    reply = host.run(name="web1", xml=writable, state="present")
    assert "to be <readonly/>, found that libvirt 11.3.0 does not pass that to bhyve" in reply["msg"], reply


def test_what_bhyve_cannot_run_is_refused_in_check_mode(host):
    block = "<disk type='block'><source dev='/dev/null'/><target dev='vdb'/></disk>"
    reply = host.run(check=True, name="web1", xml=host.xml("web1", devices=block), state="running")
    assert reply["msg"].startswith("translating the definition into bhyve's arguments: unsupported configuration: "), reply


def test_check_mode_shows_the_command_that_runs(host):
    reply = host.run(check=True, name="web1", xml=host.xml("web1"), state="running")
    assert reply["bhyve_commands"].startswith("/usr/sbin/bhyve -c 1 -m 256 ") and reply["bhyve_commands"].rstrip().endswith(" web1")


def test_another_driver_is_not_there(host):
    reply = host.run(name="web1", uri="qemu:///system")
    assert reply["msg"].startswith("connecting to qemu:///system: no connection driver available"), reply
    assert reply["msg"].endswith("; install this driver's daemon, or set the option `uri` to one that is there"), reply
