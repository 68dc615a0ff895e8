# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller: an inventory of both hypervisors and of the repository, and the playbooks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from machine import CATALOGUE, FOLDER, HOSTS, TOP

from patience import patience


class Controller:
    """A user's folder. `guests` holds the dictionaries of both hosts, `images` what is published, as versions and their disks."""

    def __init__(self, folder, machine):
        self.folder, self.machine = folder, machine
        self.guests, self.images = {host: {} for host in HOSTS}, {}
        collections = folder / "ansible_collections/apiary"
        collections.mkdir(parents=True)
        (collections / "bhyve").symlink_to(TOP)

    def _hypervisor(self, host):
        at = f"{FOLDER}/{host}"
        return {
            **self.machine.guest.connection(),
            "bhyve_guests": self.guests[host],
            "bhyve_catalog": f"file://{CATALOGUE}",
            "bhyve_catalog_pubkey": f"{FOLDER}/catalog.key.pub",
            "guest_dataset": f"{host}/vm",
            "guest_golden": f"{host}/images",
            "guest_image_store": f"{at}/store",
            "guest_seed_folder": f"{at}/seeds",
            "guest_console_folder": f"{at}/consoles",
            "guest_uri": self.machine.uri(host),
            "guest_template": "qemu",
            "guest_accelerator": "tcg",
            "guest_shutdown_timeout": int(patience(300)),
            "guest_wait_timeout": int(patience(600)),
        }

    def _repository(self):
        return {
            **self.machine.guest.connection(),
            "bhyve_catalog_path": CATALOGUE,
            "bhyve_catalog_signing_key": f"{FOLDER}/catalog.key",
            "bhyve_catalog_make_key": True,
            "bhyve_images": [{"name": "demo", "version": version, "source": disk, "os": "none"} for version, disk in self.images.items()],
        }

    def command(self, name, **said):
        """A playbook, and what is said to it with -e."""
        groups = {
            "bhyve_repository": {"hosts": {"repo": self._repository()}},
            "bhyve_hypervisors": {"hosts": {host: self._hypervisor(host) for host in HOSTS}},
        }
        (self.folder / "hosts.json").write_text(json.dumps(groups))
        words = [word for key, value in said.items() for word in ("-e", f"{key}={value}")]
        return [Path(sys.executable).parent / "ansible-playbook", "-i", self.folder / "hosts.json", f"apiary.bhyve.{name}", *words]

    @property
    def environment(self):
        settings = {"COLLECTIONS_PATH": self.folder, "HOME": self.folder / "home", "TIMEOUT": int(patience(300)), "NOCOLOR": 1}
        return {**os.environ, **{f"ANSIBLE_{name}": str(value) for name, value in settings.items()}}

    def start(self, name, **said):
        """A playbook that can be killed: it and all it starts are a process group."""
        with open(self.folder / f"{name}.log", "w") as log:
            options = {"env": self.environment, "stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
            return subprocess.Popen(self.command(name, **said), start_new_session=True, **options)

    def play(self, name, code=0, **said):
        """What a playbook has printed."""
        running = self.start(name, **said)
        status = running.wait(patience(1800))
        printed = (self.folder / f"{name}.log").read_text()
        assert status == code, printed
        return printed


def changes(printed, host):
    return int(re.search(rf"^{host} .*changed=(\d+)", printed, re.M)[1])
