# SPDX-License-Identifier: GPL-3.0-or-later
"""Random sequences of what happens to a guest in its life, against a model of what must be there after each."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from patience import wait_for

# Fresh ones in every run; a failure names the one to repeat.
SEED = int(os.environ.get("SEQUENCES", str(time.time_ns() % 1_000_000)))
LENGTH = 12


class Model:
    """What is asked for, and what runs: memory in MiB, none while the guest is off."""

    def __init__(self, host):
        self.host, self.wanted, self.runs, self.autostart = host, 256, None, False

    def ask(self, state, **more):
        """One run of the module, and its second run, which changes nothing."""
        options = {"name": "web1", "xml": self.host.xml("web1", memory=self.wanted), "state": state, "autostart": self.autostart, **more}
        self.host.good(**options)
        again = self.host.good(**options)
        assert again["changed"] is False, "%(before)s\nbecame\n%(after)s" % again["diff"]
        return again["domain"]

    def deploy(self):
        domain = self.ask("running")
        self.runs = self.runs or self.wanted
        assert domain["restart_required"] is (self.runs != self.wanted)

    def redefine(self):
        self.wanted = 768 - self.wanted
        self.deploy()

    def restart(self):
        assert self.ask("running", restart="if_changed")["restart_required"] is False
        self.runs = self.wanted

    def shutoff(self):
        self.ask("shutoff", force=True)
        self.runs = None

    def toggle_autostart(self):
        self.autostart = not self.autostart
        self.deploy()

    def reboots_itself(self):
        self.signal(signal.SIGUSR1, lambda before: self.host.processes("web1") not in ([], before))

    def powers_itself_off(self):
        self.signal(signal.SIGTERM, lambda _before: self.host.virsh("domstate", "web1") == "shut off")
        self.runs = None

    def is_killed(self):
        self.signal(signal.SIGKILL, lambda _before: not self.host.processes("web1"))
        self.runs = None

    def signal(self, number, done):
        before = self.host.processes("web1")
        if before:
            os.kill(before[0], number)
            wait_for("the guest to have got signal %d" % number, lambda: done(before))

    def check(self):
        processes = self.host.processes("web1")
        assert len(processes) == (self.runs is not None)
        if self.runs:
            memory = self.host.virsh("dominfo", "web1").split("Max memory:")[1].split()[0]
            assert int(memory) == self.runs * 1024
        told = self.host.good(program="libvirt_domain_info")["domains"]
        assert [(each["state"], each["autostart"]) for each in told] == [("running" if self.runs else "shutoff", self.autostart)]


EVENTS = [
    Model.deploy, Model.redefine, Model.restart, Model.shutoff, Model.toggle_autostart, Model.reboots_itself, Model.powers_itself_off,
    Model.is_killed,
]  # fmt: skip


@pytest.mark.parametrize("number", range(20))
def test_a_guests_life(host, number):
    chance = random.Random(SEED + number)
    model, history = Model(host), ["deploy"]
    try:
        model.deploy()
        for event in chance.choices(EVENTS, k=LENGTH):
            history.append(event.__name__)
            event(model)
            model.check()
    except AssertionError:
        print("repeat with SEQUENCES=%d and number 0: %s" % (SEED + number, ", ".join(history)))
        raise
