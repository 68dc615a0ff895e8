# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes when every task begins into the file that APIARY_MOMENTS names, one line of JSON each."""

from __future__ import annotations

import json
import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: moments
type: aggregate
short_description: When tasks begin, for measurements
description: Writes one line of JSON for each task, and one for the end.
"""


class CallbackModule(CallbackBase):
    """When a task begins, by its name."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "moments"
    CALLBACK_NEEDS_ENABLED = True

    def note(self, name):
        with open(os.environ["APIARY_MOMENTS"], "a", encoding="utf-8") as file:
            print(json.dumps([time.time(), name]), file=file)

    def v2_playbook_on_task_start(self, task, is_conditional):
        self.note(task.get_name().rpartition(" : ")[2])

    def v2_playbook_on_stats(self, stats):
        self.note("")
