# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stream between two processes: what arrives, and who is asked where it does not."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import textwrap

import pytest
from ansible_collections.apiary.bhyve.plugins.plugin_utils import _pipe as pipe

# Frames of all sizes, of 5 MiB and some.
SENDS = """
import os, sys
assert sys.stdin.readline() == "{}\\n"
print("motd without a mark\\napiary.bhyve:run Linux x86_64", flush=True)
content, sizes, at = os.urandom(5 << 20) + b"{odd", [1, 3, 4, 65536, 1 << 20, 4096, 77777], 0
out = sys.stdout.buffer
import hashlib
while at < len(content):
    part = content[at:at + sizes[at % len(sizes)]]
    out.write(len(part).to_bytes(4, "big") + part)
    at += len(part)
    IN_BETWEEN
out.write(bytes(4))
out.write(('{"sha256": "%s"}' % hashlib.sha256(content).hexdigest()).encode())
"""
RECEIVES = """
import hashlib, json, sys
said, content = sys.stdin.buffer.readline(), b""
print("apiary.bhyve:run Linux x86_64")
AT_ONCE
while (header := sys.stdin.buffer.read(4)) not in (b"", bytes(4)):
    content += sys.stdin.buffer.read(int.from_bytes(header, "big"))
whole = header == bytes(4) and sys.stdin.buffer.read() == b""
print(json.dumps({"sha256": hashlib.sha256(content).hexdigest(), "whole": whole, "said": said.decode()}))
"""


class End:
    """A program in Python in place of one of ours."""

    def __init__(self, program):
        self.program = program

    def start(self, **pipes):
        words = [sys.executable, "-c", textwrap.dedent(self.program)]
        return subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True, **pipes), b"{}\n"


def connected(in_between="", at_once="", **more):
    return pipe.connect(End(SENDS.replace("IN_BETWEEN", in_between)), End(RECEIVES.replace("AT_ONCE", at_once)), **more)


def test_all_of_a_stream_arrives_and_both_ends_answer():
    shown = []
    outcome = connected(show=shown.append)
    source, target = outcome.source.reply(), outcome.target.reply()
    assert outcome.whole and not outcome.refused and outcome.sent == (5 << 20) + 4
    assert target == {"sha256": source["sha256"], "whole": True, "said": "{}\n"} and shown[-1] == ""


@pytest.mark.parametrize(
    ("in_between", "told"),
    [
        ("if at > 3 << 20: out.write(b'{\"failed\": true, \"msg\": \"zfs\"}'); sys.exit(1)", {"failed": True, "msg": "zfs"}),
        ("if at > 3 << 20: out.flush(); os.kill(os.getpid(), 9)", None),
    ],
)
def test_a_sender_that_fails_leaves_the_receiver_without_an_end(in_between, told):
    outcome = connected(in_between)
    assert not outcome.whole and outcome.blamed() == "source" and outcome.source.reply() == told
    assert outcome.target.reply()["whole"] is False


def test_a_receiver_that_refuses_ends_the_sender():
    outcome = connected(at_once="print('{\"failed\": true}'); sys.exit(1)")
    assert outcome.refused and outcome.blamed() == "target" and outcome.target.reply() == {"failed": True}
    assert outcome.source.rc == 128 + 9


def test_a_sender_that_never_starts_is_told_by_its_words():
    outcome = pipe.connect(End("print('apiary.bhyve:miss Linux x86_64')"), End(RECEIVES.replace("AT_ONCE", "")))
    assert (outcome.source.word, outcome.target.reply()["whole"], outcome.blamed()) == ("miss", False, "source")
    outcome = pipe.connect(End("import sys; sys.stderr.write('no route'); sys.exit(255)"), End(RECEIVES.replace("AT_ONCE", "")))
    assert (outcome.source.word, outcome.source.stderr, outcome.source.rc) == ("", "no route", 255)


def test_where_the_controller_is_killed_the_receiver_reads_no_end(tmp_path):
    program = RECEIVES.replace("print(json.dumps", "open(%r, 'w').write(json.dumps" % str(tmp_path / "said")).replace("AT_ONCE", "")
    child = os.fork()
    if child == 0:
        pipe.connect(End(SENDS.replace("IN_BETWEEN", "if at > 3 << 20: out.flush(); os.kill(os.getppid(), 9); import time; time.sleep(600)")), End(program))
        os._exit(0)
    os.waitpid(child, 0)
    for _each in range(600):
        if (tmp_path / "said").exists() and "said" in (tmp_path / "said").read_text():
            break
        subprocess.run(["sleep", "0.1"], check=True)
    assert '"whole": false' in (tmp_path / "said").read_text()
    assert hashlib.sha256(b"").hexdigest() not in (tmp_path / "said").read_text()
