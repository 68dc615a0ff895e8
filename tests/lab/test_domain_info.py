# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told about domains, and what the test driver, which needs no daemon, can do."""

from __future__ import annotations

import subprocess

INFO = {"name": "libvirt_domain_info"}
TEST = {"uri": "test:///default"}


def test_domains_are_told(lab):
    assert lab.good({}, **INFO)["domains"] == []
    nic = "<interface type='user'><model type='virtio'/></interface>"
    lab.good({"name": "web1", "xml": lab.xml(devices=nic), "autostart": True})
    lab.good({"name": "web1", "xml": lab.xml(devices=nic, memory=48)})
    lab.virsh("setvcpus", "web1", "2", "--config", "--maximum")
    path = lab.folder / "foreign.xml"
    path.write_text(lab.xml("db1"))
    lab.virsh("define", str(path))
    reply = lab.good({}, **INFO)
    assert reply["changed"] is False
    db1, web1 = sorted(reply["domains"], key=lambda domain: domain["name"])
    assert (db1["state"], db1["managed"], db1["memory"], db1["uptime"]) == ("shutoff", None, 32 << 20, None)
    # Labs beside this one have guests of the same name, whose UUID is the same, too.
    of_the_name = [line for line in subprocess.check_output(["ps", "-axww", "-o", "command="], text=True).splitlines() if "-uuid %s" % web1["uuid"] in line]
    assert (web1.pop("uptime") is not None) == (len(of_the_name) == 1)
    assert web1 == {
        "name": "web1", "uuid": "06f7ab89-0554-5e2c-9836-192821f92039", "state": "running", "autostart": True,
        "order": None, "delay": None, "persistent": True, "memory_saved": False, "vcpus": 1, "memory": 32 << 20,
        "disks": [{"target": "vda", "bus": "virtio", "source": str(lab.disk)}],
        "interfaces": [{"mac": "52:54:00:9d:41:71", "kind": "user", "source": None, "addresses": []}],
        "managed": {"xml": lab.xml(devices=nic, memory=48).strip(), "edited": True, "restart_required": True},
    }
    assert lab.good({"name": "db1"}, **INFO)["domains"] == [db1]
    assert lab.good({"name": "nosuch"}, **INFO)["domains"] == []


def test_the_test_driver_defines_starts_and_stops(lab):
    xml = "<domain type='test'><name>t1</name><memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>"
    for options, changed, state in [
        ({"name": "t1", "xml": xml, "autostart": True}, True, "running"),
        ({"name": "t1", "xml": xml, "state": "shutoff"}, True, "shutoff"),
        ({"name": "test"}, False, "running"),
        ({"name": "test", "state": "shutoff"}, True, "shutoff"),
        ({"name": "test", "state": "absent", "force": True}, True, "absent"),
    ]:
        for check in (True, False):
            reply = lab.good({**TEST, **options, "_ansible_check_mode": check})
            assert (reply["changed"], reply["domain"]["state"]) == (changed, state)
