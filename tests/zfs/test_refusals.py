# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be done: one clear line, and nothing is left."""

from __future__ import annotations

import pytest

from patience import patience

TINY = "tiny-plain"


def test_names_are_refused_before_anything_runs(guest, place):
    for name in [".", "..", "a b", "-r", ".new-web", "a@b", "a%recv", "", "x" * 230, "\u00e9"]:
        reply = guest.module({"src": place.src(TINY), "dataset": f"{place.vm}/{name}"})
        assert reply["failed"] and "is not the name of a dataset: " in reply["msg"], reply
        reply = guest.module({"src": place.src(TINY), "golden": place.images, "image": name or "a/b", "dataset": f"{place.vm}/web"})
        assert reply["failed"] and "is not the name of a " in reply["msg"], reply
    assert place.names() == []


def test_a_volsize_below_the_image_is_refused(place):
    for more in ({}, {"golden": place.images}):
        message = place.refused(src=place.src(TINY), dataset=f"{place.vm}/web", volsize="512K", **more)
        assert message.endswith("is smaller than the image, which has 1M: its end would be cut off")


def test_a_volsize_that_is_no_multiple_of_the_block_size(place):
    for more in ({}, {"golden": place.images}):
        message = place.refused(src=place.src(TINY), dataset=f"{place.vm}/web", volsize=(1 << 20) + 512, **more)
        assert message.endswith("is not a multiple of the image's block size 16K; the next ones are 1M and 1040K")


@pytest.mark.parametrize("golden", [False, True])
def test_parent_and_pool_that_are_not_there(place, golden):
    more = {"golden": place.images} if golden else {}
    message = place.refused(src=place.src(TINY), dataset=f"{place.vm}/no/web", **more)
    assert message == f"{place.vm}/no does not exist, so {place.vm}/no/web cannot be made in it: create it with `zfs create -p {place.vm}/no`"
    message = place.refused(src=place.src(TINY), dataset="nopool/web", **more)
    assert message.startswith("nopool does not exist, so nopool/web cannot be made in it")
    message = place.refused(src=place.src(TINY), dataset="tank", **more)
    assert message == "tank is a pool: expected the name of a volume in it, tank/NAME"


def test_a_file_system_or_a_volume_in_the_way(guest, place):
    guest.sh(f"zfs create {place.vm}/fs && zfs create -V 1M {place.vm}/own")
    message = place.refused(src=place.src(TINY), dataset=f"{place.vm}/fs", replace=True)
    assert message.startswith(f"{place.vm}/fs is a file system: expected a volume or nothing")
    assert "is a file system" in place.refused(dataset=f"{place.vm}/fs", state="absent")
    message = place.refused(src=place.src(TINY), dataset=f"{place.vm}/own")
    assert "it has no snapshot to tell its image by; set `replace: true`" in message
    message = place.refused(src=place.src(TINY), dataset=f"{place.vm}/own/under")
    assert message == f"{place.vm}/own is a volume: expected a file system to put {place.vm}/own/under into"


def test_asked_for_twice(place):
    message = place.refused(src=place.src(TINY), volumes=[{"dataset": f"{place.vm}/a"}] * 2)
    assert message == f"volume {place.vm}/a is asked for twice: every volume needs a name of its own"
    message = place.refused(src=place.src(TINY), golden=place.images, dataset=f"{place.images}/{TINY}")
    assert "is asked for twice" in message


def test_what_may_not_fit_is_told_before_anything_is_written(guest, place):
    guest.sh(f"zfs set quota=300K {place.name}")
    announced = guest.module({"src": place.src("lz4-plain"), "dataset": f"{place.vm}/web"}, check=True)
    (warning,) = announced["warnings"]
    assert announced["changed"] and f"image lz4-plain takes up to 1307168 bytes in {place.vm}, which has " in warning
    assert place.names() == []


def test_no_space_while_receiving(guest, place):
    # Its length is not known before it is unpacked, so this is found on the way.
    guest.sh(f"zstd -q -f {place.src('off-Lec')} -o /root/off.zst")
    guest.sh("truncate -s 96M /root/small.raw && zpool create small $(losetup --show -f /root/small.raw)")
    try:
        guest.sh("zfs create small/vm && zfs create -o reservation=$(($(zfs get -Hp -o value available small) - 300000)) small/reserved")
        message = place.refused(src="/root/off.zst", dataset="small/vm/web", check_too=False)
        assert "the pool has not enough space; free some, or lower its reservations: " in message
        assert message.endswith("out of space")
        assert guest.names("small/vm") == []
        guest.sh("zfs destroy small/reserved && zfs create -o quota=400K small/quota")
        message = place.refused(src="/root/off.zst", dataset="small/quota/web", check_too=False)
        assert "a quota is exceeded" in message or "the pool has not enough space" in message
        assert guest.names("small/quota") == []
        guest.sh("zpool export small && zpool import -o readonly=on -d /dev small")
        for more in ({}, {"golden": "small/vm"}):
            message = place.refused(src=place.src(TINY), dataset="small/vm/web", check_too=False, **more)
            assert "the pool is imported read-only; import it for writing: " in message
    finally:
        # udev may still be looking at what has just gone.
        guest.wait_for("the pool to be let go", "zpool destroy small")
        guest.sh("losetup -D; rm /root/small.raw")


def test_a_volume_in_use(guest, place):
    copy = {"src": place.src(TINY), "dataset": f"{place.vm}/web"}
    device = guest.module(copy)["volume"]["device"]
    guest.sh(f"zfs snapshot {place.vm}/web@users-own")
    user = guest.start(f"exec sleep infinity < {device}")
    try:
        guest.wait_for("the user to open the volume", "readlink /proc/$(pgrep -fx 'sleep infinity')/fd/0 | grep -q 'zd[0-9]'")
        gone = {"dataset": f"{place.vm}/web", "state": "absent"}
        message = place.refused(check_too=False, **gone)
        assert message.startswith(f"{place.vm}/web cannot be destroyed while process ")
        # The task that stops the guest is left undone in check mode, too.
        announced = guest.module(gone, check=True)
        assert announced["changed"] is True and "(sleep) has it open no more" in announced["warnings"][0]
        assert message.endswith("(sleep) has it open: stop the guest first")
        message = place.refused(src=place.src("empty-plain"), dataset=f"{place.vm}/web", replace=True)
        assert message.startswith(f"{place.vm}/web cannot be replaced while process ")
        assert guest.module(copy)["changed"] is False
    finally:
        guest.sh("pkill -fx 'sleep infinity' || true")
        user.wait(timeout=patience(60))
    place.triad(dataset=f"{place.vm}/web", state="absent")


def test_a_mounted_volume_and_a_held_snapshot(guest, place):
    device = guest.module({"src": place.src(TINY), "dataset": f"{place.vm}/web"})["volume"]["device"]
    guest.sh(f"mkfs.ext4 -q {device} && mount {device} /mnt")
    try:
        message = place.refused(check_too=False, dataset=f"{place.vm}/web", state="absent")
        assert message.endswith("while the system itself, for a mount or a mapping has it open: stop the guest first")
    finally:
        guest.sh("umount /mnt")
    guest.sh(f"zfs hold keep {place.vm}/web@image")
    message = place.refused(dataset=f"{place.vm}/web", state="absent")
    assert message == f"{place.vm}/web cannot be destroyed: its snapshot {place.vm}/web@image is held; see `zfs holds {place.vm}/web@image`"
    guest.sh(f"zfs release keep {place.vm}/web@image")


def test_an_ordinary_user_with_and_without_permission(guest, place):
    guest.sh("cp -r /root/streams /root/zfs_receive /tmp/ 2>/dev/null; chmod -R a+rX /tmp/streams /tmp/zfs_receive")
    options = {"src": f"/tmp/streams/{TINY}.zfs", "golden": place.images, "dataset": f"{place.vm}/web", "volsize": "4M"}

    def as_tester(**more):
        return guest.module({**options, **more}, user="tester", program="/tmp/zfs_receive")

    denied = as_tester()
    assert denied["failed"] and "this user may not do it; become root, or have it allowed: zfs allow -u USER " in denied["msg"]
    assert place.names() == []
    permissions = denied["msg"].split("zfs allow -u USER ")[1].split(" ")[0]
    guest.sh(f"zfs allow -u tester {permissions} {place.name}")
    done = as_tester()
    assert done["changed"], done
    assert guest.sh(f"blockdev --getsize64 {done['volume']['device']}") == str(4 << 20)
    assert as_tester()["changed"] is False
    copy = as_tester(golden=None, dataset=f"{place.vm}/copy", volsize=None)
    assert copy["changed"], copy
    assert as_tester(src=None, golden=None, volsize=None, state="absent")["changed"]


def test_what_is_wrong_with_the_options(guest, place):
    cases = [
        ({"dataset": "tank/a", "src": "relative/missing"}, "opening relative/missing: No such file or directory (os error 2)"),
        ({"dataset": "tank/a"}, "option `src` is missing: expected the image to make the volume from"),
        ({"dataset": "tank/a", "src": "x", "properties": {"volsize": "1G"}}, 'property "volsize": set the option volsize instead'),
        ({"dataset": "tank/a", "src": "x", "nosuch": 1}, "nosuch"),
        ({"dataset": "tank/a", "src": "x", "volsize": "many"}, "volsize"),
        ({"golden": place.images, "src": "x", "state": "absent"}, "are all missing"),
    ]
    for options, words in cases:
        reply = guest.module(options)
        assert reply.get("failed") and words in reply["msg"], reply
    reply = guest.module({"src": place.src(TINY), "dataset": f"{place.vm}/web", "properties": {"nosuch": "1"}})
    assert reply["failed"] and "ZFS does not know this property or value; see zfsprops(7): " in reply["msg"]
    assert place.names() == []
