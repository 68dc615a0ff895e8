# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ntpd_check: what it remembers, and its file for node_exporter. Its daemon is a stand-in that always says the same."""

from __future__ import annotations

import json
import re

from lab import TOP
from scene import Scene

ANSWER = TOP / "tests/fixtures/ntpctl/7.9p1/healthy-06-later.all.txt"
# A restart that must not be forgotten: there is a limit to them.
EARLIER = {"history": [], "rows": {}, "blocked_since": None, "restarts": [{"at": 1700000000.0, "error_before": 1.5, "helped": True}]}


class Remembered(Scene):
    """What an earlier run remembered is there."""

    program = "ntpd_check"
    # A daemon that cannot be asked is a verdict, too.
    looks = False

    def __init__(self, lab):
        super().__init__(lab)
        self.tools = [lab.stand_in("ntpctl", f"cat {ANSWER}")]

    def lay_out(self):
        state = self.result / "state.json"
        state.write_text(json.dumps(EARLIER))
        state.chmod(0o600)

    def options(self):
        return {"daemon": "openntpd", "state_file": str(self.result / "state.json")}

    def read(self, path, data):
        return self.remembered(data) if path == "state.json" else super().read(path, data)

    @staticmethod
    def remembered(data):
        """What is remembered, without when it was."""
        try:
            state = json.loads(data)
        except ValueError:
            return f"{len(data)} bytes that cannot be read"
        return f"{len(state['history'])} looks at rows {sorted(state['rows'])} and restarts {state['restarts']}"

    def claims(self, run):
        # The verdict is what was asked for, and that it cannot be remembered is said.
        return [] if "nothing is remembered for the next run" in run.stdout else None


class Metrics(Remembered):
    """The program from cron, and the file that it replaces."""

    def lay_out(self):
        super().lay_out()
        (self.result / "ntpd.prom").write_text("# an earlier run\n")

    def words(self):
        state, metrics = self.result / "state.json", self.result / "ntpd.prom"
        return ["--daemon", "openntpd", "--state-file", str(state), "--prometheus", str(metrics)]

    def read(self, path, data):
        if path != "ntpd.prom":
            return super().read(path, data)
        # The numbers are those of the moment, and restarts are absent where nothing can be remembered.
        text = re.sub(r" \S+$", "", data.decode(), flags=re.MULTILINE)
        return re.sub(r"^.*\bntpd_check_restarts\b.*\n", "", text, flags=re.MULTILINE)

    def claims(self, _run):
        return ["result/ntpd.prom"]

    def admits(self, run):
        return run.stdout.startswith("NTPD UNKNOWN - ")
