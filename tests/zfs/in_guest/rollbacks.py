# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the guest: kills a rollback of four volumes at random moments; the same run again must take all of them back.

rollbacks.py COUNT FOLDER: prints how many kills met something that ran, and how many left some volumes back and others not.
"""

import json
import random
import subprocess
import sys
import time

import zfs_module

COUNT, FOLDER = sys.argv[1:]
VOLUMES = ["%s/web%d" % (FOLDER, number) for number in range(4)]
OPTIONS = {"datasets": VOLUMES, "name": "a", "state": "rolled_back", "lose_newer": True}

zfs_module.PROGRAM = "/root/zfs_snapshot"


def shell(command):
    subprocess.run(["sh", "-ec", command], check=True)


def spoil():
    for volume in VOLUMES:
        shell("yes later | dd of=/dev/zvol/%s bs=64k count=4 iflag=fullblock conv=fsync,notrunc status=none" % volume)
    zfs_module.zfs("snapshot", *["%s@b" % volume for volume in VOLUMES])
    shell("udevadm settle 2>/dev/null || true")


def newer():
    names = [name for (name,) in zfs_module.zfs("list", "-H", "-o", "name", "-t", "snapshot", "-r", FOLDER)]
    return [name for name in names if name.endswith("@b")]


def took():
    """How long a rollback takes that is not killed."""
    spoil()
    started = time.monotonic()
    done = zfs_module.run(OPTIONS)
    if done["rc"] or done["rolled_back"] != VOLUMES:
        sys.exit("the run that is not killed fails: %s" % done)
    return time.monotonic() - started


for volume in VOLUMES:
    zfs_module.zfs("create", "-V", "4M", "-s", volume)
shell("for n in 0 1 2 3; do until test -b /dev/zvol/%s/web$n; do sleep 0.1; done; done" % FOLDER)
sums = [zfs_module.sha256("/dev/zvol/" + volume) for volume in VOLUMES]
if zfs_module.run({"datasets": VOLUMES, "name": "a"})["rc"]:
    sys.exit("no snapshot could be taken")
length = min(took() for _ in range(3))
hits = {"killed": 0, "between": 0}
for number in range(int(COUNT)):
    spoil()
    process = zfs_module.start(OPTIONS)
    time.sleep(random.uniform(0, length))
    process.kill()
    hits["killed"] += zfs_module.reply(process)["rc"] != 0
    # Its zfs command may go on for a moment; the next run waits for it.
    done = zfs_module.run(OPTIONS)
    if done["rc"]:
        sys.exit("the run after kill %d fails: %s" % (number, done))
    hits["between"] += 0 < len(done["rolled_back"]) < len(VOLUMES)
    if newer() or [zfs_module.sha256("/dev/zvol/" + volume) for volume in VOLUMES] != sums:
        sys.exit("the run after kill %d did not take all of them back: %s" % (number, done))
    if zfs_module.run(OPTIONS)["changed"]:
        sys.exit("the run after that changes something")
print(json.dumps(hits))
