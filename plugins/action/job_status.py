# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks after a job that a task with `poll: 0` left to itself."""

from __future__ import annotations

from ansible_collections.apiary.bhyve.plugins.action.native import ActionModule as Native
from ansible_collections.apiary.bhyve.plugins.modules import job_status
from ansible_collections.apiary.bhyve.plugins.plugin_utils import _jobs as jobs, _verdict as verdict
from ansible_collections.apiary.bhyve.plugins.plugin_utils._options import Options


class ActionModule(Native):
    """The action behind job_status."""

    module, options = "job_status", Options(job_status)

    def run(self, tmp=None, task_vars=None):
        """Returns where the job stands, and its reply when it is done."""
        options, _secrets, wrong = self.options.judge(self._task.args)
        if wrong:
            return {"failed": True, "msg": "job_status: %s" % wrong}
        identity = options["jid"]
        if not identity.isalnum():
            return {"failed": True, "msg": "job_status: %r is not the ansible_job_id of a task" % identity}
        job = jobs.Job(identity=identity, interval=1)
        watcher = jobs.Watcher(self._exchange, self._connection.reset, show=None)
        if options["mode"] == "cleanup":
            if not self._task.check_mode:
                watcher.forget(job)
            return {"ansible_job_id": identity, "erased": identity, "changed": True}
        return self._status(identity, watcher.ask(job))

    def _status(self, identity, answer):
        if answer.word == "busy":
            return {"ansible_job_id": identity, "started": True, "finished": False, "changed": False}
        if answer.word == "gone":
            return {"failed": True, "finished": True, "msg": "there is no job %s on this host for this user" % identity}
        reply = verdict.judge("the job's program", answer, {})
        return dict(reply, ansible_job_id=identity, started=True, finished=True)
