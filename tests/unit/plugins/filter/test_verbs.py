# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks of the second day ask of modules, and what they tell."""

from __future__ import annotations

import pytest
from ansible_collections.apiary.bhyve.plugins.filter.verbs import listing, listing_options, listing_table, verb_failures, verb_options, verb_table

PLACE = {"folder": "", "dataset": "tank/vm", "golden": "tank/images", "seeds": "/seeds", "template": "uefi"}


def domain(name, state="running", managed=True, **more):
    due = more.pop("restart_required", False)
    return {
        "name": name, "state": state, "vcpus": 2, "memory": 2 << 30, "interfaces": [{"addresses": ["192.0.2.11"]}], "memory_saved": False,
        "disks": [{"source": "/dev/zvol/zroot/guests/%s" % name}], "managed": {"restart_required": due, "edited": False} if managed else None, **more,
    }


def told(verb, names, definitions, domains=(), **more):
    asked = {"restart": more.pop("restart", "always"), "wait_timeout": 5}
    return {
        "verb": verb, "names": names, "definitions": definitions, "place": PLACE, "domains_found": {"domains": list(domains)}, "asked": asked,
        **more,
    }


@pytest.mark.parametrize("restart, expected", [("always", ["running", "running", "present"]), ("if_changed", ["running", "present", "present"])])
def test_who_is_started_by_a_restart(restart, expected):
    definitions = {"web1": {"force": True, "wait_for": {"console": "login:"}}, "web2": {}, "off": {"state": "shutoff"}}
    domains = [domain("web1"), domain("web2", "shutoff"), domain("off", "shutoff")]
    options = verb_options(told("restart", list(definitions), definitions, domains, restart=restart), "restarted")
    assert [each["state"] for each in options.values()] == expected and {each["restart"] for each in options.values()} == {restart}
    assert options["web1"]["wait_for"] == {"timeout": 5, "console": "login:"} and options["web1"]["force"] is True


def test_whom_a_restart_is_for():
    definitions = {"web1": {}, "new": {}, "theirs": {}, "broken": "text"}
    domains = [domain("web1"), domain("gone"), domain("theirs", managed=False), domain("broken")]
    given = told("restart", "web1, gone", definitions, domains)
    assert list(verb_options(given, "restarted")) == ["web1", "gone"]
    assert list(verb_options(dict(given, names="all"), "restarted")) == ["web1", "broken"]
    given = told("restart", ["new", "theirs", "web1"], definitions, domains, restarted={"guests": {"web1": {"failed": True, "msg": "it hangs"}}})
    assert list(verb_options(given, "restarted")) == ["web1"]
    failures = verb_failures(given)
    assert failures[0].startswith("new: it is not on this host: deploy it first") and failures[1].startswith("theirs: a domain of its name is there")
    assert failures[2] == "web1: it hangs"
    assert [line.split()[:2] for line in verb_table(given)] == [["guest", "result"], ["new", "failed"], ["theirs", "failed"], ["web1", "failed"]]


def test_how_a_restart_went():
    answers = {"web1": {"changed": True, "domain": {"state": "running"}}, "web2": {"changed": False, "domain": {"state": "running"}}}
    given = told("restart", "web1,web2", {}, [domain("web1"), domain("web2")], restarted={"guests": answers})
    assert [line.split() for line in verb_table(given)] == [["guest", "result", "note"], ["web1", "changed", "running"], ["web2", "unchanged", "running"]]
    assert verb_failures(given) == []


def volume(name, **more):
    dataset = "zroot/%s" % name
    return {
        "name": name.rpartition("/")[2], "dataset": dataset, "path": None, "device": "/dev/zvol/" + dataset, "part": "own", "of": None, "guid": "7",
        "used": 3 << 30, "keep_until": None, "expired": False, "clones": [], "held": [], **more,
    }


def fleet():
    image = {"image": {"name": "FreeBSD-14.2-RELEASE-ZFS-20G", "version": "20250515"}, "newer": "20260101"}
    found = [domain("web1", restart_required=True), domain("old"), domain("db1"), domain("by-hand", managed=False)]
    return {
        "hv1": {
            "bhyve_guests": {"web1": {"image": "demo"}, "new": {"image": "demo"}}, "guest_domains_found": {"domains": found},
            "guest_images_found": {"guests": {"web1": image}},
            "guest_volumes_found": {"volumes": [volume("guests/web1"), volume("guests/lost"), volume("guests/lost:data")]},
            "guest_golden_found": {"volumes": [volume("images/demo-1"), volume("images/never-1")]},
        },
        "hv2": {"bhyve_guests": {"db1": {}}, "guest_domains_found": {"unreachable": True}},
        "hv3": {"guest_domains_found": {"msg": "libvirt is\nnot there"}, "guest_volumes_found": {"volumes": [volume("guests/web7")]}},
    }


def test_the_fleet_at_a_glance():
    shown = listing(fleet(), ["hv1", "hv2", "hv3"])
    rows = shown["guests"]
    assert [(row["guest"], row["host"], row["state"]) for row in rows] == [
        ("db1", "hv1", "running"), ("new", "hv1", "absent"), ("old", "hv1", "running"), ("web1", "hv1", "running"), ("by-hand", "hv1", "running"),
        ("db1", "hv2", "unreachable"), (None, "hv3", "unknown"),
    ]
    by_name = {row["guest"]: row for row in rows if row["host"] == "hv1"}
    assert by_name["db1"]["elsewhere"] == ["hv2"] and by_name["old"]["elsewhere"] == [] and rows[-1]["reason"] == "libvirt is not there"
    # Where it is not known what is used, nothing is left over.
    assert [(left["host"], left["name"]) for left in shown["left"]] == [
        ("hv1", "zroot/guests/lost"), ("hv1", "zroot/guests/lost:data"), ("hv1", "zroot/images/never-1"),
    ]
    lines = listing_table(shown)
    text = "\n".join(lines)
    for word in ("20250515", "moved to hv2", "in no bhyve_guests", "not managed", "unreachable", "192.0.2.11", "2 x 2G", "restart, newer 20260101",
                 "libvirt is not there", "left on hv1: zroot/guests/lost, 3G: of no guest and no domain", "never-1, 3G: a golden volume without clones"):
        assert word in text, text


def test_the_table_fits():
    shown = listing(fleet(), ["hv1", "hv2", "hv3"])
    assert max(map(len, listing_table(shown))) <= 88
    rows = [{**row, "guest": "g" * 63, "host": "h" * 60, "addresses": ["2001:db8:1234:5678:9abc:def0:1234:5678"]} for row in shown["guests"]]
    left = [{**each, "name": "zroot/%s" % ("x" * 90)} for each in shown["left"]]
    assert max(map(len, listing_table({"guests": rows, "left": left}))) <= 88
    assert listing_table({"guests": [], "left": []}) == ["guest  host  state  image  size  address  note"]


def test_which_images_are_looked_at():
    given = told("restart", [], {"web1": {"image": "demo"}, "broken": "text", "bare": {}}, [domain("old")])
    assert listing_options(given) == {"web1": {"dataset": "tank/vm/web1", "name": "demo"}}
