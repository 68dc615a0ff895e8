# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows lines as they are, where a person reads the output."""

from __future__ import annotations

from ansible import constants as C
from ansible.plugins.action import ActionBase
from ansible_collections.apiary.bhyve.plugins.modules import table
from ansible_collections.apiary.bhyve.plugins.plugin_utils._options import Options
from ansible_collections.apiary.bhyve.plugins.plugin_utils._shown import shown

main = table.main


class ActionModule(ActionBase):
    """The action behind table."""

    module, options = "table", Options(table)
    _supports_check_mode = _supports_diff = True
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """Shows the lines; the result has them, too, for callbacks and for who registers it."""
        result = super().run(tmp, task_vars)
        options, _secrets, wrong = self.options.judge(self._task.args)
        if wrong:
            return dict(result, failed=True, msg="table: %s" % wrong)
        lines, failures = options["lines"], options["failures"]
        is_for_people = C.DEFAULT_STDOUT_CALLBACK in ("default", "ansible.builtin.default")
        if lines and is_for_people:
            # One text, so that no other host's comes between. A table of the whole play is no host's.
            heading = [] if self._task.run_once else ["%s:" % (task_vars or {}).get("inventory_hostname", "")]
            self._display.display(shown("\n".join([*heading, *lines])))
        if failures:
            return dict(result, failed=True, msg=failures, **({} if is_for_people else {"lines": lines}))
        return dict(result, changed=False, msg=lines, lines=lines, **({} if is_for_people else {"_ansible_verbose_always": True}))
