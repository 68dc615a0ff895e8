# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the guest, called by zfs.sh: times commands on one pool, in turn; the best of some rounds counts, because what else
runs on the machine only ever adds time."""

import json
import os
import resource
import subprocess
import sys
import time

from patience import wait_for

SIZE = int(sys.argv[1]) << 20
ONLY = sys.argv[2]
ROUNDS = 6
GUESTS = 20
BAR = 20
# Smaller than a disk one would use, because the other way writes it twenty times; a larger one only helps clones.
GUEST_SIZE = min(SIZE, 512 << 20)
# Packs to about half, as much of a file system does.
TEXT = b"".join(b"%d %s\n" % (number * number, os.urandom(6).hex().encode()) for number in range(1 << 16))[: 1 << 20]


def sh(command):
    subprocess.run(["sh", "-c", command], check=True)


def module(**options):
    run = subprocess.run(["/root/zfs_receive", "-"], input=json.dumps(options), capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stdout)
    return json.loads(run.stdout)


def timed(work):
    sh("zpool sync tank")
    started = time.monotonic()
    work()
    return time.monotonic() - started


def destroyed(name):
    return subprocess.run(["zfs", "destroy", "-r", name], stderr=subprocess.DEVNULL).returncode == 0


def compare(title, rounds, *rows):
    """Each row: a name, what is timed, the volumes that then go. Prints the best, and how the rows after the first one compare with it."""
    times = [[] for _ in rows]
    for _ in range(rounds):
        for (_, work, volumes), taken in zip(rows, times):
            taken.append(timed(work))
            sh("udevadm settle")
            for name in volumes:
                wait_for(name + " to be let go by udev", lambda name=name: destroyed(name), 120)
    print(title)
    for (name, _, _), taken in zip(rows, times):
        print("  %-44s %7.2f s  %5.2f  (%s)" % (name, min(taken), min(taken) / min(times[0]), " ".join("%.2f" % one for one in taken)))
    sys.stdout.flush()
    return [min(taken) for taken in times]


def image(path, size):
    with open("/dev/shm/disk", "wb") as disk:
        for _ in range(size // (3 << 20)):
            disk.write(os.urandom(1 << 20))
            disk.write(TEXT)
            disk.seek(1 << 20, os.SEEK_CUR)
        disk.truncate(size)
    sh("/root/write_stream /dev/shm/disk %s 131072 && rm /dev/shm/disk" % path)


def images():
    image("/dev/shm/one.zfs", SIZE)
    sh("zstd -q -3 /dev/shm/one.zfs -o /dev/shm/one.zfs.zst && cat /dev/shm/one.zfs /dev/shm/one.zfs.zst > /dev/null")
    stream, packed = (os.path.getsize("/dev/shm/one.zfs" + ending) >> 20 for ending in ("", ".zst"))
    print("volume of %d MiB, stream of %d MiB, packed %d MiB" % (SIZE >> 20, stream, packed))

    compare(
        "one image, plain", ROUNDS,
        ("zfs receive < FILE", lambda: sh("zfs receive tank/vm/a@image < /dev/shm/one.zfs"), ["tank/vm/a"]),
        ("cat FILE | zfs receive", lambda: sh("cat /dev/shm/one.zfs | zfs receive tank/vm/a@image"), ["tank/vm/a"]),
        ("zfs_receive, everything verified", lambda: module(src="/dev/shm/one.zfs", dataset="tank/vm/a"), ["tank/vm/a"]),
    )
    print("  peak memory of zfs_receive and its commands: %.1f MiB" % (resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024), flush=True)
    compare(
        "one image, zstd", ROUNDS,
        ("zstd -dc FILE | zfs receive", lambda: sh("zstd -dc /dev/shm/one.zfs.zst | zfs receive tank/vm/a@image"), ["tank/vm/a"]),
        ("zfs_receive, everything verified", lambda: module(src="/dev/shm/one.zfs.zst", dataset="tank/vm/a"), ["tank/vm/a"]),
    )
    sh("rm /dev/shm/one.zfs*")


def seconds_of(reply):
    """By phase, of all guests together."""
    phases = {}
    for answer in reply["guests"].values():
        for phase, timing in answer["timings"].items():
            phases[phase] = phases.get(phase, 0) + timing["seconds"]
    return phases


def many():
    image("/dev/shm/guest.zfs", GUEST_SIZE)
    # As the role asks for them: what goes for all of them is said for each.
    guests = {
        "web%d" % number: {"src": "/dev/shm/guest.zfs", "golden": "tank/images", "dataset": "tank/vm/web%d" % number}
        for number in range(1, GUESTS + 1)
    }
    phases = {}
    copies, clones, _ = compare(
        "%d guests of one image, volume of %d MiB" % (GUESTS, GUEST_SIZE >> 20), 1,
        (
            "%d times cat FILE | zfs receive" % GUESTS,
            lambda: sh("for i in $(seq %d); do cat /dev/shm/guest.zfs | zfs receive tank/vm/web$i@image || exit 1; done" % GUESTS),
            ["tank/vm/web%d" % number for number in range(1, GUESTS + 1)],
        ),
        (
            "zfs_receive: golden volume and %d clones" % GUESTS,
            lambda: phases.update(seconds_of(module(guests=guests))),
            [],
        ),
        ("zfs_receive once more: nothing to do", lambda: module(guests=guests), []),
    )
    print("  of the clones: " + ", ".join("%s %.2f s" % phase for phase in phases.items()))
    print("  %.1f times faster than copies (bar %d)" % (copies / clones, BAR))
    return copies / clones >= BAR


if ONLY != "guests":
    images()
sys.exit(0 if many() else 1)
