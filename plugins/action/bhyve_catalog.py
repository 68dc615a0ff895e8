# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action behind bhyve_catalog; `main` is for ansible-lint, which asks this file for the options."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.action.native import action
from ansible_collections.apiary.bhyve.plugins.modules import bhyve_catalog
from ansible_collections.apiary.bhyve.plugins.plugin_utils._capture import Capture

main = bhyve_catalog.main


class ActionModule(action(bhyve_catalog)):
    """Brings the source from the host that has it, where that is another one."""

    def _reply(self, found, options):
        if not options.get("source_host"):
            return super()._reply(found, options)
        if self._task.async_val:
            return {"failed": True, "msg": "bhyve_catalog: async and the option source_host exclude each other: the task passes the disk on"}
        return Capture(self, found, options).reply()
