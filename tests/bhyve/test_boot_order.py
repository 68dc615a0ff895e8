# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests that start with the host in their turn, where libvirt's driver forgets what is set while they run."""

from __future__ import annotations

import pytest

from host import URI
from patience import patience

TURN = {"autostart": True, "order": 10, "delay": 3}


def wanted(host, name="web1", memory=256, **more):
    return {"name": name, "xml": host.xml(name, memory=memory), **TURN, **more}


def marks(host):
    return sorted(link.stem for link in (host.folder / "etc/bhyve/autostart").glob("*.xml"))


def told(host, name="web1"):
    (domain,) = host.good(program="libvirt_domain_info", name=name)["domains"]
    return domain["autostart"], domain["order"], domain["delay"]


def once(host, **options):
    """Check, run, check, run: a change is told and made once."""
    replies = [host.good(check=check, **options) for check in (True, False, True, False)]
    assert [reply["changed"] for reply in replies] == [True, True, False, False]
    assert replies[0]["diff"] == replies[1]["diff"]
    return replies[1]


def script(host, verb, code=0):
    environment = ["env", f"APIARY_GUESTS_URI={URI}", f"APIARY_GUESTS_PIDFILE={host.folder}/start.pid", f"APIARY_GUESTS_STOP_TIMEOUT={int(patience(60))}"]
    done = host.inside(*environment, "/usr/local/libexec/apiary-guests", verb, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return [line.split(",")[0] for line in done.stdout.splitlines()]


@pytest.mark.parametrize("state", ["running", "shutoff"])
def test_a_turn_takes_the_place_of_the_mark(host, state):
    host.good(**wanted(host, state=state, order=None, delay=None))
    assert (marks(host), told(host)) == (["web1"], (True, None, None))
    once(host, **wanted(host, state=state))
    assert (marks(host), told(host)) == ([], (True, 10, 3))
    once(host, **wanted(host, state=state, order=11))
    assert (marks(host), told(host)) == ([], (True, 11, 3))
    # What the next boot of the host will read.
    assert "order='11' delay='3'" in (host.folder / "etc/bhyve/web1.xml").read_text().replace('"', "'")
    once(host, **wanted(host, state=state, order=None, delay=None))
    assert (marks(host), told(host)) == (["web1"], (True, None, None))
    once(host, name="web1", state=state, autostart=False)
    assert (marks(host), told(host)) == ([], (False, None, None))


def test_a_turn_survives_what_the_driver_forgets(host):
    once(host, **wanted(host))
    # A definition that waits for the next start, a turn that is changed meanwhile, a stop, and libvirt's daemon anew.
    assert once(host, **wanted(host, memory=512))["domain"]["restart_required"] is True
    once(host, **wanted(host, memory=512, order=11))
    assert told(host) == (True, 11, 3)
    once(host, name="web1", state="shutoff", force=True, shutdown_timeout=0)
    assert told(host) == (True, 11, 3)
    once(host, **wanted(host, memory=512, order=11))
    assert (told(host), marks(host)) == ((True, 11, 3), [])
    once(host, name="web1", xml=host.xml("web1", memory=256), restart="if_changed", force=True, shutdown_timeout=0)
    once(host, name="web1", state="shutoff", force=True, shutdown_timeout=0)
    host.stop()
    host.start()
    assert (told(host), host.virsh("list", "--name"), marks(host)) == ((True, 11, 3), "", [])


def test_the_host_comes_up_and_goes_down(host):
    for name, order in (("web2", 20), ("web1", 20), ("db1", 10)):
        host.good(**wanted(host, name, order=order, delay=0, state="shutoff"))
    (host.folder / "db2.raw").touch()
    host.good(**wanted(host, "db2", order=10, state="shutoff"))
    assert script(host, "start") == ["started guest db1", "started guest db2", "started guest web1", "started guest web2"]
    assert [len(host.processes(name)) for name in ("db1", "db2", "web1", "web2")] == [1, 1, 1, 1]
    assert script(host, "start") == []
    assert script(host, "stop") == ["asked guest web2 to shut down", "asked guest web1 to shut down", "asked guest db2 to shut down", "asked guest db1 to shut down"]
    assert host.virsh("list", "--name") == "" and told(host, "web2") == (True, 20, 0)
