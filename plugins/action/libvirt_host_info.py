# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action behind libvirt_host_info; `main` is for ansible-lint, which asks this file for the options."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.action.native import action
from ansible_collections.apiary.bhyve.plugins.modules import (
    bhyve_image,
    bhyve_image_info,
    libvirt_domain_info,
    libvirt_host_info,
    zfs_receive_info,
    zfs_snapshot_info,
)
from ansible_collections.apiary.bhyve.plugins.plugin_utils._looks import Looks

ActionModule = action(
    libvirt_host_info,
    lambda module: Looks(module, [bhyve_image, bhyve_image_info, libvirt_domain_info, zfs_receive_info, zfs_snapshot_info]),
)
main = libvirt_host_info.main
