# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest goes from one host to the other, by turns by the playbook and by hand, and a process in the machine looks every 20 ms whether it
has one. A hundredth of its data is written anew while most of it goes over. The median of some rounds counts."""

from __future__ import annotations

import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import BANNER, FOLDER, HOSTS, Machine
from playbooks import Controller
from zfs_host import HERE as ZFS, Guest

from patience import patience

HERE = Path(__file__).parent
MIB = int(sys.argv[1]) if len(sys.argv) > 1 else 256
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
BAR = 1.3
VERSION = "20260101"
NAME = "web1"
# What is in front of the data: the guest boots from there.
FRONT = 32
WRITE = "head -c %dM /dev/urandom | dd of=/dev/zvol/%s/vm/" + NAME + f" bs=1M seek={FRONT} iflag=fullblock conv=notrunc,fsync status=none"
GUEST = {
    "image": "demo", "vcpus": 1, "memory": "32M", "disk": f"{MIB + 2 * FRONT}M", "seed": {"family": "linux"},
    "wait_for": {"console": "apiary demo guest"},
}

# What somebody types who has ssh to both hosts. From there on the guest is off that is told apart here.
BEFORE = f"""
zfs snapshot $from/vm/{NAME}@before
zfs send -L -c -i $from/images/demo-{VERSION}@image $from/vm/{NAME}@before |
    zfs receive -u -o origin=$to/images/demo-{VERSION}@image $to/vm/{NAME}
virsh -q -c $from_uri dumpxml --inactive {NAME} | sed s:/$from/:/$to/:g >{FOLDER}/by-hand.xml
cp {FOLDER}/$from/seeds/{NAME}.seed {FOLDER}/$to/seeds/
"""
STOP = f"""
virsh -q -c $from_uri shutdown {NAME}
until [ "$(virsh -q -c $from_uri domstate {NAME})" = "shut off" ]; do sleep 0.1; done
zfs snapshot $from/vm/{NAME}@last
"""
SEND = f"zfs send -L -c -i @before $from/vm/{NAME}@last"
RECEIVE = f"zfs receive -u -F $to/vm/{NAME}"
START = f"virsh -q -c $to_uri define {FOLDER}/by-hand.xml && virsh -q -c $to_uri start {NAME}"
AFTER = f"""
virsh -q -c $from_uri undefine {NAME}
rm {FOLDER}/$from/seeds/{NAME}.seed
zfs destroy -r $from/vm/{NAME}
zfs destroy $to/vm/{NAME}@before,last
"""


class Bench:
    """The guest, where it is, and the ways in which it goes to the other host."""

    def __init__(self, folder, machine):
        self.folder, self.machine, self.controller = folder, machine, Controller(folder, machine)
        self.at, self.ssh = 0, self._ssh()
        # By task of the last move by the playbook, the seconds of it in which the guest was off.
        self.spent = {}

    def _ssh(self):
        """As Ansible logs in, with a connection that stands open as its own does."""
        known = self.machine.guest.connection()
        options = ["-o", "ControlMaster=auto", "-o", f"ControlPath={self.folder}/c", "-o", "ControlPersist=600"]
        return [
            "ssh", *shlex.split(known["ansible_ssh_common_args"]), *options, "-i", known["ansible_ssh_private_key_file"],
            "-p", str(known["ansible_port"]), f"root@{known['ansible_host']}",
        ]

    def prepare(self):
        """The guest on the first host, with data, once here and there: what is needed once a host is not measured."""
        self.controller.images[VERSION] = self.machine.bring_disk(VERSION)
        self.controller.play("publish")
        self.controller.guests[HOSTS[0]][NAME] = GUEST
        self.controller.play("deploy")
        self.machine.guest.sh(WRITE % (MIB, HOSTS[0]))

    @property
    def hosts(self):
        """From where to where it goes next."""
        return HOSTS[self.at], HOSTS[1 - self.at]

    def go(self, way):
        """Seconds for which it is off, when it goes to the other host."""
        self._wait_until_up()
        watch = subprocess.Popen([ZFS / "host.sh", "ssh", f"python3 /root/move_watch.py {NAME}"], stdout=subprocess.PIPE, text=True)
        try:
            assert watch.stdout.readline() == "watching\n"
            way()
            gone, came = json.loads(watch.stdout.readline())
        finally:
            watch.kill()
        self.at = 1 - self.at
        self._spend(gone, came)
        return came - gone

    def _spend(self, gone, came):
        """Divides the time when the guest was off between the tasks of the playbook."""
        before = time.time()
        ahead = float(self.machine.guest.sh("date +%s.%N")) - (before + time.time()) / 2
        moments = [json.loads(line) for line in Path(os.environ["APIARY_MOMENTS"]).read_text().splitlines()]
        self.spent = {}
        for (begun, name), (ended, _next) in zip(moments, moments[1:]):
            within = min(ended + ahead, came) - max(begun + ahead, gone)
            if within > 0:
                self.spent[name] = self.spent.get(name, 0) + within

    def _wait_until_up(self):
        log = f"{FOLDER}/{self.hosts[0]}/consoles/{NAME}.log"
        self.machine.guest.wait_for("the guest to be up", f"tail -n 2 {log} | grep -q '{BANNER % VERSION}'", 600)

    def by_playbook(self):
        source, target = self.hosts
        guests = self.controller.guests
        guests[target][NAME] = guests[source].pop(NAME)
        begun = f"zfs list -H -o name -t snapshot {source}/vm/{NAME} 2>/dev/null | grep -q @apiary-move"
        writer = self.machine.guest.start(f"until {begun}; do sleep 0.2; done; {WRITE % (max(MIB // 100, 1), source)}")
        Path(os.environ["APIARY_MOMENTS"]).write_text("")
        self.controller.play("move", guest_names=NAME)
        assert writer.wait() == 0

    def by_hand(self, connected=True):
        """Over ssh, or in one shell of a machine that is both hosts."""
        source, target = self.hosts
        guests = self.controller.guests
        guests[target][NAME] = guests[source].pop(NAME)
        self._run(BEFORE)
        self._run(WRITE % (max(MIB // 100, 1), source))
        if connected:
            self._run(STOP)
            sides = " | ".join(shlex.join([*self.ssh, self._words(side)]) for side in (SEND, RECEIVE))
            subprocess.run(["bash", "-c", f"set -o pipefail; {sides}"], check=True, timeout=patience(900))
            self._run(START)
        else:
            self._run(f"{STOP}\n{SEND} | {RECEIVE}\n{START}")
        self._run(AFTER)

    def in_one_shell(self):
        self.by_hand(connected=False)

    def _words(self, script):
        source, target = self.hosts
        values = {"from": source, "to": target, "from_uri": self.machine.uri(source), "to_uri": self.machine.uri(target)}
        return "set -e; " + "; ".join(f"{name}={shlex.quote(value)}" for name, value in values.items()) + "\n" + script

    def _run(self, script):
        subprocess.run([*self.ssh, self._words(script)], stdin=subprocess.DEVNULL, check=True, timeout=patience(900))


def measure(bench):
    """Seconds by way, in turns, and those of each task in the round of the playbook that is the median."""
    ways = {"by hand": bench.by_hand, "by hand, without ssh": bench.in_one_shell, "playbook": bench.by_playbook}
    # Images, programs and folders that are needed once are there afterwards.
    bench.go(bench.by_playbook)
    seconds, spent = {name: [] for name in ways}, {}
    for _round in range(ROUNDS):
        for name, way in ways.items():
            seconds[name].append(bench.go(way))
        spent[seconds["playbook"][-1]] = bench.spent
    return seconds, spent[statistics.median_low(seconds["playbook"])]


def told(seconds, spent):
    """Prints it; whether the bar is met."""
    ratio = statistics.median(seconds["playbook"]) / statistics.median(seconds["by hand"])
    print("guest with %d MiB of data, of which %d are written anew; seconds for which no process of it is there" % (MIB, max(MIB // 100, 1)))
    for name, each in seconds.items():
        print("  %-58s %5.2f s  (%s)" % (name, statistics.median(each), " ".join("%.2f" % one for one in each)))
    for name, each in spent.items():
        print("    %-56s %5.2f s" % (name[:56], each))
    print("  playbook / by hand %.2f (at most %.1f)%s" % (ratio, BAR, "" if ratio <= BAR else "  MISSED"))
    return ratio <= BAR


def main():
    guest = Guest()
    guest.host("build")
    guest.host("start")
    try:
        guest.install()
        guest.host("push", str(HERE / "move_watch.py"))
        with tempfile.TemporaryDirectory(prefix="apiary-") as folder, Machine(guest, f"{3 * MIB + 1024}M", "/dev/vdb") as machine:
            callback = {"CALLBACKS_ENABLED": "moments", "CALLBACK_PLUGINS": HERE / "callback"}
            os.environ.update({f"ANSIBLE_{name}": str(value) for name, value in callback.items()}, APIARY_MOMENTS=f"{folder}/moments")
            bench = Bench(Path(folder), machine)
            bench.prepare()
            return told(*measure(bench))
    finally:
        guest.host("stop")


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
