# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages in the words of who uses a role: where one of our own tasks fails, its options are named by the variables that they come from."""

from __future__ import annotations

import os
import re

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
_OURS = tuple(os.path.join(_ROOT, folder, "") for folder in ("roles", "playbooks"))
# An option that is one variable and nothing else: `{{ x }}`, `{{ x or omit }}`, `{{ x | default(...) }}`, `{{ omit if y else x }}`.
_ONE = re.compile(r"\{\{ (?:omit if \w+ else )?([a-z][a-z_]*(?:\.[a-z_]+)?)(?: or omit| \| default\([^()]*\))? \}\}")
# The role guest takes these from variables that other roles and playbooks read, too.
_BEHIND = ("guest_catalog", "bhyve_catalog")
# Advice on options that the role gives for each guest by itself.
_ADVICE = {"or give a path instead of a dataset": "or set guest_folder to a folder for raw files"}
# Entries of bhyve_images, whose keys are called as the options are.
_ENTRY = "bhyve_image"


def variables_of(task):
    """Which variable stands behind each option of TASK, where it is only one; None where the task is no role's or playbook's of this collection."""
    told = task.get_ds() or {}
    if not os.path.realpath(str(task.get_path() or "").rpartition(":")[0]).startswith(_OURS):
        return None
    args = next((value for key, value in told.items() if key == task.action or key == task.resolved_action), None)
    found = {option: _ONE.fullmatch(value) for option, value in (args or {}).items() if isinstance(value, str)}
    names = {option: match[1] for option, match in found.items() if match}
    return {option: _said(name) for option, name in names.items() if not name.startswith((_ENTRY + ".", _ENTRY + "_item."))}


def _said(name):
    ours, behind = _BEHIND
    return behind + name[len(ours):] if name.startswith(ours) else name


def in_variables(reply, variables):
    """The same reply with variables in its messages, those of each guest included."""
    if variables is None:
        return reply
    # Of no option nothing matches.
    pattern = re.compile(r"(\boption )?(`?)\b(%s)\b(`?)" % ("|".join(sorted(variables, key=len, reverse=True)) or "(?!)"))
    reply = _renamed(reply, pattern, variables)
    guests = reply.get("guests")
    if isinstance(guests, dict):
        reply["guests"] = {name: _renamed(guest, pattern, variables) if isinstance(guest, dict) else guest for name, guest in guests.items()}
    return reply


def _renamed(reply, pattern, variables):
    if not reply.get("failed") or not isinstance(reply.get("msg"), str):
        return reply
    message = pattern.sub(lambda found: _instead(found, variables), reply["msg"])
    for advice, ours in _ADVICE.items():
        message = message.replace(advice, ours)
    return dict(reply, msg=message)


def _instead(found, variables):
    """Only what is said to be an option, or is quoted as one."""
    word, before, name, after = found.groups()
    if not word and not (before and after):
        return found[0]
    return "%s%s%s%s" % ("variable " if word else "", before, variables[name], after)
