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
