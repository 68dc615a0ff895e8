# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands side by side: wall and CPU seconds, and the most memory that was resident."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys


class Bench:
    """A folder to work in, and the programs of the collection."""

    def __init__(self, work, native):
        self.work, self.native = work, native
        print("%-44s %8s %8s %8s %8s %8s" % ("", "wall s", "CPU s", "peak MiB", "of wall", "of CPU"))

    def at(self, name):
        return os.path.join(self.work, name)

    def module(self, program, **options):
        """The words that run a module with these options."""
        path = self.at("options-%d.json" % len([name for name in os.listdir(self.work) if name.startswith("options-")]))
        with open(path, "w", encoding="utf-8") as file:
            json.dump(options, file)
        return [os.path.join(self.native, program), path]

    def shell(self, script):
        return ["bash", "-c", "set -eo pipefail; cd %s; %s" % (self.work, script)]

    def timed(self, words):
        """Runs a command: its wall seconds, CPU seconds and peak memory in MiB."""
        run = subprocess.run(
            ["/usr/bin/time", "-o", self.at("times"), "-f", "%U %S %e %M", *words], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if run.returncode:
            sys.exit("bench: %s failed: %s%s" % (" ".join(words), run.stdout.decode(), run.stderr.decode()))
        with open(self.at("times"), encoding="utf-8") as times:
            user, system, wall, peak = map(float, times.read().split())
        return wall, user + system, peak / 1024

    def row(self, name, words, forget=(), beside=None):
        """Measures a command twice and shows the better of the two, also as a multiple of the one `beside`; its wall and CPU seconds."""
        def once():
            for path in map(self.at, forget):
                shutil.rmtree(path, ignore_errors=True)
                if os.path.exists(path):
                    os.unlink(path)
            return self.timed(words)
        wall, cpu, peak = min(once(), once())
        ratio = "%8.2f %8.2f" % (wall / beside[0], cpu / beside[1]) if beside else ""
        print("%-44s %8.2f %8.2f %8.1f %s" % (name, wall, cpu, peak, ratio), flush=True)
        return wall, cpu
