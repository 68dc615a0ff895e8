# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests that follow their dictionary to another host: what each step is asked for, and what a person is told."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.filter.moving import moving_failures, moving_options, moving_sources, moving_table
from ansible_collections.apiary.bhyve.plugins.plugin_utils._moving import guests_to_move

OURS = {"xml": "<domain/>", "edited": False, "restart_required": False}
GUEST = {"image": "demo", "vcpus": 1, "memory": "64M", "disks": {"data": {"size": "1G"}, "old": {"path": "/dev/da7"}}}


def domain(name, state="running", managed=OURS, **more):
    return {"name": name, "state": state, "managed": managed, "disks": [], "autostart": False, **more}


def hosts(**dictionaries):
    """Variables of hosts, the domains that were found on them among these."""
    return {host: {"bhyve_guests": guests, "guest_domains_found": {"domains": domains}} for host, (guests, domains) in dictionaries.items()}


def own(name, part="own", of=None, **more):
    return {"name": name, "part": part, "of": of, "ran": False, **more}


def told(names="web1", guest=None, domains=(), state="running", sources=("hv1",), disks=None, **more):
    moving = {"web1": {"hosts": list(sources), "domain": domain("web1", state), "place": PLACE_THERE}}
    disks = [own("web1"), own("web1:data"), own("web1:log"), own("web2"), own("web1.old-20260101T000000Z", "kept", "web1")] if disks is None else disks
    return {
        "names": names, "definitions": {"web1": guest or GUEST}, "place": PLACE, "domains_found": {"domains": list(domains)}, "moving": moving,
        "elsewhere": {"web1": "hv1"}, "looked": {"results": [{"item": "hv1", "volumes": disks}]}, **more,
    }


PLACE = {"folder": "", "dataset": "b/vm", "golden": "b/images", "seeds": "/seeds", "template": "uefi"}
PLACE_THERE = {"folder": "", "dataset": "a/vm", "seeds": "/there", "uri": ""}


def test_guests_are_found_where_their_dictionary_was():
    known = hosts(hv1=({}, [domain("web1"), domain("mine", managed=None)]), hv2=({"web1": {}, "web2": {}, "mine": {}}, [domain("web2")]))
    found = guests_to_move(known, ["hv1", "hv2"], "all")
    assert list(found) == ["hv2"] and list(found["hv2"]) == ["web1"]
    assert found["hv2"]["web1"]["place"] == {"folder": "", "dataset": "zroot/guests", "seeds": "/var/db/apiary/seeds", "uri": ""}
    assert guests_to_move(known, ["hv1", "hv2"], "web2,web3") == {}
    # Outside the play it is known from having been asked; one that both dictionaries have is nobody's to move.
    asked = {"results": [{"item": "hv3", "domains": [domain("web2", "shutoff")]}]}
    assert guests_to_move(dict(known, hv3={"guest_folder": "/v"}), ["hv1", "hv2"], ["web2"], asked)["hv2"]["web2"]["place"]["folder"] == "/v"
    assert guests_to_move(hosts(hv1=({"web1": {}}, [domain("web1")]), hv2=({"web1": {}}, [])), ["hv1", "hv2"], "all") == {}


def test_a_guest_moves_with_all_that_bears_its_name():
    asked = moving_options(told(), "copied", "hv1")
    assert list(asked) == ["web1:data", "web1:log", "web1"]
    assert asked["web1"] == {"source": "hv1", "state": "copied", "dataset": "b/vm/web1", "golden": "b/images", "from_dataset": "a/vm/web1"}
    assert moving_options(told(), "copied", "hv9") == {} and moving_sources(told()) == ["hv1"]
    assert moving_options(told(), "stopped", "hv1") == {"web1": {"state": "shutoff", "autostart": False}}
    assert moving_options(told(), "unseeded", "hv1") == {"web1": {"path": "/there/web1.seed"}}
    [drafted] = moving_options(told(), "drafts").values()
    assert drafted["guest_disk"] == "/dev/zvol/b/vm/web1" and [disk["device"] for disk in drafted["guest_disks"]] == ["/dev/zvol/b/vm/web1:data", "/dev/da7"]


def test_an_image_that_is_not_here_is_fetched_and_received_first():
    disks = [own("web1", origin="a/images/demo-1@image", guid="7")]
    assert moving_options(told(disks=disks), "fetched") == {"web1": {"name": "demo-1"}}
    fetched = {"guests": {"web1": {"image": {"path": "/store/demo-1.pkg"}}}}
    assert moving_options(told(disks=disks, fetched=fetched), "received") == {"web1": {"src": "/store/demo-1.pkg", "guid": "7", "golden": "b/images"}}
    assert moving_options(told(disks=disks, goldens={"volumes": [own("demo-1", guid="7")]}), "fetched") == {}
    assert moving_options(told(), "fetched") == {}
    failed = told(disks=disks, fetched={"guests": {"web1": {"failed": True, "msg": "no image demo-1"}}})
    assert moving_options(failed, "copied", "hv1") == {} and moving_failures(failed) == ["web1: no image demo-1"]


def copied(**volumes):
    return {"results": [{"item": "hv1", "guests": {key: {"changed": True, "volume": volume} for key, volume in volumes.items()}}]}


def test_what_was_brought_while_it_ran_is_gone_on_from():
    since = {"snapshot": "apiary-move-1", "guid": "7", "properties": {}}
    here = told(copied=copied(**{"web1": {"name": "b/vm/web1.move", "since": since}, "web1:data": {"name": "b/vm/web1:data", "since": None}}))
    asked = moving_options(here, "moved", "hv1")
    assert asked["web1"]["since"] == since and [key for key in asked if "since" in asked[key]] == ["web1"]
    assert all("since" not in options for options in moving_options(here, "given", "hv1").values())
    # The image is that of the volume that arrives: by its own name there is none, and a new one would be fetched.
    assert moving_options(here, "images") == {"web1": {"name": "demo", "dataset": "b/vm/web1.move"}}
    assert moving_options(told(), "images") == {"web1": {"name": "demo", "dataset": "b/vm/web1"}}


def test_disks_are_put_right_only_where_they_are_not():
    sizes = [own("web1", size=20 << 30), own("web1:data", size=1 << 30), own("web2", size=1), own("web1.old-20260101T000000Z", "kept", "web1", size=7)]
    asked = lambda there=sizes, **more: list(moving_options(told(disks=there, guest=dict(GUEST, **more)), "volumes"))  # noqa: E731
    assert asked() == asked(disk="20G") == []
    assert asked(disk="40G") == asked([own("web1"), own("web1:data")]) == ["web1", "web1:data"]
    for data in ({"size": "2G"}, {"size": "1G", "properties": {"compression": "zstd"}}):
        assert asked(disks={"data": data}) == ["web1", "web1:data"]
    [domain] = moving_options(told(disks=sizes), "domains").values()
    assert (domain["guest_disk"], domain["guest_disks"][0]["device"]) == ("/dev/zvol/b/vm/web1", "/dev/zvol/b/vm/web1:data")


def test_what_a_disk_or_a_seed_lacks_keeps_the_guest_running():
    for step in ("images", "seeds"):
        failed = told(**{step: {"guests": {"web1": {"failed": True, "msg": "it cannot be"}}}})
        assert moving_options(failed, "stopped", "hv1") == {} and moving_failures(failed) == ["web1: it cannot be"]


def test_one_disk_that_does_not_come_keeps_the_guest_where_it_is():
    answers = {"web1": {"changed": True}, "web1:data": {"failed": True, "msg": "hv2: no room"}}
    failed = told(copied={"results": [{"item": "hv1", "guests": answers}]})
    assert moving_options(failed, "stopped", "hv1") == {} and moving_failures(failed) == ["web1: hv2: no room"]
    stopped = {"stopped": {"results": [{"guests": {"web1": {"changed": True}}}]}}
    failed = told(moved={"results": [{"guests": answers}]}, **stopped)
    assert moving_options(failed, "domains") == moving_options(failed, "given", "hv1") == {}
    assert moving_failures(failed)[0].startswith("web1: is off: hv2: no room; nothing of it is lost on hv1")
    # A task that has failed as a whole is told, too.
    failed = told(moved={"failed": True, "msg": "out of memory", "results": [{"failed": True, "msg": "out of memory"}]}, **stopped)
    assert moving_options(failed, "given", "hv1") == {} and "out of memory" in moving_failures(failed)[0]
    # It runs here, and what is left there is told.
    failed = told(given={"results": [{"guests": {"web1:data": {"failed": True, "msg": "hv1: it is held"}}}]})
    assert moving_options(failed, "undefined", "hv1") == {}
    assert moving_failures(failed) == ["web1: it runs here, but not all of it is gone from hv1: hv1: it is held; call this again"]


def test_refusals():
    assert "a domain of its name is on this host" in moving_failures(told(domains=[domain("web1", managed=None)]))[0]
    assert "it is on hv1 and hv3, none of which" in moving_failures(told(sources=("hv1", "hv3")))[0]
    assert "it has no disk" in moving_failures(told(disks=[own("web1:data")]))[0]
    # Cut when its disks had gone from there.
    assert moving_failures(told(disks=[], domains=[domain("web1")])) == []
    mixed = told()
    mixed["moving"]["web1"]["place"] = dict(PLACE_THERE, folder="/v")
    assert "hv1 has its volumes as raw files and this host has them on ZFS" in moving_failures(mixed)[0]
    nowhere = dict(told(), moving={}, names="web1")
    assert "it is on no host that was asked" in moving_failures(nowhere)[0]
    assert moving_failures(dict(nowhere, domains_found={"domains": [domain("web1")]})) == []


def test_a_guest_whose_dictionary_leaves_it_alone_runs_again_if_it_ran():
    left_alone = dict(GUEST, state="present")
    assert moving_options(told(guest=left_alone), "noted", "hv1") == {"web1": {"dataset": "a/vm/web1", "state": "noted"}}
    assert moving_options(told(), "noted", "hv1") == {}
    state = lambda **more: moving_options(told(guest=left_alone, **more), "drafts")["web1"]["guest"]["state"]  # noqa: E731
    assert (state(), state(state="shutoff"), state(state="shutoff", disks=[own("web1", ran=True)])) == ("running", "present", "running")


def test_the_table_has_what_was_sent_and_the_way_back():
    brought = {"results": [{"guests": {"web1": {"changed": True, "volume": {"sent": 3 << 20, "streams": 1, "seconds": 0.5}}}}]}
    lines = moving_table(told(copied=brought, domains_returned=None))
    assert lines[0].split()[:3] == ["guest", "from", "state"] and lines[1].split()[:3] == ["web1", "hv1", "-"] and "3.0 MiB" in lines[1]
    assert "without its disk old (/dev/da7)" in lines[1] and "apiary.bhyve.move -e guest_names=web1`" in lines[-1]
