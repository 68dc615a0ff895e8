# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the machine while a guest moves: at no moment may two hosts run it, or neither have its data disk.

watch.py FOLDER NAME: looks until FOLDER/watched is there, and prints as JSON how often it has looked and what it has seen.
"""

import json
import sys
import time
from pathlib import Path

from found import HOSTS, processes

FOLDER, NAME = Path(sys.argv[1]), sys.argv[2]

looks, wrong = 0, []
while not (FOLDER / "watched").exists():
    looks += 1
    # It may go from the first host to the second between two questions, and from nowhere else.
    has = [host for host in (*HOSTS, *HOSTS) if Path("/dev/zvol/%s/vm/%s:data" % (host, NAME)).exists()]
    runs = [host for host, name in processes() if name == NAME]
    if len(runs) > 1 or not has:
        wrong.append("look %d: it runs on %s, and has data on %s" % (looks, runs, has))
    time.sleep(0.2)
(FOLDER / "watched").unlink()
print(json.dumps({"looks": looks, "wrong": wrong}))
