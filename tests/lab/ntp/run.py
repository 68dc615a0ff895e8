# SPDX-License-Identifier: GPL-3.0-or-later
# GPL-3.0-or-later
"""Plays every scenario against every OpenNTPD there is; run.sh puts it into namespaces of its own."""

import os
import platform
import re
import subprocess
import sys
import time
import traceback

import mishaps
import roots
import scenarios
from lab import ADDRESSES, CALM, START, Lab

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.path.join(HERE, "../../.."))


def network():
    """Inside a network namespace of our own: loopback with four more addresses."""
    words = [["link", "set", "lo", "up"], *(["address", "add", f"{address}/32", "dev", "lo"] for address in ADDRESSES)]
    for arguments in words:
        subprocess.run(["ip", *arguments], check=True)


def devices(root):
    """Inside a mount namespace of our own: what the daemon opens in its folder."""
    for device in roots.DEVICES:
        subprocess.run(["mount", "--bind", f"/dev/{device}", os.path.join(root, "dev", device)], check=True)


def build_shim(cache):
    shim = os.path.join(cache, "shim.so")
    source = os.path.join(HERE, "shim.c")
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    return shim


def version_of(root):
    """(6, 2) and the like, from the package's own changelog."""
    folder = os.path.join(root, "usr/share/doc/openntpd")
    for name in sorted(os.listdir(folder)):
        if name.startswith("changelog.Debian"):
            text = subprocess.run(["zcat", os.path.join(folder, name)], check=True, capture_output=True, text=True).stdout
            found = re.search(r"\((?:\d+:)?(\d+)\.(\d+)", text)
            return int(found.group(1)), int(found.group(2))
    raise FileNotFoundError(f"{folder}: no changelog")


def play(scenario, version, lab):
    """Says whether all was as it must be, and how long that took."""
    started = time.monotonic()
    with lab:
        try:
            scenario(lab, version)
            failed = None
        except Exception:  # a failure of one scenario must not hide the others
            failed = traceback.format_exc()
            lab.log.flush()
            lab.log.seek(0)
            failed += "the daemon's last words:\n" + "".join(lab.log.readlines()[-15:])
        hours = (lab.clock.now - lab.clock.start) / 3600e9
    name = f"{version[0]}.{version[1]} {scenario.__name__}"
    print(f"{'FAILED' if failed else 'ok':6} {name:24} seed {lab.seed:<3} {hours:5.1f} h in {time.monotonic() - started:5.1f} s", flush=True)
    if failed:
        print(failed, flush=True)
    return not failed


def plays(wanted):
    """(scenario, start, seed): round 0 is the same on every machine, any other is varied by its number."""
    seeds = [int(os.environ["SEED"])] if "SEED" in os.environ else range(int(os.environ.get("ROUNDS", "1")))
    known = [(scenario, START) for scenario in scenarios.ALL] + [(scenario, CALM) for scenario in mishaps.ALL]
    strange = set(wanted) - {scenario.__name__ for scenario, _ in known}
    assert not strange, f"no such scenario: {strange}"
    return [(scenario, start, seed) for seed in seeds for scenario, start in known if not wanted or scenario.__name__ in wanted]


def main(wanted):
    native = "native/%s-%s/ntpd_check" % (platform.system().lower(), platform.machine())
    program = os.environ.get("NTPD_CHECK", os.path.join(TOP, native))
    network()
    shim = build_shim(roots.CACHE)
    good = roots.ready("distribution") is not None
    for root in filter(None, map(roots.ready, roots.VERSIONS)):
        devices(root)
        version = version_of(root)
        for scenario, start, seed in plays(wanted):
            good = play(scenario, version, Lab(root, shim, program, seed, start)) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
