# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs on targets without Python: how many exchanges a task takes, and as whom it runs."""

from __future__ import annotations

import pytest

SHELLS = ("plain", "csh", "fish", "bash")


def test_the_target_has_no_python(site):
    result = site.ask("plain", "python3 --version || echo none", module="ansible.builtin.raw")
    assert result["stdout"].splitlines()[-1] == "none"


@pytest.mark.parametrize("account", SHELLS)
def test_cold_takes_two_exchanges_and_warm_one(site, account):
    site.forget(account)
    site.exchanges()
    for exchanges in (2, 1, 1):
        result = site.ask(account, {"text": "it's $HOME \\ \"q\" ! äöü\nand a line"})
        assert result["text"] == "it's $HOME \\ \"q\" ! äöü\nand a line"
        assert (result.get("user"), site.exchanges()) == (account, exchanges)
    (kept,) = site.kept(account)
    assert (oct(kept.stat().st_mode & 0o7777), oct(kept.parent.stat().st_mode & 0o7777)) == ("0o700", "0o700")


def test_words_of_an_ad_hoc_command_are_converted(site):
    result = site.ask("plain", "words='a b' flag=yes size=2G anything=x")
    assert (result["text"], result["changed"], result["size"], result["anything"]) == ("a b", True, 2 << 30, "x")


def test_check_mode_reaches_the_program(site):
    result = site.ask("plain", {"flag": True}, "--check")
    assert (result["check_mode"], result["changed"]) == (True, False)


@pytest.mark.parametrize("account", ["plain", "csh"])
@pytest.mark.parametrize("user", ["root", "worker"])
def test_become_keeps_a_program_of_its_own(site, account, user):
    site.forget(user)
    site.ask(account)
    site.exchanges()
    for exchanges in (2, 1):
        result = site.ask(account, {}, "-b", "--become-user", user)
        assert (result.get("user"), site.exchanges()) == (user, exchanges), result
    (kept,) = site.kept(user)
    assert kept.owner() == user if user == "root" else kept.stat().st_uid == 6005


def test_become_with_a_password(site):
    for exchanges in (2, 1):
        site.exchanges()
        result = site.ask("careful", {"text": "x"}, "-b", "-e", "ansible_become_password=secret-word")
        assert (result["user"], result["text"]) == ("root", "x")
    refused = site.ask("careful", {}, "-b", "-e", "ansible_become_password=wrong")
    assert refused["failed"] and "password" in refused["msg"]


def test_su_uses_the_ordinary_transfer(site):
    result = site.ask(
        "plain", {"text": "x"}, "-b", "--become-user=careful", "--become-method=su", "-e", "ansible_become_password=secret-word"
    )
    assert (result.get("user"), result.get("text")) == ("careful", "x"), result
    assert site.kept("careful") == []


def test_environment_reaches_the_program_and_nobody_else(site):
    playbook = site.folder / "environment.yml"
    playbook.write_text(
        """
- hosts: plain
  gather_facts: false
  environment: {FIRST: "a 'b' $HOME", SECOND: "two\\nlines"}
  tasks:
    - apiary.bhyve.probe: {variable: "{{ item.name }}"}
      register: answer
      failed_when: answer.variable != item.value
      loop: [{name: FIRST, value: "a 'b' $HOME"}, {name: SECOND, value: "two\\nlines"}]
"""
    )
    for _pass in ("cold", "warm"):
        done = site.run("ansible-playbook", "environment.yml", "-vvvv")
        assert done.returncode == 0, done.stdout
        assert "export FIRST" not in done.stdout and "FIRST=" not in done.stdout
    site.forget("plain")


def test_delegation_and_the_local_connection(site):
    playbook = site.folder / "delegation.yml"
    playbook.write_text(
        """
- hosts: plain
  gather_facts: false
  tasks:
    - apiary.bhyve.probe:
      register: answer
      failed_when: answer.user != item.user
      delegate_to: "{{ item.host }}"
      loop: [{host: bash, user: bash}, {host: here, user: root}]
"""
    )
    done = site.run("ansible-playbook", "delegation.yml")
    assert done.returncode == 0, done.stdout
