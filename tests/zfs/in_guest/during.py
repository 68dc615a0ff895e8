# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the guest: starts the module, stops it when the zfs receive it runs has read SHARE of the stream, and says "now".

during.py SHARE: options on stdin. Where the module is done before, it says that and no "now".
"""

import json
import os
import signal
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
        # The zfs receive waits for what does not come: whenever the power is cut, it is in the middle.
        process.send_signal(signal.SIGSTOP)
        print("now", flush=True)
        break
    time.sleep(0.01)
print(process.stdout.read(), flush=True)
