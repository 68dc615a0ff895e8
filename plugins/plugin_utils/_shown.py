# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What targets and guests say, made fit for a terminal: it moves no cursor, changes no colour and reverses no text."""

from __future__ import annotations

import unicodedata

# Marks that make a terminal show what follows from right to left, or in another order.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def shown(text):
    """`text` with every control character but line ends and tabs as an escape that can be read."""
    if text.isprintable():
        return text
    return "".join(_escaped(char) if _acts(char) else char for char in text)


def all_shown(value):
    """`value`, as JSON has it, with every text in it shown."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, list):
        return [all_shown(item) for item in value]
    if isinstance(value, dict):
        return {shown(key): all_shown(item) for key, item in value.items()}
    return value


def _acts(char):
    """Whether a terminal does something other than to show it."""
    return char not in "\n\t" and (unicodedata.category(char) in ("Cc", "Cs") or char in _TURNING)


def _escaped(char):
    return char.encode("unicode_escape").decode()
