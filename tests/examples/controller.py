# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a user sits: a folder with an inventory, and what the tasks of a play have returned."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import textwrap

from patience import patience

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(sys.executable).parent


class Results(list):
    """What tasks have returned, in order."""

    def of(self, task):
        """The results of one task, which may have run more than once."""
        found = [each["result"] for each in self if each["task"] == task]
        assert found, f"no task {task!r} has run, but {[each['task'] for each in self]}"
        return found

    def changed(self, task):
        return [result["changed"] for result in self.of(task)]


class Ran:
    """How a command of Ansible's ended."""

    def __init__(self, done, results):
        self.code, self.output, self.results = done.returncode, done.stdout + done.stderr, results

    def recap(self, host):
        """The counts of a play's recap."""
        line = re.findall(rf"^{host} +: (.*)$", self.output, re.M)[-1]
        return {word: int(count) for word, count in re.findall(r"(\w+)=(\d+)", line)}


class Controller:
    """Commands are run in `folder`, which is called `inside` by those who run there; `enter` is the way in."""

    # Commands and names of tasks that have been run by any of them.
    ran = set()

    def __init__(self, folder, inside=None, enter=(), **environment):
        self.folder, self.inside, self.enter = folder, str(inside or folder), list(enter)
        self.environment = {
            "PATH": f"{BIN}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": os.environ.get("HOME", "/root"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_TIMEOUT": str(int(patience(300))),
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "results",
            "APIARY_RESULTS": f"{self.inside}/results",
            **environment,
        }

    def write(self, name, text):
        """A file of the user's."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return f"{self.inside}/{name}"

    def run(self, command, code=0):
        """A command as a user types it."""
        results = self.folder / "results"
        results.write_text("")
        settings = [f"{name}={value}" for name, value in self.environment.items()]
        words = [*self.enter, "env", "-i", "-C", self.inside, *settings, "sh", "-c", command]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patience(600))
        assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        found = Results(json.loads(line) for line in results.read_text().splitlines())
        self.ran.update([command], (each["task"] for each in found if each["outcome"] != "skipped"))
        return Ran(done, found)

    def play(self, host, *texts, code=0, **variables):
        """Runs tasks as they are written, one after the other, in one play."""
        tasks = textwrap.indent("".join(texts), "    ")
        head = f"- hosts: {host}\n  gather_facts: false\n  vars: {json.dumps(variables)}\n  tasks:\n"
        self.write("play.yml", head + tasks)
        return self.run("ansible-playbook -i inventory play.yml", code).results
