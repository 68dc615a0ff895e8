# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes that are exchanged for new ones and for kept ones, killed at any moment; what is kept, and what holds it."""

from __future__ import annotations

import random

import pytest


@pytest.fixture
def swap(guest):
    """The other modules are the same program by their names."""
    guest.sh("ln -sf zfs_receive /root/zfs_swap; ln -sf zfs_receive /root/zfs_receive_info")
    return lambda options, **more: guest.module(options, program="/root/zfs_swap", **more)


def test_killed_at_random_moments_the_same_call_goes_on(guest, place, swap):
    seed = random.randrange(1 << 30)
    hits = guest.script(f"swaps.py 20 {place.vm} {seed}")
    assert hits >= 8, f"seed {seed}: only {hits} of 20 kills met a running module"


def test_a_root_disk_is_exchanged_and_comes_back(guest, place, swap):
    web, options = f"{place.vm}/web", {"src": place.src("lz4-plain"), "golden": place.images}
    guest.module({**options, "dataset": web})
    ready = {**options, "dataset": f"{web}.redeploy", "properties": {"volmode": "none"}}
    assert swap({"dataset": web}, check=True)["changed"] is True
    assert "make it first" in swap({"dataset": web})["msg"]
    guest.module(ready)
    guest.sh(f"zfs set test:who=old {web}; sleep 600 < /dev/zvol/{web} > /dev/null 2>&1 & echo $! > /tmp/holder")
    assert "stop the guest first" in swap({"dataset": web})["msg"]
    guest.sh("kill $(cat /tmp/holder)")
    done = swap({"dataset": web, "keep_days": 3})
    kept = done["volume"]["replaced"]
    assert done["changed"] and kept.startswith(f"{web}.old-") and guest.sh(f"zfs get -H -o value test:who {kept}") == "old"
    # It is a volume like any other: nothing is left to put right.
    assert guest.module({**options, "dataset": web})["changed"] is False
    assert swap({"dataset": web})["changed"] is False
    swap({"dataset": web, "state": "settled"})
    assert "make it first" in swap({"dataset": web})["msg"]

    # What there is, and what holds it.
    guest.sh(f"zfs snapshot {kept}@a; zfs hold test {kept}@a; zfs clone {kept}@a {place.vm}/copy")
    found = guest.module({"dataset": place.vm}, program="/root/zfs_receive_info")["volumes"]
    told = {volume["name"]: volume for volume in found}
    old = told[kept.rpartition("/")[2]]
    assert (old["part"], old["of"], old["expired"], old["clones"], old["held"]) == ("kept", "web", False, [f"{place.vm}/copy"], [f"{kept}@a"])
    assert old["keep_until"] == done["volume"]["keep_until"] and old["guid"] == told["web"]["guid"] is not None
    assert (told["web"]["part"], told["web"]["keep_until"], told["web"]["device"]) == ("own", None, f"/dev/zvol/{web}")
    for also in (False, True):
        assert "a clone is made of it" in guest.module({"dataset": kept, "state": "absent"}, check=also)["msg"]
    guest.sh(f"zfs destroy {place.vm}/copy")
    assert "is held" in guest.module({"dataset": kept, "state": "absent"})["msg"]
    guest.sh(f"zfs release test {kept}@a")

    # Cut between its two renames, it is finished by the same way alone: a new volume would hide what the guest has.
    away = f"{web}.old-20260101T000000Z"
    guest.sh(f"zfs rename {web} {away}; zfs set apiary.bhyve:swap='back 2026-01-02T00:00:00Z' {kept}")
    for also in (False, True):
        told = guest.module({**options, "dataset": web}, check=also)["msg"]
        assert f"found {kept}, chosen on 2026-01-02T00:00:00Z" in told and f"beside it {away}" in told, told
    assert "is missing because" in guest.module({"dataset": web, "blank": True, "volsize": "16M"})["msg"]
    guest.sh(f"zfs rename {away} {web}; zfs inherit apiary.bhyve:swap {kept}")

    # And back, with its snapshots.
    assert swap({"dataset": web, "state": "back"}, check=True)["changed"] is True
    back = swap({"dataset": web, "state": "back"})
    assert back["changed"] and guest.sh(f"zfs get -H -o value test:who {web}") == "old" and f"{web}@a" in place.names()
    assert guest.sh(f"dd if={back['volume']['device']} bs=512 count=1 status=none | wc -c") == "512"
    assert guest.module({"dataset": place.vm}, program="/root/zfs_receive_info")["volumes"][1]["part"] == "kept"


def test_a_root_disk_gets_another_name_with_all_that_is_its_own(guest, place, swap):
    web, www, options = f"{place.vm}/web", f"{place.vm}/www", {"src": place.src("lz4-plain"), "golden": place.images}
    guest.module({**options, "dataset": web})
    guest.module({**options, "dataset": f"{web}.redeploy", "properties": {"volmode": "none"}})
    kept = swap({"dataset": web})["volume"]["replaced"]
    guest.sh(f"zfs snapshot {web}@before; zfs set test:who=mine {web}")
    origin = guest.sh(f"zfs get -H -o value origin {web}")
    renamed = {"dataset": www, "from": web, "state": "renamed"}
    guest.sh(f"sleep 600 < /dev/zvol/{web} > /dev/null 2>&1 & echo $! > /tmp/holder")
    assert swap(renamed, check=True)["changed"] is True
    assert "stop the guest first" in swap(renamed)["msg"] and web in place.names()
    guest.sh("kill $(cat /tmp/holder)")
    done = swap(renamed)
    assert done["changed"] and done["volume"]["device"] == f"/dev/zvol/{www}" and done["volume"]["from"] == web
    assert guest.sh(f"dd if=/dev/zvol/{www} bs=512 count=1 status=none | wc -c") == "512"
    assert guest.sh(f"zfs get -H -o value test:who,origin {www}").split() == ["mine", origin]
    assert f"{www}@before" in place.names() and kept.replace(web, www) in place.names() and not [name for name in place.names() if name.startswith(web)]
    # It is the same volume of the same image, and what was kept for it comes back.
    assert guest.module({**options, "dataset": www})["changed"] is False and swap(renamed)["changed"] is False
    swap({"dataset": www, "state": "settled"})
    assert swap({"dataset": www, "state": "back"})["volume"]["from"] == kept.replace(web, www)

    # Cut after the volume itself, the rest follows; what has the name already is not written over.
    guest.sh(f"zfs rename {www} {web}")
    assert "found a volume there" not in swap(renamed).get("msg", "")
    guest.sh(f"zfs create -V 1M {web}")
    assert f"expected nothing at {www}, found a volume there" in swap(renamed)["msg"]
    assert "found neither" in swap({"dataset": f"{place.vm}/b", "from": f"{place.vm}/a", "state": "renamed"}, check=True)["msg"]
