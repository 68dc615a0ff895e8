# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another host than the task's, reached from its action: by a connection as Ansible would make it, and by the words that run a command over one."""

from __future__ import annotations

import copy
import os

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.loader import become_loader, connection_loader


def other_end(action, host, task_vars):
    """A copy of ACTION, which runs its task for another host of the inventory: what it is asked to run runs there."""
    other = copy.copy(action)
    other.host = host
    other._play_context = action._play_context.copy()
    variables = task_vars["hostvars"][host]
    other._play_context.remote_addr = variables.get("ansible_host") or host
    other._connection = _connection(other, variables)
    return other


def _connection(action, variables):
    """As Ansible makes the connection of a task for the host with these VARIABLES."""
    task, context = action._task, action._play_context
    # What the task says itself, or Ansible has written there, is for its own host.
    inherited = getattr(task._parent, "connection", None)
    connection = connection_loader.get(
        str(variables.get("ansible_connection") or inherited or "ssh"), context, new_stdin=None, task_uuid=task._uuid,
        ansible_playbook_pid=str(os.getppid()),
    )
    if connection is None:
        raise AnsibleError("the connection plugin %s was not found" % variables.get("ansible_connection"))
    become, said = None, variables.get("ansible_become")
    if task.become if said is None else boolean(said):
        become = become_loader.get(str(variables.get("ansible_become_method") or task.become_method))
    connection.set_become_plugin(become)
    keys = {key: value for key, value in task.dump_attrs().items() if key != "retries"}
    keys["timeout"] = context.timeout
    for kind, plugin in (("connection", connection), ("shell", connection._shell), ("become", become)):
        if plugin is not None:
            names = C.config.get_plugin_vars(kind, plugin._load_name)
            plugin.set_options(task_keys=keys, var_options={name: variables[name] for name in names if name in variables})
    return connection


def refusal(action):
    """Why no stream can go over the connection of ACTION, in words that follow the host's name; None where one can."""
    connection, become = action._connection, action._connection.become
    kind = connection.transport.rpartition(".")[2]
    if kind not in ("ssh", "local"):
        return "its connection is %s, expected ssh or local" % kind
    if kind == "ssh" and (connection.get_option("password") or action._play_context.password):
        return "it is logged in to with a password, expected a key"
    if become and not getattr(become, "pipelining", become.name != "su"):
        return "%s takes nothing from standard input, expected sudo or doas" % become.name
    if become and become.get_option("become_pass"):
        return "%s asks for a password, expected that it needs none" % become.name
    return None


def argv(action, command):
    """The words that run a COMMAND for the shell over the connection of ACTION, with its standard input and output."""
    real = action._connection
    # What Ansible would run, become and all, whatever its version.
    action._connection = recorder = _Recorder(real)
    try:
        action._low_level_execute_command(command, in_data=b"\n")
    finally:
        action._connection = real
    if real.transport.rpartition(".")[2] == "local":
        return ["/bin/sh", "-c", recorder.command]
    real.host = real.get_option("host") or action._play_context.remote_addr
    return real._build_command(real.get_option("ssh_executable"), "ssh", real.host, recorder.command)


class _Recorder:
    """A connection that keeps the command that it is to run."""

    command = None

    def __init__(self, connection):
        self._connection = connection

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def exec_command(self, command, in_data=None, sudoable=True):
        """Runs nothing."""
        self.command = command
        return 0, b"", b""
