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
        "name": name, "state": state, "uptime": 7300, "vcpus": 2, "memory": 2 << 30, "interfaces": [{"addresses": ["192.0.2.11"]}], "memory_saved": False,
        "disks": [{"source": "/dev/zvol/zroot/guests/%s" % name}], "managed": {"restart_required": due, "edited": False} if managed else None, **more,
    }


def told(verb, names, definitions, domains=(), **more):
    asked = {"snapshot": "a", "stop": more.pop("stop", False), "restart": more.pop("restart", "always"), "wait_timeout": 5}
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


def test_all_volumes_of_a_guest_together():
    disks = {"data": {"size": "1G"}, "old": {"dataset": "other/old"}, "zvol": {"path": "/dev/zvol/other//zvol"}, "part": {"path": "/dev/ada1p3"}}
    # One that has left the dictionary stays the guest's until it is restarted.
    sources = ["/dev/zvol/tank/vm/db1", "/dev/zvol/tank/vm/db1:log", "/dev/zvol/tank/vm/db10", "/dev/zvol/else/db1:log"]
    attached = [{"source": source} for source in [*sources, None]]
    given = told("snapshot", "web1,db1", {"web1": {}, "db1": {"disks": disks}, "other": {}}, [domain("web1"), domain("db1", disks=attached)])
    assert verb_options(given, "taken") == {
        "web1": {"datasets": ["tank/vm/web1"]},
        "db1": {"datasets": ["tank/vm/db1", "tank/vm/db1:data", "other/old", "other/zvol", "tank/vm/db1:log"]},
    }
    assert verb_table(given)[2].endswith("without its disk part (/dev/ada1p3)")
    given["place"] = dict(PLACE, folder="/v")
    assert verb_options(given, "taken")["db1"] == {"path": "/v/db1.raw"}


def test_a_guest_that_no_dictionary_or_no_domain_has_is_there_all_the_same():
    assert verb_options(told("snapshot", "gone", {}, [domain("gone")]), "taken") == {"gone": {"datasets": ["tank/vm/gone"]}}
    assert verb_options(told("snapshot", "new", {"new": {}}), "taken") == {"new": {"datasets": ["tank/vm/new"]}}
    assert verb_options(told("snapshot", "web1", {"web1": {}}, [domain("web1", managed=False)]), "taken") == {}


def test_a_guest_that_runs_is_not_rolled_back():
    definitions = {"web1": {}, "web2": {}}
    given = told("rollback", ["web1", "web2"], definitions, [domain("web1"), domain("web2", "shutoff")])
    assert list(verb_options(given, "checked")) == ["web2"]
    (failure,) = verb_failures(given)
    assert failure.startswith("web1: it is running: a rollback needs it off") and "guest_stop=true" in failure
    # Without ZFS there is no way back whether it runs or not.
    given["place"] = dict(PLACE, folder="/v")
    assert verb_options(given, "checked")["web1"] == {"path": "/v/web1.raw", "stopped_before": False}


def test_a_guest_is_stopped_and_started_for_a_rollback_only():
    definitions = {"web1": {"force": True, "wait_for": {"console": "login:"}}, "web2": {}, "web3": {}}
    checked = {"guests": {"web1": {"rolled_back": ["tank/vm/web1"]}, "web2": {"rolled_back": []}, "web3": {"failed": True, "msg": "no such snapshot"}}}
    given = told("rollback", list(definitions), definitions, map(domain, definitions), stop="true", checked=checked)
    assert verb_options(given, "checked")["web1"] == {"datasets": ["tank/vm/web1"], "stopped_before": True}
    assert verb_options(given, "stopped") == {"web1": {"force": True, "state": "shutoff"}}
    assert verb_options(given, "rolled") == {"web1": {"datasets": ["tank/vm/web1"], "stopped_before": True}}
    started = verb_options(given, "started")
    assert started["web1"] == {"force": True, "state": "running", "wait_for": {"timeout": 5, "console": "login:"}}
    assert list(started) == ["web1", "web2"] and verb_failures(given) == ["web3: no such snapshot"]


def test_what_a_cut_has_left_off_is_started():
    definitions = {"web1": {}, "off": {"state": "shutoff"}}
    domains = [domain(name, "shutoff") for name in definitions]
    checked = {"guests": {name: {"rolled_back": []} for name in definitions}}
    assert list(verb_options(told("rollback", list(definitions), definitions, domains, stop=True, checked=checked), "started")) == ["web1"]
    assert verb_options(told("rollback", list(definitions), definitions, domains, checked=checked), "started") == {}


def test_a_guest_whose_rollback_fails_stays_off():
    rolled = {"guests": {"web1": {"failed": True, "msg": "no space"}}}
    checked = {"guests": {"web1": {"rolled_back": ["tank/vm/web1"]}}}
    given = told("rollback", ["web1"], {"web1": {}}, [domain("web1")], stop=True, checked=checked, rolled=rolled)
    assert verb_options(given, "started") == {}
    assert verb_failures(given) == ["web1: no space; it is left off, because its volumes may be of two moments: run the same again"]
    assert verb_table(given)[1].split()[:2] == ["web1", "failed"]


def test_saved_memory_does_not_go_with_other_disks():
    given = told("rollback", ["web1"], {"web1": {}}, [domain("web1", "shutoff", memory_saved=True)], stop=True)
    assert verb_options(given, "checked") == {} and "virsh managedsave-remove web1" in verb_failures(given)[0]


def test_the_way_back_is_the_last_line():
    answers = {
        "web1": {"changed": True, "snapshots": [{"name": "a", "created": "2026-11-22T18:15:00Z"}]},
        "web2": {"changed": False, "snapshots": [{"name": "b", "created": "2026-11-22T18:15:00Z"}, {"name": "a", "created": "2026-11-22T18:15:00Z"}]},
        "web3": {"failed": True, "msg": "snapshots need ZFS", "snapshots": []},
    }
    given = told("snapshot", "web1,web2,web3", {}, [domain("web1"), domain("web2", "shutoff"), domain("web3")], taken={"guests": answers})
    table = verb_table(given)
    assert table[1].split() == ["web1", "changed", "a", "of", "2026-11-22T18:15:00Z"]
    assert table[-1] == (
        "`ansible-playbook -i INVENTORY apiary.bhyve.rollback -e guest_names=web1,web2 -e guest_snapshot=a -e guest_stop=true` brings them back"
    )
    # What check mode would take, and what was destroyed, is no way back.
    answers["web1"]["snapshots"][0]["created"] = None
    assert "guest_names=web2 -e guest_snapshot=a` brings it back" in verb_table(given)[-1]
    answers["web2"]["snapshots"].pop()
    assert verb_table(given)[-1].split()[0] == "web3"


def volume(name, **more):
    dataset = "zroot/%s" % name
    return {
        "name": name.rpartition("/")[2], "dataset": dataset, "path": None, "device": "/dev/zvol/" + dataset, "part": "own", "of": None, "guid": "7",
        "used": 3 << 30, "keep_until": None, "expired": False, "clones": [], "held": [], **more,
    }


def fleet():
    image = {"image": {"name": "FreeBSD-14.2-RELEASE-ZFS-20G", "version": "20250515"}, "newer": "20260101"}
    snapshots = [{"name": "a", "created": "2026-11-22T18:15:00Z", "used": 5, "own": True, "datasets": ["zroot/guests/web1"]}]
    found = [domain("web1", restart_required=True), domain("old"), domain("db1"), domain("by-hand", managed=False)]
    looks = {
        "domains": {"domains": found}, "images": {"guests": {"web1": image}}, "snapshots": {"guests": {"web1": {"snapshots": snapshots}}},
        "volumes": {"volumes": [volume("guests/web1"), volume("guests/lost"), volume("guests/lost:data")]},
        "golden": {"volumes": [volume("images/demo-1"), volume("images/never-1")]},
    }
    return {
        "hv1": {"bhyve_guests": {"web1": {"image": "demo"}, "new": {"image": "demo"}}, "guest_looks_found": {"looks": looks}},
        "hv2": {"bhyve_guests": {"db1": {}}, "guest_looks_found": {"unreachable": True, "msg": "no route"}},
        "hv3": {"guest_looks_found": {"looks": {"domains": {"failed": True, "msg": "libvirt is\nnot there"}, "volumes": {"volumes": [volume("guests/web7")]}}}},
        "hv4": {"guest_looks_found": {"msg": "not built"}},
    }


def test_the_fleet_at_a_glance():
    shown = listing(fleet(), list(fleet()))
    rows = shown["guests"]
    assert [(row["guest"], row["host"], row["state"]) for row in rows] == [
        ("db1", "hv1", "running"), ("new", "hv1", "absent"), ("old", "hv1", "running"), ("web1", "hv1", "running"), ("by-hand", "hv1", "running"),
        ("db1", "hv2", "unreachable"), (None, "hv3", "unknown"), (None, "hv4", "unknown"),
    ]
    by_name = {row["guest"]: row for row in rows if row["host"] == "hv1"}
    assert by_name["db1"]["elsewhere"] == ["hv2"] and by_name["old"]["elsewhere"] == []
    assert [row["reason"] for row in rows[-3:]] == [None, "libvirt is not there", "not built"]
    assert by_name["web1"]["snapshots"][0]["name"] == "a" and "datasets" not in by_name["web1"]["snapshots"][0]
    # Where it is not known what is used, nothing is left over.
    assert [(left["host"], left["name"]) for left in shown["left"]] == [
        ("hv1", "zroot/guests/lost"), ("hv1", "zroot/guests/lost:data"), ("hv1", "zroot/images/never-1"),
    ]
    lines = listing_table(shown)
    text = "\n".join(lines)
    for word in ("20250515", "moved to hv2", "in no bhyve_guests", "not managed", "unreachable", "192.0.2.11", " 2h ", "2x2G", "restart, new 20260101",
                 "libvirt is not there", "left on hv1: zroot/guests/lost, 3G: of no guest and no domain", "never-1, 3G: a golden volume without clones"):
        assert word in text, text


def test_the_table_fits():
    shown = listing(fleet(), list(fleet()))
    assert max(map(len, listing_table(shown))) <= 88
    rows = [{**row, "guest": "g" * 63, "host": "h" * 60, "addresses": ["2001:db8:1234:5678:9abc:def0:1234:5678"]} for row in shown["guests"]]
    left = [{**each, "name": "zroot/%s" % ("x" * 90)} for each in shown["left"]]
    assert max(map(len, listing_table({"guests": rows, "left": left}))) <= 88
    assert listing_table({"guests": [], "left": []}) == ["no guests on these hosts"]


def test_what_is_looked_at():
    definitions = {"web1": {"image": "demo", "disks": {"data": {"size": "1G"}}}, "broken": "text", "bare": {}}
    given = {"definitions": definitions, "place": PLACE, "uri": "", "catalog": {"repository": "/c", "pubkey": "/k", "ssh_args": []}}
    assert listing_options(given) == {
        "domains": {"module": "libvirt_domain_info", "options": {}},
        "volumes": {"module": "zfs_receive_info", "options": {"dataset": "tank/vm"}},
        "golden": {"module": "zfs_receive_info", "options": {"dataset": "tank/images"}},
        "snapshots": {"module": "zfs_snapshot_info", "options": {"guests": {
            "web1": {"datasets": ["tank/vm/web1", "tank/vm/web1:data"]}, "bare": {"datasets": ["tank/vm/bare"]},
        }}},
        "images": {"module": "bhyve_image", "options": {
            "repository": "/c", "pubkey": "/k", "guests": {"web1": {"dataset": "tank/vm/web1", "name": "demo"}},
        }},
    }
    given.update(place=dict(PLACE, folder="/v"), uri="test:///default", catalog={"repository": ""})
    assert {name: look["options"] for name, look in listing_options(given).items()} == {"domains": {"uri": "test:///default"}, "volumes": {"path": "/v"}}
    # Without guests there is nothing to ask of each.
    looks = listing_options({"definitions": {}, "place": PLACE, "catalog": {"repository": "/c"}})
    assert set(looks) == {"domains", "volumes", "golden"}
