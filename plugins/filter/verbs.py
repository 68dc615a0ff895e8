# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks of the second day ask of the role guest in one word."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils._listing import listing, listing_options, listing_table
from ansible_collections.apiary.bhyve.plugins.plugin_utils._verbs import Verbs


def verb_options(told, step):
    """What the module of a step is asked for, by guest."""
    return Verbs(told).options(step)


def verb_table(told):
    """How it went, one line a guest."""
    return Verbs(told).table()


def verb_failures(told):
    """Why guests have failed, one line each."""
    return ["%s: %s" % failure for failure in Verbs(told).failures().items()]


class FilterModule:
    """Filters of the playbooks of the second day."""

    def filters(self):
        """Names in playbooks."""
        return {
            "listing": listing,
            "listing_options": listing_options,
            "listing_table": listing_table,
            "verb_failures": verb_failures,
            "verb_options": verb_options,
            "verb_table": verb_table,
        }
