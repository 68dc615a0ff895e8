# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role guest asks while it renames a guest: does the call fit the dictionary, what is each phase to do, and how did it go."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils._renaming import Renaming, renaming_problems


def renaming_options(told, phase):
    """What the module of a phase is asked for, by guest."""
    renaming = Renaming(told)
    return renaming.restarts() if phase == "restarts" else renaming.options(phase)


def renaming_failures(told):
    """Why the guest has failed, in one line."""
    return ["%s: %s" % failure for failure in Renaming(told).told_failures().items()]


def renaming_table(told):
    """How it went; nothing where the guest is not on this host."""
    return Renaming(told).table()


class FilterModule:
    """Filters of the role guest."""

    def filters(self):
        """Names in playbooks."""
        return {
            "renaming_failures": renaming_failures,
            "renaming_options": renaming_options,
            "renaming_problems": renaming_problems,
            "renaming_table": renaming_table,
        }
