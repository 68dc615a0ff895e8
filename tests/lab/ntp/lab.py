# SPDX-License-Identifier: GPL-3.0-or-later
# GPL-3.0-or-later
"""A real OpenNTPD under a virtual clock, and ntpd_check run against it as a user would."""

import ctypes
import glob
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time

from clock import SECOND, Clock
from patience import patience, wait_for
from servers import Server, World

CAP_SYS_TIME = 25
PR_CAPBSET_DROP = 24
ADDRESSES = ["10.99.0.1", "10.99.0.2", "10.99.0.3", "10.99.0.4"]
DELAYS = [0.013, 0.021, 0.031, 0.009]
LEAP = 1_483_228_800
# Six hours before the last leap second so far. All that any scenario does before it takes less.
START = LEAP - 6 * 3600
# Days from any: steps of the clock are counted there.
CALM = LEAP - 100 * 86400
# Smaller adjustments cannot make the fastest round trip look negative.
HARMLESS = 0.005

WRAPPERS = {
    "ntpctl": 'exec env -u LD_PRELOAD chroot "$LAB_ROOT" /usr/sbin/ntpctl "$@"\n',
    "ntpd": 'exec env -u LD_PRELOAD chroot "$LAB_ROOT" /usr/sbin/ntpd "$1" -f /etc/lab.conf\n',
    "ps": 'cat "$LAB/ps"\n',
    "restart": 'echo "$@" >>"$LAB/restarts"; touch "$LAB/restart"\nwhile [ -e "$LAB/restart" ]; do sleep 0.01; done\n',
}


class Lab:
    """Four servers, one daemon, one virtual clock."""

    def __init__(self, root, shim, program, seed=0, start=START):
        self.root, self.shim, self.program = root, shim, program
        self.seed, self.random = seed, random.Random(seed)
        self.folder = tempfile.mkdtemp(prefix="ntplab-")
        self.state = os.path.join(self.folder, "state", "state.json")
        self.clock = Clock(os.path.join(root, "lab", "clock"), start)
        delays = [delay * self.vary(0.5, 2) for delay in DELAYS] if seed else DELAYS
        offsets = [self.vary(-0.003, 0.003) if seed else 0.0 for _ in ADDRESSES]
        self.world = World(self.clock, [Server(*three) for three in zip(ADDRESSES, delays, offsets)], seed)
        self.configuration = "".join(f"server {address}\n" for address in ADDRESSES)
        self.others = []
        self.daemon = None
        self.started = 0
        self.log = open(os.path.join(self.folder, "ntpd.log"), "w+", encoding="utf-8", errors="replace")
        for path in glob.glob(os.path.join(root, "var/lib/openntpd/**/ntpd.drift"), recursive=True):
            os.unlink(path)
        self.tools()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill_daemon()
        for server in self.world.servers:
            if server.socket:
                server.close()
        self.log.close()
        shutil.rmtree(self.folder)

    def vary(self, least, most):
        """A number that the seed of this play decides."""
        return self.random.uniform(least, most)

    def tools(self):
        """What the check finds in its PATH."""
        bin_ = os.path.join(self.folder, "bin")
        os.makedirs(bin_)
        for name, script in WRAPPERS.items():
            for alias in ["systemctl", "service"] if name == "restart" else [name]:
                path = os.path.join(bin_, alias)
                with open(path, "w", encoding="utf-8") as file:
                    file.write("#!/bin/sh\n" + script)
                os.chmod(path, 0o755)

    # The daemon

    def start_daemon(self):
        shutil.copy(self.shim, os.path.join(self.root, "lab", "shim.so"))
        with open(os.path.join(self.root, "etc", "lab.conf"), "w", encoding="utf-8") as file:
            file.write("listen on 127.0.0.1\n" + self.configuration)
        environment = {
            "LD_PRELOAD": "/lab/shim.so", "NTPLAB_CLOCK": "/lab/clock", "NTPLAB_MODE": "actor", "PATH": "/usr/sbin:/usr/bin",
        }
        self.daemon = subprocess.Popen(
            ["/usr/sbin/ntpd", "-d", "-v", "-f", "/etc/lab.conf"],
            env=environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            preexec_fn=self.enter, start_new_session=True,
        )
        self.started = self.clock.now
        wait_for("the daemon's processes to wait", lambda: len(self.clock.waiters()) >= 2 and self.engine(), 120, pause=0.005)
        self.clock.settle(self.world.serve)

    def enter(self):
        """In the child: into the folder, and without the right to set any clock."""
        os.chroot(self.root)
        os.chdir("/")
        if ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_TIME, 0, 0, 0) != 0:
            raise OSError("dropping CAP_SYS_TIME")

    def processes(self):
        return [pid for pid, _, _, _ in self.clock.waiters()]

    def engine(self):
        for pid in self.processes():
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                if "ntp engine" in file.read():
                    return pid
        return None

    def kill_daemon(self):
        if self.daemon is None:
            return
        os.killpg(self.daemon.pid, signal.SIGKILL)
        self.daemon.wait()
        self.daemon = None
        wait_for("the daemon's processes to end", lambda: not self.clock.waiters(), 120, pause=0.005)

    def stop_daemon(self):
        """Stops every process of the daemon: it is there, listens, and answers nobody."""
        for pid in self.processes():
            os.kill(pid, signal.SIGSTOP)

    def has_logged(self, words):
        """What the daemon says of itself to nobody who asks with ntpctl."""
        with open(self.log.name, encoding="utf-8", errors="replace") as file:
            return words in file.read()

    def restart_daemon(self):
        self.kill_daemon()
        self.start_daemon()

    # Time

    def step(self, until):
        """To the next moment at which anything happens, and through it. Says whether the daemon adjusted the clock."""
        before = self.clock.adjustments
        moment = min(self.clock.next_deadline(), self.world.next_event(), until)
        if moment > self.clock.now:
            self.clock.put("q", 0, moment)
        self.world.fire()
        self.clock.settle(self.world.serve)
        adjusted = self.clock.adjustments != before
        if adjusted and abs(self.clock.adjusted_by) > HARMLESS:
            # A reply that is on its way meanwhile has a "negative delay" for the daemon, which blocks it for good: a fault
            # of OpenNTPD that no scenario may meet by chance. A lost packet is nothing to it.
            self.world.moving.clear()
        return adjusted

    def run(self, minutes):
        """Lets time pass."""
        end = self.clock.now + int(minutes * 60 * SECOND)
        self.clock.settle(self.world.serve)
        while self.clock.now < end:
            self.step(end)

    def run_to(self, moment):
        """Lets time pass until `moment`, in Unix seconds."""
        left = moment * SECOND - self.clock.now
        assert left >= 0, f"that was {-left / SECOND:.0f} s ago"
        self.run(minutes=left / 60e9)

    def adjusted(self, minutes=300):
        """Every moment right after an adjustment, with every reply used up: a peer that turns bad now blocks for good."""
        end = self.clock.now + int(minutes * 60 * SECOND)
        self.clock.settle(self.world.serve)
        while self.clock.now < end:
            if self.step(end):
                yield

    def suspend(self, hours):
        """The machine sleeps: only the battery clock runs, which is good to half a second."""
        self.clock.settle(self.world.serve)
        self.world.moving.clear()
        self.clock.suspend(hours * 3600, self.vary(-0.5, 0.5))

    def pause(self, hours):
        """The hypervisor stops the machine, and no clock shows that."""
        self.clock.settle(self.world.serve)
        self.world.moving.clear()
        self.clock.put("q", 0, self.clock.now + int(hours * 3600 * SECOND))

    def set_by(self, seconds):
        """Somebody sets the clock. What is on its way is lost: see `step`."""
        self.clock.settle(self.world.serve)
        self.world.moving.clear()
        self.clock.set_by(seconds)

    def leap(self, seconds):
        """All servers repeat a second; the daemon's host knows nothing of it."""
        self.world.utc -= seconds

    # The check

    def check(self, *flags, code=0):
        """One run of the program: its JSON."""
        self.write_ps()
        environment = {
            "PATH": os.path.join(self.folder, "bin") + ":/usr/sbin:/usr/bin:/sbin:/bin", "LAB": self.folder, "LAB_ROOT": self.root,
            "LD_PRELOAD": self.shim, "NTPLAB_CLOCK": os.path.join(self.root, "lab", "clock"), "NTPLAB_MODE": "observer",
        }
        words = [
            self.program, "--json", "--daemon", "openntpd", "--state-file", self.state,
            "--time-limit", f"{patience(60):g}", "--probe-timeout", f"{patience(30):g}",
            "--config-file", os.path.join(self.root, "etc", "lab.conf"),
            "--leap-file", os.path.join(os.path.dirname(os.path.abspath(__file__)), "leap-seconds.list"), *flags,
        ]
        # Time moves for the probes of a check only: what is on its way to the daemon waits.
        held, self.world.moving = self.world.moving, []
        running = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        # It has limits of its own.
        while running.poll() is None:
            self.attend()
        out, err = running.communicate()
        for event in held:
            self.world.hold(event)
        assert running.returncode == code, f"{words} exited with {running.returncode}: {out}{err}"
        return json.loads(out)

    def attend(self):
        """The world around a running check: packets arrive, a restart that it orders happens."""
        if os.path.exists(os.path.join(self.folder, "restart")):
            self.restart_daemon()
            # The check compares the engine before and after.
            self.write_ps()
            os.unlink(os.path.join(self.folder, "restart"))
        self.world.serve()
        if self.world.moving:
            self.clock.put("q", 0, max(self.clock.now, self.world.next_event()))
            self.world.fire()
        time.sleep(0.0005)

    def write_ps(self):
        """What ps says, with ages in virtual time."""
        engine = self.engine()
        age = (self.clock.now - self.started) // SECOND
        line = f"{engine} {age // 3600:02}:{age // 60 % 60:02}:{age % 60:02} ntpd: ntp engine\n" if engine else ""
        with open(os.path.join(self.folder, "ps"), "w", encoding="utf-8") as file:
            file.write("".join(["1 00:01 /sbin/init\n", line, *self.others]))

    def restarts(self):
        try:
            with open(os.path.join(self.folder, "restarts"), encoding="utf-8") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []
