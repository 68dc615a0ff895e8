# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of this machine, see machine.sh: its files are read and written from outside, its commands run inside. And the
folder of a user there, whose hypervisor and repository are that machine, too."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import tempfile

from controller import Controller
from patience import patience, wait_for

HERE = pathlib.Path(__file__).resolve().parent

# This machine as a hypervisor: no ZFS, no systemd, and perhaps no KVM.
HYPERVISOR = {
    "guest_folder": "/var/lib/guests",
    "guest_template": "qemu",
    "guest_accelerator": "tcg",
    "hypervisor_packages": [],
    "hypervisor_manage_services": False,
}


class Machine:
    """It is there between `start` and `stop`."""

    def __init__(self, script=HERE / "machine.sh", *words):
        self.folder = tempfile.mkdtemp(prefix="examples-", dir="/var/tmp")
        self.command = [script, self.folder, *words]
        self.process = self.pid = self.root = None

    def start(self):
        self.launch()
        self.wait()

    def launch(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)

    def wait(self):
        wait_for("the copy of this machine to start", self.is_ready, 300)

    def is_ready(self):
        """Finds the first process inside, and the files as that sees them."""
        assert self.process.poll() is None, "the copy of this machine did not start"
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if not children:
            return False
        self.pid, self.root = children[0], pathlib.Path(f"/proc/{children[0]}/root{self.folder}/root")
        return (self.root / "ready").exists()

    def stop(self):
        """Everything inside ends with its first process, which ends with this one."""
        if self.process:
            self.process.kill()
            self.process.wait()
        pathlib.Path(self.folder).rmdir()

    def enter(self):
        """The words that bring a command inside; as little as anything there may it set the clock."""
        return [
            "nsenter", "--target", self.pid, "--mount", "--net", "--pid",
            "setpriv", "--bounding-set", "-sys_time", "--inh-caps", "-sys_time", "chroot", f"{self.folder}/root",
        ]

    def sh(self, script, *words):
        """What a script prints; what it starts in the background stays."""
        shell = [*self.enter(), "bash", "-euc", script, "bash", *map(str, words)]
        done = subprocess.run(shell, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=patience(600))
        assert done.returncode == 0, f"{script}: exit status {done.returncode}"
        return done.stdout.strip()


class Site(Controller):
    """Its inventory is written by each test, as far as the documentation does not say it."""

    def __init__(self, machine):
        self.machine, inside = machine, "/srv/site"
        folder = machine.root / inside.removeprefix("/")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "INVENTORY").symlink_to("inventory")
        super().__init__(folder, inside, machine.enter(), ANSIBLE_PYTHON_INTERPRETER="/usr/bin/python3")

    def inventory(self, hypervisors=(), **hosts):
        """An inventory with these hosts and their variables, all of them this machine, and nothing else."""
        shutil.rmtree(self.folder / "inventory", ignore_errors=True)
        group = {"hosts": {name: {} for name in hypervisors}}
        groups = {name: group for name in ("bhyve_hypervisors", "hypervisors", "virtual_machine_hosts") if hypervisors}
        groups["bhyve_repository"] = {"hosts": {name: {} for name in hosts}}
        known = {name: {} for name in hypervisors} | hosts
        self.write("inventory/hosts.json", json.dumps({"all": {"hosts": known, "children": groups}}))

    def file(self, path):
        """A file of the machine, as it is seen from here."""
        return self.machine.root / path.removeprefix("/")

    def mode(self, path):
        return oct(self.file(path).stat().st_mode & 0o777)

    def virsh(self, *words):
        return self.machine.sh('virsh -q "$@"', *words)
