# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role image_repository refuses."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.plugin_utils import _repository


class FilterModule:
    """The filter of that role."""

    def filters(self):
        """Name in the role."""
        return {"repository_faults": _repository.faults}
