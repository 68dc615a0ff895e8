# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module makes, changes and removes: check, run, check for each."""

from __future__ import annotations

import re


def test_golden_volume_and_clone(guest, place):
    done = place.triad(src=place.src("tiny-plain"), golden=place.images, dataset=f"{place.vm}/web", volsize="8M")
    assert done["volume"] == {
        "dataset": f"{place.vm}/web",
        "device": f"/dev/zvol/{place.vm}/web",
        "guid": "7119270074782723516",
        "size": 8 << 20,
        "volblocksize": 16384,
        "origin": f"{place.images}/tiny-plain@image",
        "replaced": None,
    }
    assert place.names() == [f"{place.images}/tiny-plain", f"{place.images}/tiny-plain@image", f"{place.vm}/web"]
    # The golden volume has no device of its own; what is in front of the clone is the image, after it zeros.
    guest.sh(f"test ! -e /dev/zvol/{place.images}/tiny-plain")
    assert guest.sh(f"blockdev --getsize64 {done['volume']['device']}") == str(8 << 20)
    front = guest.sh(f"head -c 1048576 {done['volume']['device']} | sha256sum").split()[0]
    assert front == "1500e05c43c940a3c77467abe6d22a461d9e5c3b06b80072f1a861a69ee101c6"
    assert guest.sh(f"tail -c 7340032 {done['volume']['device']} | tr -d '\\0' | wc -c") == "0"
    assert set(done["timings"]) >= {"source", "observe", "receive", "clone", "device", "total"}
    assert done["timings"]["receive"]["bytes"] == 104120


def test_golden_volume_alone(place):
    done = place.triad(src=place.src("tiny-c"), golden=place.images, image="named")
    assert place.names() == [f"{place.images}/named", f"{place.images}/named@image"]
    assert done["golden"]["snapshot"] == f"{place.images}/named@image" and done["volumes"] == []


def test_several_guests_in_one_call(guest, place):
    volumes = [{"dataset": f"{place.vm}/web{n}"} for n in range(5)]
    volumes[1]["volsize"] = "2M"
    volumes[2]["properties"] = {"org.example:role": "two words"}
    done = place.triad(src=place.src("tiny-plain"), golden=place.images, volumes=volumes, volsize="4M", properties={"compression": "zstd"})
    assert [volume["size"] >> 20 for volume in done["volumes"]] == [4, 2, 4, 4, 4]
    assert guest.sh(f"zfs get -H -o value org.example:role {place.vm}/web2") == "two words"
    assert guest.sh(f"zfs get -H -o value compression {place.vm}/web4") == "zstd"
    more = place.triad(src=place.src("tiny-plain"), golden=place.images, volumes=[*volumes, {"dataset": f"{place.vm}/web5"}], volsize="4M")
    assert more["diff"]["after"].count("clone of") == 6


def test_each_of_several_guests_by_itself(guest, place):
    common = {"src": place.src("tiny-plain"), "golden": place.images}
    guests = {f"web{n}": {**common, "dataset": f"{place.vm}/web{n}"} for n in range(4)}
    guests["web1"]["volsize"] = "512K"
    guests["web3"]["volsize"] = "4M"
    before = place.names()
    announced = guest.module({"guests": guests}, check=True)
    assert place.names() == before
    done = guest.module({"guests": guests})
    for reply in (announced, done):
        assert reply["msg"].startswith("1 of 4 guests failed: web1: volsize 512K is smaller than the image"), reply
        assert (reply["changed"], [each["changed"] for each in reply["guests"].values()]) == (True, [True, False, True, True])
    made = [f"{place.vm}/web{n}" for n in (0, 2, 3)]
    golden = f"{place.images}/tiny-plain"
    assert place.names() == [golden, f"{golden}@image", *made]
    found = [done["guests"][f"web{n}"]["volume"] for n in (0, 2, 3)]
    assert [volume["dataset"] for volume in found] == made and [volume["size"] >> 20 for volume in found] == [1, 1, 4]
    assert {volume["origin"] for volume in found} == {f"{golden}@image"}
    guest.sh(f"test -b {found[2]['device']}")
    del guests["web1"]["volsize"]
    again = guest.module({"guests": guests})
    assert [each["changed"] for each in again["guests"].values()] == [False, True, False, False] and "failed" not in again
    gone = {name: {"dataset": options["dataset"], "state": "absent"} for name, options in guests.items()}
    assert guest.module({"guests": gone})["changed"] is True and place.names() == [golden, f"{golden}@image"]


def test_an_image_that_is_broken_fails_those_who_need_it_once(guest, place):
    options = {"golden": place.images, "sha256": "0" * 64}
    whole = {"src": place.src("tiny-plain"), "golden": place.images, "dataset": f"{place.vm}/other"}
    guests = {name: {**options, "src": place.src("tiny-c"), "dataset": f"{place.vm}/{name}"} for name in ("web1", "web2")}
    reply = guest.module({"guests": {**guests, "other": whole}})
    assert reply["msg"].startswith("2 of 3 guests failed: web1: "), reply
    assert reply["guests"]["web1"]["msg"] == reply["guests"]["web2"]["msg"]
    golden = f"{place.images}/tiny-plain"
    assert place.names() == [golden, f"{golden}@image", f"{place.vm}/other"]


def test_an_empty_volume_is_made_once_grown_and_stays(guest, place):
    """Its name has the colon that the role writes between a guest and its disk."""
    options = {"dataset": f"{place.vm}/web:data", "blank": True, "properties": {"compression": "zstd"}}
    done = place.triad(**options, volsize="64M")
    device = f"/dev/zvol/{place.vm}/web:data"
    assert (done["volume"]["device"], done["volume"]["guid"], done["volume"]["size"]) == (device, None, 64 << 20)
    assert done["diff"]["after"] == f"{place.vm}/web:data:\n  volsize: 64M\n  empty\n  compression: zstd\n"
    found = guest.sh(f"zfs get -Hp -o value refreservation,compression,volsize {place.vm}/web:data").split()
    assert found == ["0", "zstd", str(64 << 20)] and place.names() == [f"{place.vm}/web:data"]
    guest.sh(f"echo precious | dd of={device} conv=notrunc,fsync status=none; zfs snapshot {place.vm}/web:data@mine")
    grown = place.triad(**options, volsize="96M")
    assert grown["volume"]["volblocksize"] == 16384 and guest.sh(f"head -c 8 {device}") == "precious"
    assert "a volume is only ever grown" in place.refused(**options, volsize="64M")
    place.triad(dataset=f"{place.vm}/web:data", state="absent")


def test_an_empty_volume_of_an_odd_size(guest, place):
    """ZFS rounds it up to whole blocks, which is no other size the next time."""
    options = {"dataset": f"{place.vm}/web:odd", "blank": True, "volsize": (1 << 20) + 512}
    assert guest.module(options)["changed"] is True
    again = guest.module(options)
    assert (again["changed"], again["volume"]["size"]) == (False, (1 << 20) + 16384)


def test_any_volume_satisfies_who_asks_for_an_empty_one(guest, place):
    guest.module({"src": place.src("tiny-plain"), "golden": place.images, "dataset": f"{place.vm}/web"})
    before = guest.sh(f"zfs get -H -o value guid {place.vm}/web")
    reply = guest.module({"dataset": f"{place.vm}/web", "blank": True, "volsize": "1M"})
    assert reply["changed"] is False and guest.sh(f"zfs get -H -o value guid {place.vm}/web") == before
    # And no image takes its place unasked.
    guest.module({"dataset": f"{place.vm}/db", "blank": True, "volsize": "1M"})
    assert "has no snapshot to tell its image by" in place.refused(src=place.src("tiny-plain"), golden=place.images, dataset=f"{place.vm}/db")


def test_disks_of_several_guests_beside_their_roots(guest, place):
    root = {"src": place.src("tiny-plain"), "golden": place.images}
    roots = {f"web{n}": {**root, "dataset": f"{place.vm}/web{n}"} for n in range(3)}
    disks = {f"web{n}:data": {"dataset": f"{place.vm}/web{n}:data", "blank": True, "volsize": "32M"} for n in range(3)}
    disks["web1:data"]["dataset"] = f"{place.vm}/none/web1:data"
    done = guest.module({"guests": {**roots, **disks}})
    assert done["msg"].startswith(f"1 of 6 guests failed: web1:data: {place.vm}/none does not exist"), done
    guest.sh(f"test -b /dev/zvol/{place.vm}/web2:data -a -b /dev/zvol/{place.vm}/web1")
    disks["web1:data"]["dataset"] = f"{place.vm}/web1:data"
    again = guest.module({"guests": {**roots, **disks}})
    assert [name for name, each in again["guests"].items() if each["changed"]] == ["web1:data"]


def test_copy_with_properties_from_the_beginning(guest, place):
    wanted = {"compression": "off", "org.example:note": "it's = here", "refreservation": "auto"}
    place.triad(src=place.src("tiny-plain"), dataset=f"{place.vm}/web", properties=wanted, volsize="4M")
    found = guest.sh(f"zfs get -H -o value compression,org.example:note,volmode,volsize {place.vm}/web").splitlines()
    assert found == ["off", "it's = here", "default", "4M"]
    assert int(guest.sh(f"zfs get -Hp -o value refreservation {place.vm}/web")) >= 4 << 20


def test_without_a_device(guest, place):
    options = {"src": place.src("tiny-plain"), "golden": place.images, "dataset": f"{place.vm}/web"}
    done = place.triad(**options, properties={"volmode": "none"})
    assert done["volume"]["device"] is None
    # Nobody asks for one, so it stays as it is.
    kept = guest.module(options)
    assert (kept["changed"], kept["volume"]["device"]) == (False, None)
    shown = place.triad(**options, properties={"volmode": "default"})
    guest.sh(f"test -b {shown['volume']['device']}")


def test_grow_and_change_properties_and_keep_what_the_guest_wrote(guest, place):
    options = {"src": place.src("tiny-plain"), "golden": place.images, "dataset": f"{place.vm}/web"}
    device = place.triad(**options)["volume"]["device"]
    guest.sh(f"echo written-by-guest | dd of={device} conv=notrunc,fsync status=none")
    done = place.triad(**options, volsize="4M", properties={"compression": "gzip", "reservation": "1M"})
    assert done["volume"]["size"] == 4 << 20
    assert re.findall(r"^.*(?:volsize|compression|reservation).*$", done["diff"]["after"], re.M) == [
        "  volsize: 4M",
        "  compression: gzip",
        "  reservation: 1M",
    ]
    assert guest.sh(f"blockdev --getsize64 {device}") == str(4 << 20)
    assert guest.sh(f"head -c 16 {device}") == "written-by-guest"
    assert "a volume is only ever grown" in place.refused(**options, volsize="2M")


def test_replace_keeps_the_old_volume(guest, place):
    options = {"golden": place.images, "image": "base", "dataset": f"{place.vm}/web"}
    guest.module({**options, "src": place.src("tiny-plain")})
    guest.sh(f"zfs snapshot {place.vm}/web@users-own")
    refused = place.refused(**options, src=place.src("empty-plain"))
    assert "is there already and is not of image base (snapshot guid 5224889396273981295)" in refused
    done = place.triad(**options, src=place.src("empty-plain"), replace=True)
    kept = done["volume"]["replaced"]
    assert re.fullmatch(re.escape(f"{place.vm}/web") + r"\.old-\d{8}T\d{6}Z", kept)
    assert f"{kept}@users-own" in place.names() and done["golden"]["replaced"] in place.names()
    assert guest.sha256(done["volume"]["device"]) == "080acf35a507ac9849cfcba47dc2ad83e01b75663a516279c8b9d243b719643e"
    assert guest.sha256(f"/dev/zvol/{kept}") == "1500e05c43c940a3c77467abe6d22a461d9e5c3b06b80072f1a861a69ee101c6"
    place.triad(dataset=kept, state="absent")
    assert guest.module({**options, "src": place.src("empty-plain"), "replace": True})["changed"] is False


def test_a_volume_is_known_by_its_guid_wherever_that_is(guest, place):
    options = {"src": place.src("tiny-plain"), "dataset": f"{place.vm}/web"}
    guest.module({**options, "golden": place.images})
    guest.sh(f"zfs rename {place.images}/tiny-plain {place.images}/elsewhere; zfs promote {place.vm}/web")
    assert guest.module(options)["changed"] is False
    guest.sh(f"zfs rename {place.vm}/web@image {place.vm}/web@renamed")
    assert guest.module(options)["changed"] is False
    assert guest.module({**options, "src": "/nowhere", "guid": "7119270074782723516"})["changed"] is False
    assert guest.module({**options, "dataset": f"{place.vm}/new", "src": "/nowhere", "guid": "7119270074782723516"}, check=True)["changed"] is True
    message = place.refused(src="/nowhere", guid="7119270074782723516", dataset=f"{place.vm}/new", check_too=False)
    assert "opening /nowhere: No such file or directory" in message
    message = place.refused(**options, guid="1")
    assert message.endswith("holds the image with guid 7119270074782723516, expected 1: another image")


def test_absent_takes_a_volume_with_its_snapshots_and_nothing_else(guest, place):
    options = {"src": place.src("tiny-plain"), "golden": place.images}
    guest.module({**options, "volumes": [{"dataset": f"{place.vm}/{name}"} for name in "abc"]})
    guest.sh(f"zfs snapshot {place.vm}/a@one; zfs snapshot {place.vm}/a@two")
    golden = f"{place.images}/tiny-plain"
    message = place.refused(dataset=golden, state="absent")
    listed = re.fullmatch(re.escape(golden) + r" cannot be destroyed: 3 clones are made of it: (.*); remove those first", message)
    assert sorted(listed[1].split(", ")) == [f"{place.vm}/{name}" for name in "abc"]
    gone = place.triad(dataset=f"{place.vm}/a", state="absent")
    assert gone["volume"]["dataset"] == f"{place.vm}/a"
    assert guest.module({"dataset": f"{place.vm}/a", "state": "absent"})["changed"] is False
    # In one call: clones go before what they are clones of, whatever the order.
    place.triad(volumes=[{"dataset": golden}, {"dataset": f"{place.vm}/c"}, {"dataset": f"{place.vm}/b"}], state="absent")
    assert place.names() == []


def test_streams_we_receive_can_be_sent_on(guest, place):
    guest.module({"src": place.src("vb128k-Lec"), "golden": place.images, "dataset": f"{place.vm}/web"})
    golden = f"{place.images}/vb128k-Lec@image"
    guest.sh(f"zfs send -L {golden} > /root/again.zfs")
    again = guest.module({"src": "/root/again.zfs", "dataset": f"{place.vm}/again"})["volume"]
    assert again["guid"] == "9892791678572144833"
    assert guest.sha256(again["device"]) == guest.sha256(f"/dev/zvol/{place.vm}/web")
    guest.sh("zpool scrub -w tank && zpool status -x tank | grep -q healthy")
