# GPL-3.0-or-later
"""A real OpenNTPD under a virtual clock, and ntpd_check run against it as a user would."""

import ctypes
import glob
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from clock import SECOND, Clock
from servers import Server, World

CAP_SYS_TIME = 25
PR_CAPBSET_DROP = 24
ADDRESSES = ["10.99.0.1", "10.99.0.2", "10.99.0.3", "10.99.0.4"]
DELAYS = [0.013, 0.021, 0.031, 0.009]
# Two hours before the last leap second so far, with the daemon's first hours still ahead of it.
START = 1_483_228_800 - 7200

WRAPPERS = {
    "ntpctl": 'exec env -u LD_PRELOAD chroot "$LAB_ROOT" /usr/sbin/ntpctl "$@"\n',
    "ps": 'cat "$LAB/ps"\n',
    "restart": 'echo "$@" >>"$LAB/restarts"; touch "$LAB/restart"\nwhile [ -e "$LAB/restart" ]; do sleep 0.01; done\n',
}


class Lab:
    """Four servers, one daemon, one virtual clock."""

    def __init__(self, root, shim, program):
        self.root, self.shim, self.program = root, shim, program
        self.folder = tempfile.mkdtemp(prefix="ntplab-")
        self.state = os.path.join(self.folder, "state", "state.json")
        self.clock = Clock(os.path.join(root, "lab", "clock"), START)
        self.world = World(self.clock, [Server(*pair) for pair in zip(ADDRESSES, DELAYS)])
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
            file.write("listen on 127.0.0.1\n" + "".join(f"server {address}\n" for address in ADDRESSES))
        environment = {
            "LD_PRELOAD": "/lab/shim.so", "NTPLAB_CLOCK": "/lab/clock", "NTPLAB_MODE": "actor", "PATH": "/usr/sbin:/usr/bin",
        }
        self.daemon = subprocess.Popen(
            ["/usr/sbin/ntpd", "-d", "-v", "-f", "/etc/lab.conf"],
            env=environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            preexec_fn=self.enter, start_new_session=True,
        )
        self.started = self.clock.now
        wait_until(lambda: len(self.clock.waiters()) >= 2, "the daemon's processes to wait")

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
        wait_until(lambda: not self.clock.waiters(), "the daemon's processes to end")

    def stop_daemon(self):
        """Stops every process of the daemon: it is there, listens, and answers nobody."""
        for pid in self.processes():
            os.kill(pid, signal.SIGSTOP)

    def restart_daemon(self):
        self.kill_daemon()
        self.start_daemon()

    # Time

    def step(self, until):
        """To the next moment at which anything happens."""
        self.clock.settle(self.world.serve)
        moment = min(self.clock.next_deadline(), self.world.next_event(), until)
        if moment > self.clock.now:
            self.clock.put("q", 0, moment)
        self.world.fire()

    def run(self, minutes=0.0, until=None):
        """Lets time pass; with `until`, only as long as that is false. Says whether it came true."""
        end = self.clock.now + int(minutes * 60 * SECOND)
        while self.clock.now < end:
            self.step(min(end, self.clock.now + 10 * SECOND))
            if until and until():
                return True
        self.clock.settle(self.world.serve)
        return not until

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
            "--time-limit", "60", "--probe-timeout", "30",  # a loaded machine is no fault of the daemon
            "--config-file", os.path.join(self.root, "etc", "lab.conf"),
            "--leap-file", os.path.join(os.path.dirname(os.path.abspath(__file__)), "leap-seconds.list"), *flags,
        ]
        running = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while running.poll() is None:
            self.attend()
        out, err = running.communicate()
        assert running.returncode == code, f"{words} exited with {running.returncode}: {out}{err}"
        return json.loads(out)

    def attend(self):
        """The world around a running check: packets arrive, a restart that it orders happens."""
        if os.path.exists(os.path.join(self.folder, "restart")):
            self.restart_daemon()
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
            file.write("1 00:01 /sbin/init\n" + line)

    def restarts(self):
        try:
            with open(os.path.join(self.folder, "restarts"), encoding="utf-8") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []


def wait_until(true, what):
    limit = time.monotonic() + 120
    while not true():
        if time.monotonic() > limit:
            raise TimeoutError(f"waiting for {what}")
        time.sleep(0.005)
