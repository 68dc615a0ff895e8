# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what every task has returned into the file that APIARY_RESULTS names, one line of JSON each."""

from __future__ import annotations

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: results
type: aggregate
short_description: The results of every task, for the tests
description: Writes one line of JSON for each task and host.
"""


class CallbackModule(CallbackBase):
    """What a task returned, by its name."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "results"
    CALLBACK_NEEDS_ENABLED = True

    def note(self, outcome, done):
        line = {"task": done.task.name, "host": done.host.name, "outcome": outcome}
        line["result"] = json.loads(self._dump_results(done.result))
        with open(os.environ["APIARY_RESULTS"], "a", encoding="utf-8") as file:
            print(json.dumps(line), file=file)

    def v2_runner_on_ok(self, result):
        self.note("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.note("failed", result)

    def v2_runner_on_skipped(self, result):
        self.note("skipped", result)

    def v2_runner_on_unreachable(self, result):
        self.note("unreachable", result)
