# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of clocks: the role openntpd, the playbook ntp and ntpd_check, with a real daemon beside four servers."""

from __future__ import annotations

import pytest

from documented import TOP
from patience import wait_for

ROLE = "roles/openntpd/README.md"
GUIDE = "docs/docsite/rst/guide_time.rst"
TABLE = "ansible-playbook -i inventory apiary.bhyve.ntp"
TABLES = [(GUIDE, TABLE), *((page, TABLE.replace("inventory", "INVENTORY")) for page in ("README.md", ROLE))]
# Whoever runs it takes the tasks of the file that has its name; sampling takes ten seconds, so all do it at once.
SAMPLING = """
- hosts: all
  gather_facts: false
  strategy: free
  tasks:
    - name: Sample
      ansible.builtin.include_tasks: "{{ inventory_hostname }}.yml"
"""
# The engine's process is the real one: a restart has to show.
OLD_ENGINE = r"""/bin/ps "$@" | sed -E 's/^ *([0-9]+) +[^ ]+ (ntpd: ntp engine)/\1 02:00:00 \2/'"""
SAID = TOP / "tests/fixtures/ntpctl/6.2p3"


@pytest.fixture(scope="module")
def daemon(site, examples):
    """OpenNTPD as the README of the role sets it up: the recaps of two runs."""
    site.inventory(hv1={"ansible_user": "admin"})
    site.write("site.yml", examples.text(ROLE, "- hosts: all"))
    # It comes with node_exporter, whose file for metrics the example names.
    site.machine.sh("mkdir -p /var/lib/prometheus/node-exporter")
    recaps = [site.run("ansible-playbook -i inventory site.yml").recap("hv1") for _ in range(2)]
    # It looks its servers' names up when it has started.
    wait_for("the daemon to know its servers", lambda: "10.99.0.4" in site.machine.sh("ntpctl -s peers 2>&1 || true"), 300, pause=0.5)
    return recaps


def test_the_role_sets_it_up_once(site, daemon):
    assert daemon[0]["changed"] > 4 and daemon[1]["changed"] == 0
    config = site.file("/etc/openntpd/ntpd.conf").read_text()
    assert "server ntp1.example.org\n" in config and "server ntp3.example.org weight 5\n" in config
    assert "--repair" in site.file("/etc/cron.d/ntpd_check").read_text()


def test_a_daemon_that_starts_is_looked_at(site, daemon, examples):
    """By itself it says nothing yet; who asks its servers sees that the clock is a second off."""
    look, rollout = examples.take("ntpd_check", "Look at the clock", "Stop a rollout where the clock is wrong")
    looked, stopped = site.play("hv1", look, rollout, code=2)
    assert (looked["result"]["verdict"], looked["result"]["severity"]) == ("starting", "ok")
    assert looked["result"]["clock"]["total_peers"] == len(stopped["result"]["probes"]) == 4
    assert abs(stopped["result"]["clock"]["clock_error"] - 1) < 0.5 and stopped["result"]["severity"] == "critical"
    assert "; by direct probes the clock is off by " in stopped["result"]["msg"]
    for page, command in TABLES:
        shown = site.run(examples.text(page, command)).output
        assert "hv1   starting (ok)" in shown and "failed=0" in shown


def test_servers_are_chosen(site, daemon, examples):
    """The one that announces an alarm is refused, and so is one that cannot be reached. Two examples show the good ones."""
    samples = {
        "page": examples.take("ntpd_check", "Choose time servers", "Show the good ones, best first"),
        "guide": examples.take(GUIDE, "- name: Sample and rank servers"),
        "role": examples.take(ROLE, "- apiary.bhyve.ntpd_check:"),
    }
    site.inventory(**{name: {"ansible_host": "hv1", "ansible_user": "admin"} for name in samples})
    for name, tasks in samples.items():
        site.write(f"{name}.yml", "".join(tasks))
    site.write("site.yml", SAMPLING)
    results = [each for each in site.run("ansible-playbook -i inventory site.yml").results if each["task"] != "Sample"]
    good = {f"ntp{number}.example.org" for number in (1, 2, 3)}
    vetted = [each["result"] for each in results if "servers" in each["result"]]
    shown = [set(each["result"]["vetted.servers"]) for each in results if "vetted.servers" in each["result"]]
    assert [set(each["servers"]) for each in vetted] == [good] * 3 and shown == [good] * 2
    for each in vetted:
        refused = {server["server"]: server["reason"] for server in each["candidates"] if not server["accepted"]}
        assert "LI=3" in refused.pop("time.example.net") and set(refused) <= {"time.example.com"}


@pytest.fixture(scope="module")
def blocked(site, daemon):
    """What takes hours: ntpctl and ps say that the daemon has been blocked for two; all else is real."""
    site.inventory(hv1={"ansible_user": "admin"})
    engine = site.machine.sh("pgrep -f '^ntpd: ntp engine'")
    says = {"ntpctl": f"cat '{SAID}/incident2-03-leap+15min.all.txt'", "ps": OLD_ENGINE}
    for name, words in says.items():
        path = site.file(f"/usr/local/sbin/{name}")
        path.write_text(f"#!/bin/sh\n{words}\n")
        path.chmod(0o755)
    # The one beside ntpctl is asked whether it accepts its configuration.
    site.file("/usr/local/sbin/ntpd").symlink_to("/usr/sbin/ntpd")
    return engine


def test_a_blocked_daemon_stops_a_rollout(site, blocked, examples):
    name = "Stop a rollout where the clock is wrong"
    found = site.play("hv1", examples.text("ntpd_check", name), code=2).of(name)[0]
    assert (found["verdict"], found["blocking_peers"]) == ("blocked", ["10.99.0.4"])
    guide = examples.text(GUIDE, TABLE + " -e ntp_probe=true -e ntp_fail_on=critical")
    assert "hv1   blocked (critical)" in site.run(guide, code=2).output
    site.inventory(hv1={"ansible_user": "admin", "ntp_clock": found})
    fleet = site.play("hv1", *examples.take("clock_table"))
    assert fleet.of("Show the fleet")[0]["msg"][1].startswith("hv1   blocked (critical)")


def test_a_blocked_daemon_is_restarted_once(site, blocked, examples):
    name = "Restart a blocked daemon, within limits"
    repair = examples.text("ntpd_check", name)
    first, second = site.play("hv1", repair, repair).of(name)
    assert (first["changed"], first["restarted"]) == (True, True), first["repair"]
    assert second["changed"] is False and "the last restart was" in second["repair"]["refused"][0]
    assert site.machine.sh("pgrep -f '^ntpd: ntp engine' || true") != blocked
    fleet = TABLE.replace("inventory", "INVENTORY") + " -e ntp_fail_on=critical -e ntp_probe=true -e ntp_repair=true"
    assert site.run(examples.text("playbooks/ntp.yml", fleet), code=2).recap("hv1")["changed"] == 0


def test_what_a_colleague_has_sent(site, examples):
    site.inventory(["hv1"])
    site.machine.sh("cp $1/healthy-06-later.all.txt /tmp/ntpctl.txt", SAID)
    name = "Judge what a colleague has sent"
    assert site.play("hv1", examples.text("ntpd_check", name)).of(name)[0]["verdict"] == "ok"


def test_what_somebody_has_pasted(site, daemon, examples):
    """The incident as it was reported; the program lies where the role has put it."""
    site.inventory(["hv1"])
    site.machine.sh("ln -sf /usr/local/libexec/ntpd_check /usr/local/bin/ntpd_check")
    site.write("question.txt", (TOP / "tests/fixtures/ntpctl/pastes/seed-as-pasted.txt").read_text())
    said = site.run(examples.text(GUIDE, "ntpd_check --from - <question.txt"), code=2).output
    assert said.startswith("CRITICAL: blocked\n  - row 4 is counted as valid but brings no usable reply") and "mean 712.3 ms" in said
