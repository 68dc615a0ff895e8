"""Runs in the guest: starts the module and says "now" when the zfs receive it runs has read SHARE of the stream.

during.py SHARE: options on stdin. It ends with the module, which then was too quick.
"""

import json
import os
import sys
import time

import zfs_module

options = json.load(sys.stdin)
wanted = float(sys.argv[1]) * os.path.getsize(options["src"])
process = zfs_module.start(options)


def read():
    """Bytes that the children of the module have read from others, so far."""
    total = 0
    try:
        with open("/proc/%d/task/%d/children" % (process.pid, process.pid)) as children:
            for child in children.read().split():
                with open("/proc/%s/io" % child) as io:
                    total += int(io.readline().split()[1])
    except OSError:
        pass
    return total


while process.poll() is None:
    if read() >= wanted:
        print("now", flush=True)
        break
    time.sleep(0.01)
print(process.stdout.read(), flush=True)
