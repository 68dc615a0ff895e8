# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role guest asks before it removes what has been left on a host."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils._pruning import Pruning, guests_of_inventory


def pruning_options(told, phase):
    """What the module of a phase is asked to remove."""
    return Pruning(told).options(phase)


def pruning_table(told):
    """What goes and what stays, and why."""
    return Pruning(told).table()


def pruning_failures(told):
    """What could not be removed, one line each."""
    return Pruning(told).failures()


def pruning_unknown(told):
    """Names that nothing on this host has."""
    return sorted(Pruning(told).unknown())


def unknown_to_all(lists):
    """What is in every one of the lists."""
    first, *others = [list(names) for names in lists] or [[]]
    return [name for name in first if all(name in names for names in others)]


class FilterModule:
    """Filters of the role guest."""

    def filters(self):
        """Names in playbooks."""
        return {
            "guests_of_inventory": guests_of_inventory,
            "pruning_failures": pruning_failures,
            "pruning_options": pruning_options,
            "pruning_table": pruning_table,
            "pruning_unknown": pruning_unknown,
            "unknown_to_all": unknown_to_all,
        }
