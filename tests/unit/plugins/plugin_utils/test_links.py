# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which streams a volume still needs to be on another host."""

from __future__ import annotations

import pytest
from ansible_collections.apiary.bhyve.plugins.plugin_utils import _links as links

ZFS = links.Volume({"dataset": "a/web1"}, {"dataset": "b/web1"}, "hv1", "hv2")
FILE = links.Volume({"path": "/a/web1.raw"}, {"path": "/b/web1.raw"}, "hv1", "hv2")


def offered(*names, origin=True, **more):
    """A volume whose snapshots have guids like their names."""
    snapshots = [{"name": name, "guid": "g-" + name, "marked": name == "mine", "ours": name.startswith("m")} for name in names]
    image = {"name": "a/images/demo@image", "guid": "g-image"} if origin else None
    told = {"there": True, "snapshots": snapshots, "origin": image, "properties": {"p": "1"}, "used": 10, "referenced": 100, "written": 0}
    return {**told, **more}


def expected(*known, golden=(), **more):
    told = {"there": False, "arrived": None, "arriving": bool(known), "known": list(known), "available": 1 << 30, "golden": list(golden)}
    return {**told, **more}


def streams(offer, expect):
    return [
        (link.sender.get("base"), link.sender["snapshot"], link.receiver.get("base"), link.receiver.get("base_guid"), link.receiver["snapshot"])
        for link in links.links(ZFS, offer, expect)
    ]


GOLDEN = {"name": "b/images/demo@image", "guid": "g-image"}


def test_everything_goes_over_in_its_order_from_the_last_that_is_there():
    whole = [
        ("a/images/demo@image", "a/web1@mine", None, "g-image", "mine"),
        ("a/web1@mine", "a/web1@m1", None, "g-mine", "m1"),
    ]
    with pytest.raises(links.Refused, match="a/web1 is a clone of a/images/demo@image .guid g-image., which no golden volume on hv2 has"):
        streams(offered("mine", "m1"), expected())
    assert streams(offered("mine", "m1"), expected("g-mine")) == whole[1:]
    assert streams(offered("mine", "m1"), expected("g-m1", "g-mine")) == []
    # What is a clone there already goes on as one.
    clone = ("a/images/demo@image", "a/web1@mine", "b/images/demo@image", "g-image", "mine")
    assert streams(offered("mine", "m1"), expected(golden=[GOLDEN])) == [clone, whole[1]]
    assert streams(offered("mine", "m1"), expected("g-mine", golden=[GOLDEN])) == whole[1:]
    assert streams(offered("m1", origin=False), expected(golden=[GOLDEN])) == [(None, "a/web1@m1", None, None, "m1")]
    marked = [link.receiver["marked"] for link in links.links(ZFS, offered("mine", "m1"), expected(golden=[GOLDEN]))]
    assert marked == [True, False]


def test_the_rest_goes_on_from_what_has_come():
    told = links.since(ZFS, offered("mine", "m1", properties={"volmode": "dev", "refreservation": "0", "test:owner": "me"}))
    assert told == {"snapshot": "m1", "guid": "g-m1", "properties": {"volmode": "dev"}}
    link = links.rest(ZFS, told)
    assert link.sender == {
        "dataset": "a/web1", "state": "sent", "take": True, "snapshot": "a/web1@m1-rest", "base": "a/web1@m1", "guid": "g-m1",
    }
    assert link.receiver == {
        "dataset": "b/web1", "state": "received", "finish": True, "snapshot": "m1-rest", "base_guid": "g-m1", "properties": {"volmode": "dev"},
    }
    assert links.since(FILE, {"guid": "7", "properties": {}}) is links.since(ZFS, offered()) is None


def test_what_arrived_of_another_move_is_not_gone_on_with():
    with pytest.raises(links.Refused, match=r"b/web1.move has arrived on hv2 in part, but hv1 has no snapshot of that"):
        streams(offered("m1"), expected("g-other"))


def test_a_volume_that_is_there_is_the_one_that_was_sent_or_in_the_way():
    assert not links.has_arrived(ZFS, offered("m1"), expected())
    assert links.has_arrived(ZFS, offered("m1"), expected(there=True, arrived="g-m1"))
    assert links.has_arrived(ZFS, {"there": False}, expected(there=True, arrived="g-m1"))
    for offer, arrived in ((offered("m1", "m2"), "g-m1"), (offered("m1", written=4096), "g-m1"), (offered("m1"), None), ({"there": False}, None)):
        with pytest.raises(links.Refused, match="b/web1 is on hv2 already"):
            links.has_arrived(ZFS, offer, expected(there=True, arrived=arrived))


def test_a_file_is_sent_once_and_again_when_it_was_written_to():
    offer = {"there": True, "guid": "7", "properties": {"volume": "{}"}, "size": 512, "used": 512}
    [link] = links.links(FILE, offer, expected())
    assert link.sender == {"path": "/a/web1.raw", "state": "sent", "guid": "7"}
    assert link.receiver == {"path": "/b/web1.raw", "state": "received", "guid": "7", "properties": {"volume": "{}"}, "size": 512}
    assert links.links(FILE, offer, expected("7")) == [] and len(links.links(FILE, offer, expected("6"))) == 1
    with pytest.raises(links.Refused, match="/a/web1.raw on hv1 bears no mark of this collection"):
        links.check(FILE, dict(offer, properties={}), expected())


def test_there_has_to_be_room():
    links.check(ZFS, offered("m1"), expected(available=100))
    links.check(ZFS, offered("m1"), expected(available=10, golden=[GOLDEN]))
    with pytest.raises(links.Refused, match="needs up to 1 MiB on hv2, found 0 MiB"):
        links.check(ZFS, offered("m1"), expected(available=99))
    with pytest.raises(links.Refused, match="a/web1 is not on hv1"):
        links.check(ZFS, {"there": False}, expected())
