# SPDX-License-Identifier: GPL-3.0-or-later
"""The second day, by the playbooks. After each step a model says what must be there, and nothing else is."""

from __future__ import annotations

import secrets

import pytest
from cuts import Moves
from machine import HOSTS
from model import Model, differences
from playbooks import Controller, changes

CUTS = 20


class Story:
    """What happens is done by a playbook, and told to the model."""

    def __init__(self, folder, machine):
        self.machine, self.controller, self.model = machine, Controller(folder, machine), Model()

    def check(self):
        wrong = differences(self.machine.found(), self.model.expected())
        assert not wrong, "\n".join(wrong)

    def publish(self, version):
        self.controller.images[version] = self.machine.bring_disk(version)
        self.controller.play("publish")
        self.model.publish(version)
        self.check()

    def deploy(self, **hosts):
        """New guests, each on a host."""
        for name, host in hosts.items():
            self.controller.guests[host][name] = {
                "image": "demo", "vcpus": 1, "memory": "32M", "disks": {"data": {"size": "16M"}}, "seed": {"family": "linux"},
                "wait_for": {"console": "apiary demo guest"},
            }
            self.model.deploy(name, host)
        self.controller.play("deploy")
        # It follows from the name, and stays.
        for name, host in hosts.items():
            self.model.guests[name].uuid = self.machine.uuid(host, name)
        self.check()

    def write(self, name, said):
        for volume in self.model.guests[name].disks(name):
            self.machine.write(volume, said)
        self.model.write(name, said, said)

    def nothing_to_do(self):
        printed = self.controller.play("deploy")
        assert [changes(printed, host) for host in HOSTS] == [0, 0], printed
        self.check()


@pytest.fixture
def story(machine, tmp_path):
    return Story(tmp_path, machine)


def day_begins(story):
    """Guests of an image, and one more of a newer one, for which those who are there keep what they have."""
    story.publish("20260101")
    story.deploy(web1="hv1", db1="hv2")
    for name in ("web1", "db1"):
        story.write(name, f"of {name}")
    story.publish("20260601")
    story.nothing_to_do()
    story.deploy(web2="hv1")


def more_memory(story):
    """It is defined at once, and there after a restart."""
    controller, model = story.controller, story.model
    controller.guests["hv1"]["web1"]["memory"] = "48M"
    printed = controller.play("deploy")
    assert "restart due" in printed
    model.define("web1", 48)
    story.check()
    controller.play("restart", guest_names="web1")
    model.restart("web1")
    story.check()


def new_disk(story):
    """What was on the data disk is there still; the old root disk is kept, and comes back once."""
    for back in (False, True, True):
        story.controller.play("redeploy", guest_names="web1", guest_redeploy_back=back)
        (story.model.redeploy_back if back else story.model.redeploy)("web1")
        story.check()


def there_and_back(story):
    story.write("web1", "good")
    story.controller.play("snapshot", guest_names="web1", guest_snapshot="before")
    story.model.snapshot("web1", "before")
    story.check()
    story.write("web1", "bad")
    story.controller.play("rollback", guest_names="web1", guest_snapshot="before", guest_stop=True)
    story.model.roll_back("web1", "before")
    story.check()


def another_name(story):
    guests = story.controller.guests["hv1"]
    guests["www1"] = dict(guests.pop("web1"), identity="web1")
    story.controller.play("rename", guest_names="web1", guest_new_name="www1")
    story.model.rename("web1", "www1")
    story.check()


def other_hosts(story):
    """Nobody disturbs the first move; the others are cut until there were enough cuts. Streams take a moment, so that they can be met."""
    story.model.guests["www1"].data.holds = story.machine.fill("hv1/vm/www1:data")
    moves = Moves(story, "www1", secrets.token_hex(4))
    with moves.watched():
        length = moves.whole()
        while len(moves.cuts) < CUTS:
            moves.cut(length, CUTS - len(moves.cuts))
    story.nothing_to_do()


def its_like(story):
    """The disk of a guest becomes an image while it runs, and another guest is made of that."""
    story.controller.play("capture", guest_names="www1", guest_capture_image="demo-20261129")
    story.model.capture("www1", "20261129")
    story.check()
    story.deploy(www2="hv2")
    story.nothing_to_do()


def what_is_left(story):
    """What a redeploy has kept goes by its name, and with it the image that it was made of."""
    kept = [name for name in story.machine.guest.names("hv1/vm") if "/www1.old-" in name and "@" not in name]
    assert len(kept) == 1
    story.controller.play("prune", guest_prune_names=kept[0])
    story.model.prune("hv1", kept=["www1"])
    story.model.prune("hv2")
    story.check()


def day_ends(story):
    guests = list(story.model.guests)
    story.controller.play("remove", bhyve_remove="all", guest_remove_disks=",".join(f"{name}:data" for name in guests))
    for name in guests:
        story.model.remove(name)
    story.check()
    for host in HOSTS:
        story.controller.guests[host].clear()
    story.controller.play("prune")
    for host in HOSTS:
        story.model.prune(host)
    story.check()


def test_the_second_day(story):
    day_begins(story)
    more_memory(story)
    new_disk(story)
    there_and_back(story)
    another_name(story)
    other_hosts(story)
    its_like(story)
    what_is_left(story)
    day_ends(story)
