# SPDX-License-Identifier: GPL-3.0-or-later
"""Random histories of a volume, as ZFS sends them: replayed by us, received through us, and compared with the volume itself."""

from __future__ import annotations

import random

import pytest

from zfs_host import SCRIPTS


@pytest.mark.parametrize("block", ["8K", "16K", "128K", "1M"])
def test_replay_and_receive_agree_with_the_volume(guest, place, block):
    seed = random.randrange(1 << 30)
    folder = f"/root/history-{block}"
    sums = guest.sh(f"{SCRIPTS}/history.py {place.name}/source {folder} {seed} {block}").split()
    assert len(sums) == 4
    for step, expected in enumerate(sums):
        options = {"src": f"{folder}/{step}.zfs"}
        raw = guest.module({**options, "path": f"{folder}/volume.raw"})
        assert raw.get("failed") is None, (seed, step, raw)
        volume = guest.module({**options, "golden": place.images, "image": f"step{step}", "dataset": f"{place.vm}/web{step}"})
        assert volume.get("failed") is None, (seed, step, volume)
        found = guest.sha256(raw["volume"]["device"]), guest.sha256(volume["volume"]["device"])
        assert found == (expected, expected), (seed, step)
    guest.sh("zpool scrub -w tank && zpool status -x tank | grep -q healthy")


# From small to large blocks, and a disk whose size is not a multiple of its block.
@pytest.mark.parametrize(("block", "size"), [("16384", 8 << 20), ("65536", 8 << 20), ("131072", 8 << 20), ("1048576", 8 << 20), ("65536", (3 << 20) + 16384)])
def test_streams_of_our_own_writer(guest, place, block, size):
    folder = f"/root/written-{block}-{size}"
    guest.sh(
        f"mkdir {folder} && cd {folder} && truncate -s {size} disk && dd if=/dev/urandom of=disk bs=4096 seek=3 count=200 conv=notrunc status=none"
        f" && yes apiary | head -c 700000 | dd of=disk bs=512 seek=2500 conv=notrunc status=none && /root/write_stream disk stream {block}"
    )
    volume = guest.module({"src": f"{folder}/stream", "golden": place.images, "dataset": f"{place.vm}/web"})["volume"]
    padded = -(-size // int(block)) * int(block)
    assert volume["size"] == padded and volume["guid"] == str(0x617069617279)
    assert guest.sh(f"zfs get -Hp -o value volblocksize {volume['dataset']}") == block
    guest.sh(f"truncate -s {padded} {folder}/disk && cmp {folder}/disk {volume['device']}")
    # The volume lives on: written to, snapshotted, sent whole and as an increment, scrubbed.
    guest.sh(
        f"echo more | dd of={volume['device']} conv=notrunc,fsync status=none && zfs snapshot {volume['dataset']}@later"
        f" && zfs send -L {volume['origin']} | zfs receive -o volmode=none {place.vm}/sent"
        f" && zfs send -L -i {volume['origin']} {volume['dataset']}@later | zfs receive -o origin={volume['origin']} {place.vm}/increment"
    )
    guest.wait_for("the device of the increment", f"test -b /dev/zvol/{place.vm}/increment")
    guest.sh(f"cmp {volume['device']} /dev/zvol/{place.vm}/increment")
    guest.sh("zpool scrub -w tank && zpool status -x tank | grep -q healthy")
