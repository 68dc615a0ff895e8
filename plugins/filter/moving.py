# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role guest asks while guests move from one host to another: what is each step to do, and how did it go."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils._moving import Moving, guests_to_move, source_place


def moving_options(told, step, source=None):
    """What the module of a step is asked for, by guest; those that come from the host SOURCE, where it is done once for each."""
    moving = Moving(told)
    return moving.drafts() if step == "drafts" else moving.options(step, source)


def moving_sources(told):
    """The hosts that guests come from."""
    return Moving(told).sources()


def moving_failures(told):
    """Why guests have failed, one line each."""
    moving = Moving(told)
    # What is wrong with the whole dictionary is under an empty name.
    whole = [moving.faults[""]] if "" in moving.faults else []
    return whole + ["%s: %s" % failure for failure in moving.told_failures().items()]


def moving_table(told):
    """How it went, one line a guest, and the way back."""
    return Moving(told).table()


class FilterModule:
    """Filters of the role guest."""

    def filters(self):
        """Names in playbooks."""
        return {
            "guests_to_move": guests_to_move,
            "moving_failures": moving_failures,
            "moving_options": moving_options,
            "moving_place": source_place,
            "moving_sources": moving_sources,
            "moving_table": moving_table,
        }
