# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three copies of this machine and a fourth to sit at, in a network of their own; and the vendors, a web server at the fourth."""

from __future__ import annotations

import pathlib
import subprocess

from this_machine import HERE, Machine

ADDRESSES = {"controller": "192.0.2.1", "repo": "192.0.2.2", "hv1": "192.0.2.3", "hv2": "192.0.2.4"}
VENDORS = ("download.freebsd.org", "cloud.debian.org")

# A certificate for both vendors, and whom the repository believes.
CERTIFICATE = """
mkdir -p /srv/vendors && cd /srv/vendors
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=Test authority' -keyout ca.key -out ca.crt 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -CA ca.crt -CAkey ca.key -subj /CN=vendors -addext "subjectAltName=$1" \\
    -addext basicConstraints=critical,CA:false -keyout web.key -out web.crt 2>/dev/null
"""


class Host(Machine):
    """One of them, by its name."""

    def __init__(self, name):
        super().__init__(HERE / "host.sh", name)
        self.name = name

    def ip(self, *words):
        subprocess.run(["nsenter", "--target", self.pid, "--net", "ip", *words], check=True)


class Fleet(dict):
    """The hosts by name, each with an address; hypervisors have it on their bridge."""

    def __init__(self):
        super().__init__((name, Host(name)) for name in ADDRESSES)

    def start(self):
        for host in self.values():
            host.launch()
        for host in self.values():
            host.wait()
        self["controller"].ip("link", "add", "lan", "type", "bridge")
        self._address("controller", "lan")
        for name in ("repo", "hv1", "hv2"):
            self._plug(name)
        self._log_in()

    def stop(self):
        for host in self.values():
            host.stop()

    def _plug(self, name):
        port, host = f"to-{name}", self[name]
        self["controller"].ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", host.pid)
        self["controller"].ip("link", "set", port, "master", "lan", "up")
        if name == "repo":
            self._address(name, "eth0")
            return
        host.ip("link", "add", "bridge0", "type", "bridge")
        host.ip("link", "set", "eth0", "master", "bridge0", "up")
        self._address(name, "bridge0")

    def _address(self, name, device):
        self[name].ip("address", "add", ADDRESSES[name] + "/24", "dev", device)
        self[name].ip("link", "set", device, "up")

    def _log_in(self):
        """The operator's key lets him in; that much the guide expects."""
        self["controller"].sh("ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519")
        key = (self["controller"].root / "root/.ssh/id_ed25519.pub").read_text()
        for name in ("repo", "hv1", "hv2"):
            (self[name].root / "home/admin/.ssh/authorized_keys").write_text(key)

    def serve(self, files):
        """A vendor's file for each URL, made by a shell's words that get its path; and what the vendor says of its checksum."""
        controller = self["controller"]
        controller.sh(CERTIFICATE, ",".join(f"DNS:{name}" for name in VENDORS))
        for url, making, checksum in files:
            path = f"/srv/vendors/{url.removeprefix('https://')}"
            controller.sh(f'mkdir -p "$(dirname "$1")"; {making}', path)
            controller.sh(f'cd "$(dirname "$1")"; name=$(basename "$1"); {checksum}', path)
        controller.sh('python3 "$1" /srv/vendors >/srv/vendors/log 2>&1 &', HERE / "vendors.py")
        authority = (controller.root / "srv/vendors/ca.crt").read_text()
        with open(self["repo"].root / "etc/ssl/certs/ca-certificates.crt", "a", encoding="ascii") as file:
            file.write(authority)


def asked(fleet):
    """What has been fetched from the vendors, line by line."""
    return pathlib.Path(fleet["controller"].root / "srv/vendors/log").read_text().splitlines()
