# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the guest: exchanges a volume for new and for kept ones, kills every exchange at a random moment, and calls it again.

swaps.py COUNT FILE-SYSTEM SEED prints how many kills met a running module.
"""

import os
import random
import subprocess
import sys
import time

import zfs_module

from patience import wait_for

COUNT, FOLDER, SEED = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
WEB = FOLDER + "/web"
zfs_module.PROGRAM = "/root/zfs_swap"


def make(name, who, *more):
    subprocess.run(["zfs", "create", "-s", "-V", "16M", "-o", "test:who=%d" % who, *more, name], check=True)


def volumes():
    """Of each volume, who it is."""
    return dict(zfs_module.zfs("list", "-H", "-t", "volume", "-d", "1", "-o", "name,test:who", FOLDER))


def kept():
    return sorted(name for name in volumes() if ".old-" in name)


def exchange(state, moment=None):
    """The reply of a run, or whether one that was killed was still running."""
    process = zfs_module.start({"dataset": WEB, "state": state})
    if moment is None:
        reply = zfs_module.reply(process)
        assert not reply.get("failed"), reply
        return reply
    time.sleep(moment)
    running = process.poll() is None
    process.kill()
    process.wait()
    return running


def main():
    random.seed(SEED)
    make(WEB, 0)
    hits, longest = 0, 0.3
    for who in range(1, COUNT + 1):
        before, last = volumes(), kept()
        state = random.choice(["new", "back"]) if last else "new"
        if state == "new":
            make(WEB + ".redeploy", who, "-o", "volmode=none")
            expected = str(who)
        else:
            expected = before[last[-1]]
        everybody = sorted([*before.values(), *([expected] if state == "new" else [])])
        hits += exchange(state, random.uniform(0, longest))
        began = time.monotonic()
        exchange(state)
        longest = time.monotonic() - began if who == 1 else longest
        after = volumes()
        told = "seed %d, exchange %d (%s): before %s, after %s" % (SEED, who, state, before, after)
        assert after[WEB] == expected, told
        assert sorted(after.values()) == everybody, told
        assert WEB + ".redeploy" not in after and after[kept()[-1]] == before[WEB], told
        assert exchange(state)["changed"] is False, told
        exchange("settled")
        wait_for("the device of " + WEB, lambda: os.path.exists("/dev/zvol/" + WEB))
        marks = zfs_module.zfs("get", "-H", "-s", "local", "-o", "property", "all", WEB)
        assert [mark for [mark] in marks if mark.startswith("apiary.bhyve:")] == ["apiary.bhyve:lineage"], marks
    print(hits)


main()
