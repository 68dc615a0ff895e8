# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long tests wait: a slow machine is not a failure."""

from __future__ import annotations

import os
import time

FACTOR = float(os.environ.get("APIARY_PATIENCE", "1"))


def patience(seconds):
    """The limit, in seconds, of something that only a failure makes last so long.

    `seconds` are at least thirty times what is usual, and six times where that is half a minute or more: what hangs has to end
    while continuous integration has time to try it once more. A limit that a test expects to run out is tiny, and not multiplied.
    """
    return seconds * FACTOR


def wait_for(what, look, seconds=60, pause=0.05):
    """What `look()` returns as soon as that is true; a failure that says what was waited for, and what was seen last."""
    limit = patience(seconds)
    end = time.monotonic() + limit
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() >= end:
            raise AssertionError(f"waited {limit:g} s for {what}; the last look gave: {seen!r}")
        time.sleep(pause)
