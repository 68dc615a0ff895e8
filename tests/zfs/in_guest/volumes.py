# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the guest: receives streams, each as a volume of its own, two at a time.

volumes.py FOLDER STREAMS: names of streams in the folder STREAMS on stdin, {name: what came of it} on stdout.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import zfs_module

FOLDER, STREAMS = sys.argv[1:]


def received(name):
    found = zfs_module.run({"src": "%s/%s.zfs" % (STREAMS, name), "dataset": "%s/%s" % (FOLDER, name)})
    if found["rc"] == 0:
        found["sha256"] = zfs_module.sha256(found["volume"]["device"])
    return name, found


with ThreadPoolExecutor(2) as workers:
    print(json.dumps(dict(workers.map(received, json.load(sys.stdin)))))
