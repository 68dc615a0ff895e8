# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves volumes between two hosts: asks a program at either end what there is, and has it sent."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.apiary.bhyve.plugins.action.native import ActionModule as Native
from ansible_collections.apiary.bhyve.plugins.modules import volume_move
from ansible_collections.apiary.bhyve.plugins.plugin_utils import _ends as ends, _programs as programs
from ansible_collections.apiary.bhyve.plugins.plugin_utils._links import Refused
from ansible_collections.apiary.bhyve.plugins.plugin_utils._options import Options
from ansible_collections.apiary.bhyve.plugins.plugin_utils._shown import all_shown
from ansible_collections.apiary.bhyve.plugins.plugin_utils._streaming import VOLUMES, Host, check_connections
from ansible_collections.apiary.bhyve.plugins.plugin_utils._volumes import Volumes

# Reads the programs: a worker then has their sums.
programs.built(VOLUMES)
main = volume_move.main


class ActionModule(Native):
    """The action behind volume_move."""

    module, options = "volume_move", Options(volume_move)

    def run(self, tmp=None, task_vars=None):
        """Runs the task; the result is put together here."""
        result = ActionBase.run(self, tmp, task_vars)
        self.host = (task_vars or {}).get("inventory_hostname", "")
        options, _secrets, wrong = self.options.judge(self._task.args)
        several = options.get("guests") if "guests" in options else {"": options}
        wrong = wrong or self._wrong(several, task_vars)
        if wrong:
            return dict(result, failed=True, msg="volume_move: %s" % wrong)
        if not several:
            return dict(result, changed=False, guests={})
        found = programs.built(VOLUMES)
        if not found:
            return dict(result, failed=True, msg="volume_move: its program %s has not been built: run `make build`, or install a release" % VOLUMES)
        source = next(iter(several.values()))["source"]
        hosts = [Host(source, ends.other_end(self, source, task_vars), found), Host(self.host, self, found)]
        try:
            check_connections(*hosts)
        except Refused as refused:
            return dict(result, failed=True, msg="volume_move: %s" % refused)
        answers = Volumes(*hosts, several).answers()
        told = answers[""] if "guests" not in options else self._several(answers)
        return dict(result, **all_shown(told))

    @staticmethod
    def _wrong(several, task_vars):
        sources = {str(options.get("source") or "") for options in several.values()}
        if several and (len(sources) != 1 or "" in sources):
            return "option source is %s: expected one host that all volumes are on" % (" and ".join(sorted(sources)) or "missing")
        unknown = sources - set(task_vars["hostvars"])
        return "option source is %s, which is no host of the inventory" % unknown.pop() if unknown else None

    @staticmethod
    def _several(answers):
        failures = ["%s: %s" % (name, answer["msg"]) for name, answer in answers.items() if answer.get("failed")]
        told = {"changed": any(answer.get("changed") for answer in answers.values()), "guests": answers}
        if failures:
            word = "volume" if len(answers) == 1 else "volumes"
            told.update(failed=True, msg="%d of %d %s failed: %s" % (len(failures), len(answers), word, "; ".join(failures)))
        return told
