# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the guest: a volume that is written to, discarded from, grown and sent, step by step; prints its digest after each.

history.py VOLUME FOLDER SEED BLOCKSIZE
"""

import os
import random
import subprocess
import sys

import zfs_module
from patience import wait_for

volume, folder, seed, block = sys.argv[1:]
random.seed(int(seed))
device = "/dev/zvol/" + volume
size = 4 << 20

def run(*words):
    subprocess.run(words, check=True)

def opened():
    try:
        return os.open(device, os.O_RDWR)
    except OSError:
        return None

def grown():
    return subprocess.run(["zfs", "set", "volsize=%d" % size, volume]).returncode == 0

run("zfs", "create", "-s", "-V", str(size), "-o", "volblocksize=" + block, "-o", "compression=" + random.choice(["off", "lz4", "zstd"]), volume)
os.makedirs(folder, exist_ok=True)
for step in range(4):
    disk = wait_for(device + " to be opened", opened, 120)
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
    print(zfs_module.sha256(device))
    if step == 1:
        size += 1 << 20
        wait_for(volume + " to grow", grown, 120)
