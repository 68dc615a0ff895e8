# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role guest asks while it exchanges guests' disks: what is each phase to do, and how did it go."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils._redeployment import Redeployment


def redeployment_options(told, phase):
    """What the module of a phase is asked for, by guest."""
    redeployment = Redeployment(told)
    return getattr(redeployment, phase)() if phase in ("drafts", "restarts", "settlements") else redeployment.options(phase)


def redeployment_failures(told):
    """Why guests have failed, one line each."""
    redeployment = Redeployment(told)
    # What is wrong with the whole dictionary is under an empty name.
    whole = [redeployment.faults[""]] if "" in redeployment.faults else []
    return whole + ["%s: %s" % failure for failure in redeployment.told_failures().items()]


def redeployment_table(told):
    """How it went, one line a guest, and how each comes back."""
    return Redeployment(told).table()


class FilterModule:
    """Filters of the role guest."""

    def filters(self):
        """Names in playbooks."""
        return {
            "redeployment_failures": redeployment_failures,
            "redeployment_options": redeployment_options,
            "redeployment_table": redeployment_table,
        }
