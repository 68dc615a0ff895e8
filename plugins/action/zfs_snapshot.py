# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action behind zfs_snapshot; `main` is for ansible-lint, which asks this file for the options."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.action.native import action
from ansible_collections.apiary.bhyve.plugins.modules import zfs_snapshot

ActionModule = action(zfs_snapshot)
main = zfs_snapshot.main
