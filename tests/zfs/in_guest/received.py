# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the guest: receives streams, each as a volume of its own and as a raw file, two at a time.

received.py FOLDER: names of streams on stdin, {name: what came of it} on stdout.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import zfs_module

FOLDER = sys.argv[1]


def received(name):
    src = "/root/streams/%s.zfs" % name
    volume = zfs_module.run({"src": src, "dataset": "%s/%s" % (FOLDER, name)})
    raw = zfs_module.run({"src": src, "path": "/root/%s.raw" % name})
    found = {"volume": volume, "raw": raw}
    if volume["rc"] == 0:
        found["volume_sha256"] = zfs_module.sha256(volume["volume"]["device"])
    if raw["rc"] == 0:
        found["raw_sha256"] = zfs_module.sha256(raw["volume"]["device"])
        os.remove(raw["volume"]["device"])
    return name, found


with ThreadPoolExecutor(2) as workers:
    streams = dict(workers.map(received, json.load(sys.stdin)))
columns = "name,type,guid,volsize,volblocksize,refreservation"
rows = zfs_module.zfs("list", "-Hp", "-o", columns, "-t", "volume,snapshot", "-r", FOLDER)
print(json.dumps({"streams": streams, "rows": [dict(zip(columns.split(","), row)) for row in rows]}))
