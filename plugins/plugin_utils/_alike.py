# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The differences of many guests that are new and alike: the first ones whole, of the others what is theirs alone."""

from __future__ import annotations

import difflib

# So many are shown whole: who deploys a few wants to read them.
_WHOLE = 3
# A guest is like another where at least this much of its lines is.
_LIKE = 0.5


def without_repetition(diffs):
    """The same list of differences, without the lines that one of the first ones has shown."""
    whole, told = [], []
    for diff in diffs:
        model = _model(diff, whole) if len(whole) >= _WHOLE else None
        if model:
            told.append({"prepared": _but(model, diff)})
            continue
        if _is_new(diff):
            whole.append(diff)
        told.append(diff)
    return told


def _is_new(diff):
    return isinstance(diff, dict) and diff.get("before") == "" and isinstance(diff.get("after"), str)


def _model(diff, whole):
    """The one of WHOLE that DIFF is most like, where it is like any."""
    if not _is_new(diff):
        return None
    likes = [(_likeness(each["after"], diff["after"]), -number) for number, each in enumerate(whole)]
    most, number = max(likes)
    return whole[-number] if most >= _LIKE else None


def _likeness(one, other):
    mine, theirs = set(one.splitlines()), other.splitlines()
    return sum(line in mine for line in theirs) / max(len(theirs), 1)


def _but(model, diff):
    """What is other than in the model, without context."""
    lines = difflib.unified_diff(model["after"].splitlines(), diff["after"].splitlines(), lineterm="", n=0)
    changed = [line for line in list(lines)[2:] if not line.startswith("@@")]
    return "\n".join(["+++ %s; new, as that of %s but for" % (_name(diff), _name(model).partition(":")[0]), *changed]) + "\n"


def _name(diff):
    return str(diff.get("after_header") or "one more")
