# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of a user whose hypervisor and repository are the machine with real ZFS."""

from __future__ import annotations

import json

from controller import Controller
from documented import TOP

# The pools and folders that the examples name, and the catalogue /repo/images served over ssh to root's key.
PREPARE = r"""
exec 2>&1
zpool destroy -f zroot || true
for folder in vm images; do zfs destroy -r tank/$folder || true; zfs create tank/$folder; done
rm -rf /repo /build /var/lib/guests /var/db/apiary /usr/local/etc/apiary
mkdir -p /repo /build /usr/local/etc/apiary /usr/local/libexec
truncate -s 4G /build/zroot && zpool create -f -m none zroot /build/zroot
for folder in build guests images; do zfs create zroot/$folder; done
head -c 8M /dev/urandom >/build/FreeBSD-14.2-RELEASE-amd64-zfs.raw

echo 127.0.0.1 localhost repo.example.org >/etc/hosts
echo "repo.example.org $(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)" | tee /root/.ssh/known_hosts >/usr/local/etc/apiary/known_hosts
[ -e /root/.ssh/images ] || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/images
cp /root/.ssh/images /root/.ssh/id_ed25519
cp /root/zfs_receive /usr/local/libexec/bhyve_catalog_server
id images >/dev/null || useradd --create-home --shell /bin/sh --password '*' images
install -d -o images -m 700 /home/images/.ssh
echo "command=\"/usr/local/libexec/bhyve_catalog_server /repo/images\",restrict $(cat /root/.ssh/images.pub)" >/home/images/.ssh/authorized_keys
"""


class ZfsSite(Controller):
    """Hosts `hv1` and `repo` are that machine."""

    def __init__(self, folder, guest):
        super().__init__(folder, HOME=str(folder), ANSIBLE_COLLECTIONS_PATH=str(TOP / ".cache/collections"))
        self.guest = guest
        guest.sh(PREPARE)
        hosts = {"hosts": {name: guest.connection() for name in ("hv1", "repo")}}
        self.write("inventory/hosts.json", json.dumps({"all": hosts, "bhyve_repository": {"hosts": {"repo": {}}}}))

    def get(self, name, dataset):
        """A property of ZFS, to the byte."""
        return self.guest.sh(f"zfs get -Hp -o value {name} {dataset}")
