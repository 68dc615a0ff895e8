# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How messages call values, types and what may have been meant; never by Python's names."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

_CALLED = {
    "str": "text", "int": "a whole number", "bool": "true or false", "float": "a number", "list": "a list", "dict": "a dictionary",
}


def called(expected):
    """What a documented type is, in words."""
    return _CALLED.get(expected, "text")


def kind(value):
    """What VALUE is, in words."""
    if isinstance(value, Mapping):
        return "a dictionary"
    return "a list" if isinstance(value, (list, tuple)) else "nothing" if value is None else repr(value)


def meant(word, known):
    """Which of KNOWN has most likely been meant, or nothing."""
    return next(iter(difflib.get_close_matches(str(word).lower(), list(known), n=1)), None)
