# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's ordinary transfer: for connections that cannot feed stdin and homes that cannot hold a program."""

from __future__ import annotations

import shlex

from ansible_collections.apiary.bhyve.plugins.plugin_utils._exchange import MARK, Answer, line


def run(action, programs, environment, args):
    """Sends program and arguments to a temporary folder of the target, runs the program, removes the folder."""
    asked = Answer.of(action._low_level_execute_command("echo %suname $(uname -sm)" % MARK))
    program = programs.get(asked.detail)
    if asked.word != "uname":
        return asked
    if program is None:
        return Answer("none", asked.detail, "", "", 0)
    folder = action._make_tmp_path()
    try:
        return Answer.of(action._low_level_execute_command(_sent(action, folder, program, environment, args)))
    finally:
        action._remove_tmp_path(folder)


def _sent(action, folder, program, environment, args):
    """Sends the files and returns the command that runs them."""
    path = {name: action._connection._shell.join_path(folder, name) for name in ("args", "run")}
    remote = action._connection._shell.join_path(folder, program.name)
    exported = ["export %s=%s" % (name, shlex.quote(str(value))) for name, value in environment.items()]
    handed = ["program=%s" % shlex.quote(remote), "arguments=%s" % shlex.quote(path["args"])]
    script = "\n".join([*exported, *handed, line(["transfer"]), ""])
    action._transfer_file(program.path, remote)
    action._transfer_data(path["args"], args)
    action._transfer_data(path["run"], script)
    action._fixup_perms2((folder, remote, path["args"], path["run"]))
    return "/bin/sh %s" % shlex.quote(path["run"])
