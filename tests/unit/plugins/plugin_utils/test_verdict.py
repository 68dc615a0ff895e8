# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.apiary.bhyve.plugins.plugin_utils import _verdict as verdict
from ansible_collections.apiary.bhyve.plugins.plugin_utils._exchange import MARK, Answer

BUILT = {"Linux x86_64": None, "FreeBSD amd64": None}
DAMAGED = "\n%sdamaged\n" % MARK

# What the target's shell gave (stdout, stderr, exit status), and the line the user reads.
FAILURES = [
    (MARK + "none FreeBSD riscv64\n", "", 0, "x has no program for 'FreeBSD riscv64'; it was built for: FreeBSD amd64, Linux x86_64"),
    (MARK + "error writing /h/x: disk full\n", "", 0, "keeping x on the target: writing /h/x: disk full"),
    (MARK + "noexec programs cannot run in /h\n", "", 0, "starting x: programs cannot run in /h"),
    (MARK + "lost\n", "", 0, "x vanished from the target: it was killed, or the host restarted"),
    ("", "sudo: a password is required\n", 1, "starting x: the target's shell exited with status 1: sudo: a password is required"),
    ("", "", 0, "starting x: the target's shell exited with status 0"),
    (MARK + "run L\n", "Segmentation fault\n", 139, "x was ended by SIGSEGV without a reply: Segmentation fault"),
    (MARK + "run L\n", "sh: x: Exec format error\n", 126, "x cannot run on the target: sh: x: Exec format error"),
    (MARK + "run L\nhalf a {", "", 1, "x exited with status 1 without a reply: half a {"),
    (MARK + "run L\n[1]\n", "", 0, "x exited with status 0 without a reply: [1]"),
    (MARK + 'run L\n{"changed": false}\n', "", 134, "x was ended by SIGABRT after its reply"),
    (MARK + "run L\n" + DAMAGED, "", 139, "the copy of x kept on the target was damaged and has been removed: run the task again"),
]


def result(stdout, stderr="", rc=0):
    return verdict.judge("x", Answer.of({"stdout": stdout, "stderr": stderr, "rc": rc}), BUILT)


@pytest.mark.parametrize("stdout, stderr, rc, message", FAILURES)
def test_a_failure_is_one_line(stdout, stderr, rc, message):
    judged = result(stdout, stderr, rc)
    assert (judged["failed"], judged["msg"]) == (True, message)


def test_a_reply_loses_ansibles_own_keys_and_gains_lines():
    reply = '{"changed": true, "_ansible_parsed": 1, "stderr": "a\\nb", "failed": true, "msg": "m"}'
    assert result(MARK + "run L\n" + reply + "\n", rc=1) == {
        "changed": True,
        "stderr": "a\nb",
        "stderr_lines": ["a", "b"],
        "failed": True,
        "msg": "m",
    }


def test_what_a_login_script_prints_is_dropped():
    noise = 'Welcome {"failed": true}\nto %s\n' % MARK
    assert result(noise + MARK + 'run L\r\n{"changed": false}\r\n') == {"changed": False}
