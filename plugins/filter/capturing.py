# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role guest asks while the disk of a guest becomes an image."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils._capturing import Capturing, catalogue_of


def capture_options(told, step):
    """What the module of a step is asked for: by guest, or a call for each where it is bhyve_catalog."""
    capturing = Capturing(told)
    if step == "images":
        return capturing.known()
    return capturing.calls(step) if step in ("announced", "captured") else capturing.options(step)


def capture_table(told):
    """How it went, and how the image is used."""
    return Capturing(told).table()


def capture_failures(told):
    """Why it has failed, one line each."""
    return ["%s: %s" % failure for failure in Capturing(told).told_failures().items()]


class FilterModule:
    """Filters of the role guest."""

    def filters(self):
        """Names in playbooks."""
        return {
            "capture_catalogue": catalogue_of,
            "capture_failures": capture_failures,
            "capture_options": capture_options,
            "capture_table": capture_table,
        }
