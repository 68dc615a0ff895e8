# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module that is a compiled program: judges the options, picks the target's program, runs it there.

A warm task is one exchange with the target, a cold one two. It knows no module and no option by name: the files beside
it do. Ansible imports those once, before it forks a worker for every host and task, so what takes time is done there.
"""

from __future__ import annotations

import time

from ansible.errors import AnsibleConnectionFailure
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.release import __version__
from ansible_collections.apiary.bhyve.plugins.plugin_utils import (
    _exchange as exchange,
    _jobs as jobs,
    _programs as programs,
    _progress as progress,
    _transfer as transfer,
    _verdict as verdict,
)
from ansible_collections.apiary.bhyve.plugins.plugin_utils._alike import without_repetition
from ansible_collections.apiary.bhyve.plugins.plugin_utils._options import Options, encode
from ansible_collections.apiary.bhyve.plugins.plugin_utils._shown import all_shown, shown
from ansible_collections.apiary.bhyve.plugins.plugin_utils._variables import in_variables, variables_of


def action(module, options=Options):
    """The action behind an imported module that is a program; OPTIONS judges what it is asked for."""
    name = module.__name__.rpartition(".")[2]
    # Reads the programs: a worker then has their sums.
    programs.built(name)
    return type("ActionModule", (ActionModule,), {"module": name, "options": options(module)})


class ActionModule(ActionBase):
    """What the actions of all modules have in common: `module` is the module's name, `options` are its options, a `job` is one
    long run of it."""

    module = options = None
    job = jobs.Job

    _supports_check_mode = True
    _supports_diff = True
    _supports_async = True

    def run(self, tmp=None, task_vars=None):
        """Runs the task; the result is the program's reply."""
        begun = time.monotonic()
        result = super().run(tmp, task_vars)
        self.task_vars = task_vars or {}
        self.host = self._task.delegate_to or self.task_vars.get("inventory_hostname", "")
        name = self.module
        options, secrets, wrong = self.options.judge(self._task.args)
        found = programs.built(name)
        if wrong:
            return self._said(dict(result, failed=True, msg="%s: %s" % (name, wrong)))
        if not found:
            return dict(result, failed=True, msg=_NOT_BUILT % name)
        settled = None if self._task.async_val else self.options.answer_for_nobody(options)
        if settled:
            # A host without guests costs no exchange.
            return dict(result, **settled)
        try:
            reply = self._reply(found, options)
        except AnsibleConnectionFailure as error:
            if not self._asks_once_for_all():
                raise
            return dict(result, failed=True, msg=str(error))
        reply = all_shown(remove_values(reply, secrets))
        if isinstance(reply.get("timings"), dict):
            # Seen from here: with the connection, and with sending the program where that was needed.
            reply["timings"]["wall"] = {"seconds": round(time.monotonic() - begun, 3)}
        if isinstance(reply.get("diff"), list):
            reply["diff"] = without_repetition(reply["diff"])
        return self._said(dict(result, **reply))

    def _reply(self, found, options):
        """What the program answers, as the result of this task."""
        args = encode(dict(options, **self._settings(self.module)))
        return verdict.judge(self.module, self._answer(found, args, self._job(self.options.long)), found)

    def _said(self, result):
        """A failure of a role's or playbook's task speaks of what its user has written."""
        return in_variables(result, variables_of(self._task)) if result.get("failed") else result

    def _asks_once_for_all(self):
        """Whether this asks another host on behalf of all, and may go without an answer. Where such a one is not reached, Ansible would
        end the play for whom it asks, even though the task says to ignore that."""
        return bool(self._task.run_once and self._task.delegate_to and self._task.ignore_unreachable)

    def _settings(self, name):
        """The keys by which Ansible tells a module how to run."""
        return {
            "_ansible_check_mode": self._task.check_mode,
            "_ansible_diff": self._task.diff,
            "_ansible_module_name": name,
            "_ansible_no_log": bool(self._task.no_log),
            "_ansible_verbosity": self._display.verbosity,
            "_ansible_version": __version__,
        }

    def _job(self, long):
        """How to run apart from the connection; None for a module that is never long."""
        # A task with `until` comes here again, with a new action.
        limit = vars(self._task).setdefault("apiary_limit", self._task.async_val)
        # Else Ansible would ask after the job itself, with a Python of the target's.
        self._task.async_val = 0
        if limit:
            return self.job(limit, min(self._task.poll, _LONGEST_ROUND), detached=not self._task.poll)
        return self.job() if long else None

    def _answer(self, found, args, job):
        """One exchange if the target keeps the program, a second one if it has to be sent; more while it works."""
        environment = {}
        self._compute_environment_string(environment)
        if not self._takes_stdin():
            return self._transferred(found, environment, args, job)
        answer = self._exchange(exchange.run_kept(found, environment, job), exchange.stdin(environment, args))
        if answer.word == "miss" or (answer.damaged and answer.rc in _NEVER_STARTED):
            program = found[answer.detail]
            self._display.vv("sending %s, %d bytes" % (program.kept_name, program.size), host=self.host)
            answer = self._exchange(
                exchange.keep_and_run(program, environment, job),
                exchange.stdin(environment, args, program.contents()),
            )
        if answer.word in ("nowhere", "noexec"):
            self._display.vv("using the ordinary transfer: %s" % shown(answer.detail), host=self.host)
            return self._transferred(found, environment, args, job)
        return self._followed(job) if answer.word == "busy" else answer

    def _transferred(self, found, environment, args, job):
        # The folder it is sent to goes with the task, so nothing could be left to itself there.
        if job and job.detached:
            return exchange.Answer("attached", self._connection.transport, "", "", 0)
        if job and job.limit:
            self._display.warning("%s: %s" % (self.host, _NO_LIMIT))
        return transfer.run(self, found, environment, args)

    def _followed(self, job):
        if job.detached:
            return exchange.Answer("started", job.identity, "", "", 0)
        line = progress.Line(self._display, self.host)
        show = line.show if progress.at_terminal(self._display) else lambda _record: None
        return jobs.Watcher(self._exchange, self._connection.reset, show).follow(job)

    def _exchange(self, command, data):
        return exchange.Answer.of(self._low_level_execute_command(command, in_data=data))

    def _takes_stdin(self):
        become = self._connection.become
        if not self._connection.has_pipelining or (become and not getattr(become, "pipelining", become.name != "su")):
            return False
        if self._connection.transport == "local":
            # Else it would give a program that becomes another user a terminal, and not what we send.
            self._connection.set_option("pipelining", True)
        return True


_NEVER_STARTED = (126, 127)
_NOT_BUILT = "%s has not been built: run `make build` in the collection's source tree, or install a release of it"
_NO_LIMIT = "async does not end this task, because the ordinary transfer is used (become without stdin, or a home that holds no programs)"

# Seconds; a longer one would look like an idle connection to a firewall.
_LONGEST_ROUND = 30
