# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests that get a new disk or the one before: what each phase is asked for, what is refused while they run, and what is told."""

from __future__ import annotations

import pytest
from ansible_collections.apiary.bhyve.plugins.filter.redeployment import redeployment_failures, redeployment_options, redeployment_table

GUEST = {"image": "demo", "vcpus": 1, "memory": "2G", "disk": "40G"}
PLACE = {"folder": "", "dataset": "tank/guests", "golden": "tank/images", "seeds": "/seeds", "template": "uefi", "wait_timeout": 9}
IMAGE = {"name": "demo", "version": "2", "path": "/store/demo-2.pkg", "guid": "8", "sha256": "ab", "size": 1, "os": "debian-13"}
IMAGES = {"guests": {"web1": {"image": IMAGE}}}
KEPT = "web1.old-20261101T000000Z"
PRESENT = {**GUEST, "state": "present"}


def disk(name, guid="7", part="own", of=None, **more):
    return {"name": name, "dataset": "tank/guests/" + name, "path": None, "part": part, "of": of, "guid": guid, **more}


def domain(state="running", managed=True, source="/dev/zvol/tank/guests/web1"):
    return {"domains": [{"name": "web1", "state": state, "managed": {} if managed else None, "disks": [{"target": "vda", "source": source}]}]}


def told(guest=None, **more):
    return {
        "names": "web1", "definitions": {"web1": guest or GUEST, "web2": GUEST}, "place": PLACE, "keep_days": 7, "back": False, "check": False,
        "domains_found": domain(), "disks": {"volumes": [disk("web1")]}, "images": IMAGES, **more,
    }


def test_a_new_disk_is_made_ready_beside_the_one_that_is_used():
    asked = told({**GUEST, "force": True, "shutdown_timeout": 5})
    assert redeployment_options(asked, "images") == {"web1": {"name": "demo"}}
    assert redeployment_options(asked, "cleared") == {}
    assert redeployment_options(asked, "staged") == {"web1": {
        "dataset": "tank/guests/web1.redeploy", "src": "/store/demo-2.pkg", "guid": "8", "sha256": "ab", "volsize": "40G", "golden": "tank/images",
        "properties": {"volmode": "none"},
    }}
    assert redeployment_options(asked, "stopped") == {"web1": {"state": "shutoff", "force": True, "shutdown_timeout": 5}}
    assert redeployment_options(asked, "swapped") == {"web1": {"dataset": "tank/guests/web1", "state": "new", "keep_days": 7}}
    assert redeployment_options(asked, "volumes")["web1"]["dataset"] == "tank/guests/web1"
    assert redeployment_options(asked, "restarts") == {}
    # In check mode nothing has been exchanged.
    assert redeployment_options({**asked, "check": True}, "volumes") == {}
    assert redeployment_options({**asked, "check": True}, "domains")["web1"]["guest_disk"] == "/dev/zvol/tank/guests/web1"


def test_without_zfs_the_same_with_files():
    there = {"volumes": [{**disk("web1.raw"), "dataset": None, "path": "/guests/web1.raw"}]}
    asked = told(place={**PLACE, "folder": "/guests"}, domains_found=domain(source="/guests/web1.raw"), disks=there)
    assert redeployment_options(asked, "staged") == {"web1": {
        "path": "/guests/web1.raw.redeploy", "src": "/store/demo-2.pkg", "guid": "8", "sha256": "ab", "volsize": "40G",
    }}
    assert redeployment_options(asked, "swapped") == {"web1": {"path": "/guests/web1.raw", "state": "new", "keep_days": 7}}


def test_data_disks_stay_and_new_ones_are_made():
    asked = told({**GUEST, "disks": {"data": {"size": "1G"}}})
    volumes = redeployment_options(asked, "volumes")
    assert volumes["web1:data"] == {"dataset": "tank/guests/web1:data", "blank": True, "volsize": "1G"}
    for phase in ("cleared", "staged", "swapped"):
        assert "web1:data" not in redeployment_options(asked, phase), phase
    (disk_there,) = redeployment_options({**asked, "check": True}, "domains")["web1"]["guest_disks"]
    assert disk_there["device"] == "/dev/zvol/tank/guests/web1:data"


def test_all_are_those_of_the_dictionary():
    assert list(redeployment_options(told(names="all"), "images")) == ["web1", "web2"]
    assert list(redeployment_options(told(names="web2, web1"), "images")) == ["web1", "web2"]


def test_a_dictionary_that_is_none_is_told():
    asked = told(names="all", definitions="web1", faults={"": ["bhyve_guests must be a dictionary"]})
    assert redeployment_options(asked, "images") == {} and redeployment_failures(asked) == ["bhyve_guests must be a dictionary"]


@pytest.mark.parametrize(("own", "done"), [
    (disk("web1", "8", swap="new"), True),
    (disk("web1", "8", swap=None), False),
    (disk("web1", "7", swap="new"), False),
    (disk("web1", None, swap="new"), False),
])
def test_what_a_call_that_was_cut_has_done_is_not_done_again(own, done):
    old = disk(KEPT, part="kept", of="web1", keep_until="2026-11-08T00:00:00Z", lineage="1")
    asked = told(disks={"volumes": [{**own, "lineage": "1"}, old]})
    for phase in ("staged", "stopped", "swapped"):
        assert (redeployment_options(asked, phase) == {}) == done, phase
    assert list(redeployment_options(asked, "volumes")) == ["web1"]
    assert any("kept until 2026-11-08 as tank/guests/" + KEPT in line for line in redeployment_table(asked)) == done


def test_what_was_made_ready_from_another_image_makes_way():
    ready = told(disks={"volumes": [disk("web1"), disk("web1.redeploy", "6", "staged", "web1")]})
    assert redeployment_options(ready, "cleared") == {"web1": {"dataset": "tank/guests/web1.redeploy"}}
    ready["disks"]["volumes"][1]["guid"] = "8"
    assert redeployment_options(ready, "cleared") == {}


@pytest.mark.parametrize(("more", "reason"), [
    ({"disks": {"failed": False, "failed_when_result": False, "msg": "no pool"}}, "web1: looking for its disks: no pool"),
    ({"domains_found": domain(managed=False)}, "web1: a domain of its name is there that this collection has not made"),
    ({"domains_found": domain(source="/overlay.qcow2")}, "web1: its domain has the disks /overlay.qcow2, expected /dev/zvol/tank/guests/web1 among"),
    ({"back": True}, "web1: no disk of it is kept: expected web1.old-"),
    ({"faults": {"web1": ["unknown key"]}}, "web1: unknown key"),
    ({"stopped": {"guests": {"web1": {"failed": True, "msg": "has not shut down"}}}}, "web1: has not shut down"),
])
def test_who_cannot_be_redeployed_keeps_its_disk_and_runs_on(more, reason):
    asked = told(**more)
    assert [line.startswith(reason) for line in redeployment_failures(asked)] == [True]
    for phase in ("swapped", "volumes", "seeds", "domains", "settlements", "restarts"):
        assert redeployment_options(asked, phase) == {}, phase


def test_one_whose_exchange_has_failed_is_started_as_it_was():
    stopped, swapped = {"guests": {"web1": {"changed": True}}}, {"guests": {"web1": {"failed": True, "msg": "busy"}}}
    asked = told({**GUEST, "wait_for": {"console": "up"}}, stopped=stopped, swapped=swapped)
    assert redeployment_options(asked, "restarts") == {"web1": {"state": "running", "wait_for": {"console": "up", "timeout": 9}}}
    assert redeployment_options(asked, "domains") == redeployment_options(asked, "settlements") == {}


def test_a_template_of_ones_own_is_tried_while_the_guest_runs():
    own = {**GUEST, "template": "/mine.xml.j2"}
    assert list(redeployment_options(told(own), "drafts")) == ["web1"] and redeployment_options(told(), "drafts") == {}
    assert redeployment_options(told(own, back=True), "drafts") == {}


def test_the_way_back_changes_disks_only():
    kept = disk(KEPT, part="kept", of="web1", lineage="1")
    asked = told(back=True, images={}, disks={"volumes": [disk("web1", lineage="1"), kept]})
    assert redeployment_options(asked, "swapped") == {"web1": {"dataset": "tank/guests/web1", "state": "back", "keep_days": 7}}
    for phase in ("images", "staged", "volumes", "seeds", "domains"):
        assert redeployment_options(asked, phase) == {}, phase
    assert redeployment_options(asked, "restarts") == {"web1": {"state": "running"}}


def test_a_guest_of_which_nothing_is_said_runs_again_if_it_ran():
    ran, off = told(PRESENT, stopped={"guests": {"web1": {"changed": True}}}), told(PRESENT, domains_found=domain("shutoff"))
    assert redeployment_options(told(PRESENT), "noted") == {"web1": {"dataset": "tank/guests/web1", "state": "noted"}}
    assert redeployment_options(off, "noted") == {}
    assert redeployment_options(ran, "domains")["web1"]["guest"]["state"] == "running"
    assert redeployment_options(off, "stopped") == {} and redeployment_options(off, "domains")["web1"]["guest"]["state"] == "present"


@pytest.mark.parametrize(("answer", "settled"), [
    ({}, True),
    ({"failed": True, "msg": "no banner", "timings": {"wait": {"seconds": 9}}}, True),
    ({"failed": True, "msg": "cannot start", "timings": {"observe": {"seconds": 0}}}, False),
])
def test_a_guest_that_was_started_has_its_disk_whether_or_not_it_answers(answer, settled):
    options = redeployment_options(told(domains={"guests": {"web1": answer}}), "settlements")
    assert options == ({"web1": {"dataset": "tank/guests/web1", "state": "settled"}} if settled else {})
    assert redeployment_options(told(), "settlements") == {}


def test_the_table_ends_with_the_way_back():
    swapped = {"guests": {"web1": {"changed": True, "volume": {"replaced": "tank/guests/" + KEPT, "keep_until": "2026-11-08T00:00:00Z"}}}}
    asked = told(swapped=swapped, domains={"guests": {"web1": {"domain": {"state": "running"}}}})
    table = redeployment_table(asked)
    assert table[1].split()[:4] == ["web1", "running", "demo-2", "new"]
    assert table[2] == (
        "web1: the old disk is kept until 2026-11-08 as tank/guests/%s; `ansible-playbook -i INVENTORY apiary.bhyve.redeploy "
        "-e guest_names=web1 -e guest_redeploy_back=true` brings it back" % KEPT
    )
    table = redeployment_table({**asked, "check": True})
    assert len(table) == 2 and "to come new" in table[1]


# What is left by a call that was cut: the guest is off, and one of its disks says that it ran.
@pytest.mark.parametrize("disks", [
    [disk("web1", ran=True), disk("web1.redeploy", "8", "staged", "web1")],
    [disk("web1.redeploy", "8", "staged", "web1", swap="new", lineage="1"), disk(KEPT, part="kept", of="web1", ran=True, lineage="1")],
    [disk("web1", "8", swap="new", lineage="1"), disk(KEPT, part="kept", of="web1", ran=True, lineage="1")],
])
def test_that_a_guest_ran_is_known_to_the_next_call(disks):
    asked = told(PRESENT, domains_found=domain("shutoff"), disks={"volumes": disks})
    assert redeployment_options(asked, "domains")["web1"]["guest"]["state"] == "running"
    back = [{**each, "lineage": "1", "swap": None} for each in [*disks, disk("web1.old-20261102T000000Z", part="kept", of="web1")]]
    asked = told(PRESENT, back=True, images={}, domains_found=domain("shutoff"), disks={"volumes": back})
    if any(each["name"] == "web1" for each in back):
        assert redeployment_options(asked, "restarts") == {"web1": {"state": "running"}}
    for each in disks:
        each["ran"] = False
    asked = told(PRESENT, domains_found=domain("shutoff"), disks={"volumes": disks})
    assert redeployment_options(asked, "domains")["web1"]["guest"]["state"] == "present"


def test_a_guest_that_was_off_stays_off_on_the_way_back():
    disks = [disk("web1", lineage="1"), disk(KEPT, part="kept", of="web1", lineage="1")]
    asked = told(PRESENT, back=True, images={}, domains_found=domain("shutoff"), disks={"volumes": disks}, swapped={"guests": {"web1": {"changed": True}}})
    assert redeployment_options(asked, "restarts") == {} and redeployment_failures(asked) == []
    # It is over all the same.
    assert redeployment_options(asked, "settlements") == {"web1": {"dataset": "tank/guests/web1", "state": "settled"}}
    assert redeployment_table(asked)[1].split()[:4] == ["web1", "shutoff", "-", "back"]


@pytest.mark.parametrize("own", [None, "2"])
def test_a_disk_of_another_guest_of_that_name_does_not_come_back(own):
    asked = told(back=True, images={}, disks={"volumes": [disk("web1", lineage=own), disk(KEPT, part="kept", of="web1", lineage="1")]})
    for phase in ("stopped", "swapped", "restarts"):
        assert redeployment_options(asked, phase) == {}, phase
    assert "found %s, put aside otherwise or for a guest that had its name before; see" % KEPT in redeployment_failures(asked)[0]


NEW = {"guests": {"web1": {"changed": True, "volume": {"replaced": "tank/guests/" + KEPT, "keep_until": None}}}}
STOPPED = {"guests": {"web1": {"changed": True}}}
BROKEN = {"guests": {"web1": {"failed": True, "msg": "no space"}}}
WHOLE = {"failed": False, "failed_when_result": False, "msg": "no space"}
BACK = ", or bring the disk before back: `ansible-playbook -i INVENTORY apiary.bhyve.redeploy -e guest_names=web1 -e guest_redeploy_back=true`"
AGAIN = "web1: is off: no space; mend that and call this again, which starts it"


@pytest.mark.parametrize(("more", "said"), [
    ({"swapped": NEW, "volumes": BROKEN}, AGAIN + BACK),
    ({"swapped": NEW, "seeds": BROKEN}, AGAIN + BACK),
    ({"swapped": NEW, "seeds": WHOLE}, AGAIN + BACK),
    ({"swapped": NEW, "domains": BROKEN}, AGAIN + BACK),
    ({"swapped": NEW, "domains": WHOLE}, AGAIN + BACK),
    ({"swapped": BROKEN, "domains": BROKEN}, AGAIN),
    ({"swapped": BROKEN}, AGAIN),
    ({"swapped": WHOLE}, AGAIN),
    # It was off before, by a call that was cut.
    ({"stopped": {"guests": {}}, "domains_found": domain("shutoff"), "staged": BROKEN, "swapped": {"guests": {}}}, AGAIN),
    ({"stopped": WHOLE}, "web1: may be off: no space; call this again, which starts it"),
    ({"stopped": {"guests": {"web1": {"changed": True, "failed": True, "msg": "no space"}}}}, AGAIN),
    # It runs.
    ({"stopped": BROKEN}, "web1: no space"),
    ({"staged": BROKEN, "stopped": {}}, "web1: no space"),
    ({"swapped": BROKEN, "domains": STOPPED}, "web1: no space"),
    ({"swapped": NEW, "domains": {"guests": {"web1": {**BROKEN["guests"]["web1"], "timings": {"wait": {"seconds": 9}}}}}}, "web1: no space"),
    # A check has done nothing.
    ({"swapped": NEW, "volumes": BROKEN, "check": True}, "web1: no space"),
])
def test_a_guest_that_is_left_off_is_told(more, said):
    asked = told(**{"stopped": STOPPED, **more})
    assert redeployment_failures(asked) == [said]
    [row] = [line for line in redeployment_table(asked) if line.startswith("web1 ")]
    assert row.endswith("is off: call this again when that is mended") == (" off: " in said)
    # Whoever is to be off is not missed.
    asked = told({**GUEST, "state": "shutoff"}, **{"stopped": STOPPED, **more})
    assert redeployment_failures(asked) == ["web1: no space"]


def test_one_that_goes_on_with_the_disk_it_had_is_over_with():
    asked = told(PRESENT, stopped=STOPPED, swapped=BROKEN, domains=STOPPED)
    assert redeployment_options(asked, "settlements") == {"web1": {"dataset": "tank/guests/web1", "state": "settled"}}


def test_a_new_disk_boots_the_seed_as_it_is_then():
    seeded = {**GUEST, "seed": {"hostname": "web1"}}
    assert redeployment_options(told(seeded), "seeds")["web1"]["first_boot"] is True
    again = {"volumes": [disk("web1", "8", swap="new")]}
    assert redeployment_options(told(seeded, disks=again), "seeds")["web1"]["first_boot"] is False
    assert redeployment_options(told(seeded, disks=again, domains_found=domain("shutoff")), "seeds")["web1"]["first_boot"] is True
