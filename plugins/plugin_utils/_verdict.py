# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns a target's answer into the task's result. Whatever went wrong is a failed task with one clear line."""

from __future__ import annotations

import signal

_MESSAGES = {
    "attached": "{name} cannot be left to itself here, because the ordinary transfer is used ({detail} without stdin for become, or a "
    "home that holds no programs): expected poll above 0, found poll: 0",
    "expired": "{name} did not finish within {detail} s and has been ended",
    "gone": "{name} was ended on the target, because nobody asked after it any more: run the task again",
    "lost": "{name} vanished from the target: it was killed, or the host restarted",
    "error": "keeping {name} on the target: {detail}",
    "none": "{name} has no program for {detail!r}; it was built for: {built}",
    "noexec": "starting {name}: {detail}",
    "nowhere": "keeping {name} on the target: {detail}",
}


def judge(name, answer, programs):
    """The result of module `name`, of which `programs` were built."""
    if answer.word in _MESSAGES:
        built = ", ".join(sorted(programs))
        return _failed(answer, _MESSAGES[answer.word].format(name=name, detail=answer.detail, built=built))
    if answer.word == "started":
        return {"changed": True, "ansible_job_id": answer.detail, "started": True, "finished": False}
    if answer.word != "run":
        return _failed(answer, "starting %s: the target's shell %s%s" % (name, _end(answer.rc), _said(answer)))
    reply = answer.reply()
    if reply is None:
        return _failed(answer, _silent(name, answer))
    if answer.rc and not reply.get("failed"):
        return _failed(answer, "%s %s after its reply" % (name, _end(answer.rc)))
    return _public(reply)


def _silent(name, answer):
    """A program that left no reply."""
    if answer.damaged:
        return "the copy of %s kept on the target was damaged and has been removed: run the task again" % name
    if answer.rc in (126, 127):
        return "%s cannot run on the target%s" % (name, _said(answer))
    return "%s %s without a reply%s" % (name, _end(answer.rc), _said(answer))


def _end(rc):
    """How a process ended, in words."""
    if rc <= 128:
        return "exited with status %d" % rc
    try:
        return "was ended by %s" % signal.Signals(rc - 128).name
    except ValueError:
        return "exited with status %d" % rc


def _said(answer):
    """The last thing that was printed, as the end of a message."""
    lines = [line.strip() for line in (answer.stdout + "\n" + answer.stderr).splitlines() if line.strip()]
    return ": " + lines[-1] if lines else ""


def _failed(answer, message):
    return {"failed": True, "msg": message, "rc": answer.rc, "stdout": answer.stdout, "stderr": answer.stderr}


def _public(reply):
    """The reply without Ansible's internal keys, and with lines where Ansible's users expect them."""
    result = {key: value for key, value in reply.items() if not key.startswith("_ansible_")}
    for key in ("stdout", "stderr"):
        if isinstance(result.get(key), str):
            result.setdefault(key + "_lines", result[key].splitlines())
    return result
