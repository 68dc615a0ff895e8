# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables as a person sees them, by default and with other settings."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

ANSIBLE_PLAYBOOK = pathlib.Path(sys.executable).with_name("ansible-playbook")
LINES = ["guest  state", "web1   running"]


@pytest.fixture
def play(tmp_path, monkeypatch):
    def run(options, callback="default", form="json", **task):
        monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", callback)
        monkeypatch.setenv("ANSIBLE_CALLBACK_RESULT_FORMAT", form)
        tasks = [{"name": "Show", "apiary.bhyve.table": options, **task}]
        (tmp_path / "play.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
        (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": {"hv1": {}, "hv2": {}}}}))
        command = [ANSIBLE_PLAYBOOK, "-i", tmp_path / "hosts.json", "-c", "local", tmp_path / "play.yml"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        return done.returncode, done.stdout

    return run


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_a_table_is_a_table(play, form):
    code, said = play({"lines": LINES}, form=form)
    assert code == 0 and "\nhv1:\nguest  state\nweb1   running\n" in said and "\nhv2:\nguest  state\n" in said and '"guest' not in said, said


def test_a_table_of_the_whole_play_is_no_hosts(play):
    code, said = play({"lines": LINES}, run_once=True)
    assert code == 0 and said.count("\nguest  state\nweb1   running\n") == 1 and "hv1:" not in said.partition("PLAY RECAP")[0].replace("[hv1]", ""), said


def test_an_empty_table_is_not_shown(play):
    code, said = play({"lines": []})
    assert code == 0 and "hv1:" not in said.partition("PLAY RECAP")[0] and "ok: [hv1]" in said, said


def test_what_has_failed_is_told_below_the_table(play):
    code, said = play({"lines": LINES, "failures": ["web1: no space"]})
    # Each line once for each of the two hosts.
    assert code == 2 and said.count("guest  state\n") == said.count('"msg": ["web1: no space"]') == said.count("guest  state") == 2, said


def test_control_characters_of_guests_do_nothing(play):
    assert "\x1b" not in play({"lines": ["web1\x1b[2J"]})[1]


def test_other_callbacks_show_the_result_and_nothing_else(play):
    code, said = play({"lines": LINES}, callback="minimal")
    assert code == 0 and "\nhv1:\n" not in said and '"guest  state"' in said, said
