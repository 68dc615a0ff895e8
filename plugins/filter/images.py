# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module bhyve_catalog is told by the playbooks publish and images."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils import _images


class FilterModule:
    """Filters of the playbooks that publish."""

    def filters(self):
        """Names in playbooks."""
        return {"image_faults": _images.faults, "image_options": _images.options, "image_prunings": _images.prunings}
