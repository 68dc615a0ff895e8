# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What targets and guests say, made fit for a terminal: it moves no cursor, changes no colour and reverses no text."""

from __future__ import annotations


def shown(text):
    """`text` with everything but print, line ends and tabs as an escape that can be read."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else _escaped(char) for char in text)


def all_shown(value):
    """`value`, as JSON has it, with every text in it shown."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, list):
        return [all_shown(item) for item in value]
    if isinstance(value, dict):
        return {shown(key): all_shown(item) for key, item in value.items()}
    return value


def _escaped(char):
    return char.encode("unicode_escape").decode()
