# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line that moves, for the person at a terminal; silent in logs and pipes."""

from __future__ import annotations

import json

from ansible import constants as C
from ansible.utils.color import ANSIBLE_COLOR
from ansible_collections.apiary.bhyve.plugins.plugin_utils._shown import shown

_CLEAR = "\r\033[K"


def at_terminal(display):
    """Whether somebody watches. A worker has no terminal: what the parent found out before the fork has to tell."""
    # Without a terminal the display falls back to 79 columns, and colour is off unless forced.
    return (ANSIBLE_COLOR and not C.ANSIBLE_FORCE_COLOR) or display.columns > 79


class Line:
    """The moving line of one host's task."""

    def __init__(self, display, host):
        self.display, self.host, self.shown = display, host, False

    def show(self, record):
        """Shows a program's progress record; clears the line for an empty one."""
        text = describe(record)
        if text or self.shown:
            room = max(self.display.columns - 1, 20)
            # The line end sends it off: nothing flushes the display but a line end, and this one is invisible.
            line = (_CLEAR + ("%s: %s" % (self.host, text))[:room] + "\r") if text else _CLEAR
            self.display.display(line, stderr=True, screen_only=True, newline=False)
            self.shown = bool(text)


def describe(record):
    """`label: done of total, rate, time left` for a JSON record; nothing for anything else."""
    try:
        record = json.loads(record)
        done, total, seconds = int(record["bytes"]), int(record.get("total") or 0), float(record["seconds"])
        # One line, whatever the target says.
        label = shown(str(record["label"])).replace("\n", " ").replace("\t", " ")
        return _line(label, done, total, seconds)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return ""


def _line(label, done, total, seconds):
    rate = done / seconds if seconds > 0 else 0
    amount = "%s of %s" % (_bytes(done), _bytes(total)) if total else _bytes(done)
    left = ", %s left" % _time((total - done) / rate) if total and rate and total > done else ""
    return "%s: %s, %s/s%s" % (label, amount, _bytes(rate), left)


def _bytes(count):
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if count < 1024 or unit == "TiB":
            return "%.*f %s" % (0 if unit == "B" or count >= 100 else 1, count, unit)
        count /= 1024


def _time(seconds):
    minutes, seconds = divmod(int(seconds + 0.5), 60)
    return "%d min %02d s" % (minutes, seconds) if minutes else "%d s" % seconds
