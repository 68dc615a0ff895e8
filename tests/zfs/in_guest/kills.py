# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the guest: kills the module, or the zfs it runs, at random moments; the same run again must put it right.

kills.py COUNT FOLDER SEED SRC GUID SIZE SHA256: prints how many kills met something that ran. Two at a time, each in a folder of
its own, half of them with a golden volume and a clone, half with a copy.
"""

import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import zfs_module

COUNT, FOLDER, SEED, SRC, GUID, SIZE, SHA256 = sys.argv[1:]


def options(folder, number):
    one = {"src": SRC, "dataset": folder + "/web", "volsize": 2 * int(SIZE)}
    return dict(one, golden=folder, image="image") if number % 2 else one


def whole(folder, when):
    """What stands under a final name is complete; returns all names."""
    rows = zfs_module.zfs("list", "-Hp", "-o", "name,guid,origin", "-t", "volume,snapshot", "-r", folder)
    guids = {name: guid for name, guid, _ in rows}
    for name, _, origin in rows:
        if "@" not in name and "/.new-" not in name:
            image = name + "@image" if origin == "-" else origin
            if guids.get(image) != GUID:
                sys.exit("%s %s is half-made: %s" % (when, name, rows))
    return sorted(guids)


def kill(number, length):
    """One kill; whether it met something that ran."""
    chance = random.Random("%s %d" % (SEED, number))
    folder = "%s/%d" % (FOLDER, number)
    zfs_module.zfs("create", folder)
    wanted = options(folder, number)
    process = zfs_module.start(wanted)
    time.sleep(chance.uniform(0, length))
    if chance.random() < 0.5:
        process.kill()
    else:
        subprocess.run(["pkill", "-KILL", "-x", "zfs", "-P", str(process.pid)], check=False)
    hit = zfs_module.reply(process)["rc"] != 0
    whole(folder, "after kill %d" % number)
    done = zfs_module.run(wanted)
    if done["rc"]:
        sys.exit("the run after kill %d fails: %s" % (number, done))
    expected = ["/image", "/image@image", "/web"] if number % 2 else ["/web", "/web@image"]
    names = whole(folder, "after the run that followed kill %d" % number)
    if names != [folder + name for name in expected]:
        sys.exit("the run after kill %d leaves %s" % (number, names))
    if zfs_module.sha256(done["volume"]["device"], int(SIZE)) != SHA256:
        sys.exit("the run after kill %d made a volume of other content" % number)
    return hit


def undisturbed(number):
    """How long a run takes that is not killed."""
    folder = "%s/whole%d" % (FOLDER, number)
    zfs_module.zfs("create", folder)
    started = time.monotonic()
    done = zfs_module.run(options(folder, number))
    if done["rc"]:
        sys.exit("the run that is not killed fails: %s" % done)
    return time.monotonic() - started


with ThreadPoolExecutor(2) as workers:
    # The first ones find everything cold.
    length = min(list(workers.map(undisturbed, range(4)))[2:])
    print(sum(workers.map(lambda number: kill(number, length), range(int(COUNT)))))
