# SPDX-License-Identifier: GPL-3.0-or-later
# GPL-3.0-or-later
"""Whether an answer of ntpd_check is the expected one for chrony beside servers.py: answer.py VERDICT FILE."""

import json
import sys


def as_expected(verdict, found):
    """All good servers are a second ahead, and the last one announces alarm."""
    if found["verdict"] != verdict:
        return False
    if verdict == "no_daemon":
        return "chronyd is not running" in found["reasons"][0]
    clock = found["clock"]
    alarm = [probe["server"] for probe in found["probes"] if "LI=3" in (probe["problem"] or "")]
    return 0.9 < clock["clock_error"] < 1.1 and clock["synced"] and clock["valid_peers"] == 3 and alarm == ["10.99.0.4"]


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as file:
        sys.exit(not as_expected(sys.argv[1], json.load(file)))
