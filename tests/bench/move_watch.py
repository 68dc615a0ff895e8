# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the machine, called by move.py: from when to when no process of a guest is there, by the machine's clock, as JSON.

move_watch.py NAME: the guest runs when this begins; it ends as soon as another process of it is there."""

import json
import os
import sys
import time

CALLED = b"\0-name\0guest=%s," % sys.argv[1].encode()
PAUSE = 0.02


def words(process):
    try:
        with open("/proc/%s/cmdline" % process, "rb") as file:
            return file.read()
    except OSError:
        return b""


def processes():
    return {name for name in os.listdir("/proc") if name.isdigit()}


def runs(process):
    return CALLED in words(process)


# Threads of the kernel have no words, and never get any: to read all of them would take longer than the pause.
silent = {process for process in processes() if not words(process)}
[old] = filter(runs, processes() - silent)
print("watching", flush=True)
while runs(old):
    gone = time.time()
    time.sleep(PAUSE)
while not any(map(runs, processes() - silent)):
    time.sleep(PAUSE)
print(json.dumps([gone, time.time()]))
