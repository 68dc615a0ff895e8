"""Random histories of a volume, as ZFS sends them: replayed by us, received through us, and compared with the volume itself."""

from __future__ import annotations

import random

import pytest

# In the guest: a volume that is written to, discarded from, grown and sent, step by step.
HISTORY = r"""
import os, random, subprocess, sys, time
volume, folder, seed, block = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
random.seed(seed)
device = "/dev/zvol/" + volume
size = 4 << 20

def run(*words):
    subprocess.run(words, check=True)

def opened():
    for _ in range(600):
        try:
            return os.open(device, os.O_RDWR)
        except OSError:
            time.sleep(0.05)
    sys.exit("no device")

run("zfs", "create", "-s", "-V", str(size), "-o", "volblocksize=" + block, "-o", "compression=" + random.choice(["off", "lz4", "zstd"]), volume)
os.makedirs(folder, exist_ok=True)
for step in range(4):
    disk = opened()
    for _ in range(random.randrange(3, 12)):
        offset = random.randrange(0, size, 512)
        length = min(random.randrange(512, 300_000), size - offset)
        kind = random.choice(["random", "text", "zeros", "hole"])
        if kind == "hole":
            start, end = offset // 4096 * 4096, (offset + length) // 4096 * 4096
            if end > start:
                subprocess.run(["blkdiscard", "-f", "-o", str(start), "-l", str(end - start), device], check=True)
            continue
        data = {"random": os.urandom(length), "text": (b"apiary " * length)[:length], "zeros": bytes(length)}[kind]
        os.pwrite(disk, data, offset)
    os.fsync(disk)
    os.close(disk)
    run("zfs", "snapshot", "%s@%d" % (volume, step))
    options = random.choice([[], ["-c"], ["-L"], ["-L", "-e", "-c"], ["-p"]]) if block != "1M" else random.choice([["-L"], ["-L", "-c"]])
    increment = ["-i", "@%d" % (step - 1)] if step else []
    with open("%s/%d.zfs" % (folder, step), "wb") as out:
        subprocess.run(["zfs", "send", *options, *increment, "%s@%d" % (volume, step)], stdout=out, check=True)
    with open(device, "rb") as disk:
        print(subprocess.run(["sha256sum"], stdin=disk, capture_output=True, text=True, check=True).stdout.split()[0])
    if step == 1:
        size += 1 << 20
        for _ in range(100):
            if subprocess.run(["zfs", "set", "volsize=%d" % size, volume]).returncode == 0:
                break
            time.sleep(0.1)
"""


@pytest.mark.parametrize("block", ["8K", "16K", "128K", "1M"])
def test_replay_and_receive_agree_with_the_volume(guest, place, block):
    seed = random.randrange(1 << 30)
    guest.call("cat > /root/history.py", stdin=HISTORY)
    folder = f"/root/history-{block}"
    sums = guest.sh(f"python3 /root/history.py {place.name}/source {folder} {seed} {block}").split()
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


# From small to large blocks, and a disk whose size is no multiple of its block.
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
    guest.sh(f"udevadm settle; for i in $(seq 100); do test -e /dev/zvol/{place.vm}/increment && break; sleep 0.1; done; cmp {volume['device']} /dev/zvol/{place.vm}/increment")
    guest.sh("zpool scrub -w tank && zpool status -x tank | grep -q healthy")
