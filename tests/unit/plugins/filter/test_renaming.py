# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rename is refused for, and what each phase of it is asked for."""

from __future__ import annotations

import pytest
from ansible_collections.apiary.bhyve.plugins.filter import renaming
from ansible_collections.apiary.bhyve.plugins.plugin_utils._deployment import Deployment
from ansible_collections.apiary.bhyve.plugins.plugin_utils._identity import uuid_of
from ansible_collections.apiary.bhyve.plugins.plugin_utils._renaming import PHASES, Renaming

PLACE = {"folder": "", "dataset": "t/guests", "golden": "t/images", "seeds": "/seeds", "template": "uefi"}
GUEST = {"image": "demo", "vcpus": 1, "memory": "1G", "identity": "web1", "disks": {"data": {"size": "1G"}}, "seed": {"family": "linux"}}


def volume(name, **more):
    return {"name": name, "part": "own", "of": None, "dataset": "t/guests/" + name, **more}


def domain(name="web1", state="running", **more):
    return {"name": name, "state": state, "managed": {}, "uuid": uuid_of("web1"), "disks": [{"source": "/dev/zvol/t/guests/" + name}], **more}


def told(domains=None, volumes=None, guest=None, **more):
    return {
        "old": "web1", "new": "www1", "definitions": {"www1": GUEST if guest is None else guest}, "place": PLACE,
        "domains_found": {"domains": [domain()] if domains is None else domains},
        "disks": {"volumes": [volume("web1"), volume("web1:data"), volume("web1:forgotten"), volume("web11")] if volumes is None else volumes}, **more,
    }


def failure(**more):
    return renaming.renaming_failures(told(**more))


def test_the_identity_is_that_of_the_program():
    assert uuid_of("web1") == "06f7ab89-0554-5e2c-9836-192821f92039"


@pytest.mark.parametrize(("hosts", "old", "new", "part"), [
    ({"a": {"www1": {}}}, "web1", "www1", None),
    ({"a": {"www1": {}}}, "web1,web2", "www1", "expected one name in guest_names and another in guest_new_name, found web1 and web2 and www1"),
    ({"a": {"www1": {}}}, "www1", "www1", "found www1 and www1"),
    ({"a": {"www1": {}}}, "web1", "www 1", "guest_new_name is 'www 1'"),
    ({"a": {}}, "web1", "www1", "expected www1 in bhyve_guests of one of these hosts, found none; rename the key web1 of bhyve_guests to www1"),
    ({"a": {"www1": {}}, "b": {"web1": {}}}, "web1", "www1", "expected web1 in no bhyve_guests any more, found it on b; rename the key"),
    ({"a": {"www1": {}}, "b": {"www1": {}}}, "web1", "www1", "www1 is on a and b"),
])
def test_a_call_that_does_not_fit_the_dictionary_is_told_how(hosts, old, new, part):
    problems = renaming.renaming_problems({host: {"bhyve_guests": guests} for host, guests in hosts.items()}, list(hosts), old, new)
    assert problems == [] if part is None else part in problems[0] and len(problems) == 1


def test_what_does_not_fit_the_host_stops_nobody():
    bare = {key: value for key, value in GUEST.items() if key != "identity"}
    in_the_way = {"www1": {"changed": True}, "www1:data": {"failed": True, "msg": "found a volume there"}}
    for more, part in [
        ({"rehearsed": {"guests": in_the_way}}, "found a volume there"),
        ({"guest": bare}, "its entry says none, expected `identity: web1`"),
        ({"guest": {**GUEST, "identity": "db1"}}, "its entry says `identity: db1`, expected `identity: web1`"),
        ({"domains": [domain(managed=None)]}, "a domain web1 is there that this collection has not made"),
        ({"domains": [domain(), domain("www1")]}, "both domains are there, web1 and www1"),
        ({"domains": [], "volumes": []}, "expected a domain or a volume called web1 or www1"),
        ({"disks": {"msg": "no zfs"}}, "looking for its disks: no zfs"),
        ({"domains": [domain(memory_saved=True, state="shutoff")]}, "its memory was saved"),
        ({"domains": [domain(disks=[{"source": "/overlay"}])]}, "its domain has the disks /overlay, expected /dev/zvol/t/guests/web1"),
        ({"guest": {**GUEST, "seed": {}}, "images": {"guests": {"www1": {"image": {}}}}}, "nothing says any more who reads its seed"),
    ]:
        [said] = failure(**more)
        assert said.startswith("www1: ") and part in said, said
        assert all(renaming.renaming_options(told(**more), phase) == {} for phase in PHASES[PHASES.index("stopped"):])
    # A second rename, one whose UUID is somebody's choice, the way back to the first name, and between two definitions.
    for domains, guest in [
        ([domain(uuid=uuid_of("first"))], {**GUEST, "identity": "first"}), ([domain(uuid="7")], {**GUEST, "identity": "any"}),
        ([domain(uuid=uuid_of("www1"))], bare), ([], GUEST),
    ]:
        assert failure(domains=domains, guest=guest) == []


def test_each_phase_is_asked_for_what_is_left_to_do():
    options = Renaming(told()).options
    assert options("stopped") == {"www1": {"name": "web1", "state": "shutoff"}}
    assert options("noted") == {"www1": {"dataset": "t/guests/web1", "state": "noted"}}
    assert options("renamed") == {
        key: {"dataset": "t/guests/" + key, "from": "t/guests/" + key.replace("www1", "web1"), "state": "renamed"}
        for key in ("www1", "www1:data", "www1:forgotten")
    }
    given = options("domains")["www1"]
    assert (given["renamed_from"], given["guest"]["state"], given["guest_disk"]) == ("web1", "running", "/dev/zvol/t/guests/www1")
    assert options("seeds")["www1"] == {"identity": "web1", "family": "linux", "path": "/seeds/www1.seed"}
    assert options("removed") == {"www1": {"path": "/seeds/web1.seed"}}
    # One that is off stays off, and one that a call has stopped that was cut is started.
    off = [domain(state="shutoff")]
    assert Renaming(told(domains=off)).options("domains")["www1"]["guest"]["state"] == "present"
    noted = told(domains=off, volumes=[volume("www1", ran="2026-11-28T00:00:00Z"), volume("web1:data")])
    assert Renaming(noted).options("domains")["www1"]["guest"]["state"] == "running"
    assert Renaming(noted).options("settled") == {"www1": {"dataset": "t/guests/www1", "state": "settled"}}
    assert Renaming(noted).options("images")["www1"]["dataset"] == "t/guests/www1"
    # The host of another dictionary has nothing to do.
    assert Renaming({**told(), "definitions": {}}).options("renamed") == {} and renaming.renaming_table({**told(), "definitions": {}}) == []


def test_a_guest_whose_disk_keeps_its_name_goes_on():
    failed = {"stopped": {"guests": {"www1": {"changed": True}}}, "renamed": {"guests": {"www1": {"failed": True, "msg": "no"}}}}
    assert renaming.renaming_options(told(**failed), "restarts") == {"www1": {"name": "web1", "state": "running"}}
    assert failure(**failed) == ["www1: is off: no; mend that and call this again, which goes on and starts it"]
    assert renaming.renaming_options(told(check=True, **failed), "restarts") == {} and failure(check=True, **failed) == ["www1: no"]
    moved = {**failed, "renamed": {"guests": {"www1": {"changed": True}, "www1:data": {"failed": True, "msg": "no"}}}}
    assert renaming.renaming_options(told(**moved), "restarts") == {}


def test_a_deploy_before_the_rename_makes_no_second_disk():
    deployment = Deployment({**told(), "names": ["www1"]})
    [reason] = deployment.failures().values()
    assert "it is still called web1 on this host: `ansible-playbook -i INVENTORY apiary.bhyve.rename -e guest_names=web1 -e guest_new_name=www1`" in reason
    assert deployment.options("volumes") == {}
    renamed = {**told(), "names": ["www1"], "domains_found": {"domains": [domain("www1")]}}
    assert Deployment(renamed).failures() == {}
