# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hypervisors that are one machine with real ZFS: a pool and a libvirtd for each, with qemu."""

from __future__ import annotations

import json
import random
import shlex
import subprocess
import zlib

from zfs_host import HERE as ZFS, TOP

from patience import patience

HERE = TOP / "tests/story"
HOSTS = ("hv1", "hv2")
FOLDER = "/root/story"
CATALOGUE = f"{FOLDER}/catalogue"
BANNER = "apiary demo guest %s is up"

# A user that libvirtd knows by name, and folders that libvirt.sh lays its own over.
PREPARE = f"""
id -u libvirt-qemu >/dev/null 2>&1 || useradd --system --user-group libvirt-qemu
mkdir -p /etc/libvirt /run/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt {CATALOGUE} {FOLDER}/pools
[ -z "$disk" ] || {{ mkfs.ext4 -q -F -O ^has_journal -T largefile4 "$disk"; mount -o noinit_itable "$disk" {FOLDER}/pools; }}
for host in {" ".join(HOSTS)}; do
    mkdir -p {FOLDER}/$host/consoles
    truncate -s "$size" {FOLDER}/pools/$host
    zpool create -f -O compression=lz4 -O mountpoint=none $host {FOLDER}/pools/$host
    zfs create $host/vm
    zfs create $host/images
done
"""
START = f"""
. /root/lab/libvirt.sh
for host in {" ".join(HOSTS)}; do (libvirt_start {FOLDER}/$host) & started="${{started-}} $!"; done
for each in $started; do wait $each; done
"""
STOP = f"""
. /root/lab/libvirt.sh
for host in {" ".join(HOSTS)}; do libvirt_stop {FOLDER}/$host; zpool destroy $host; done
! mountpoint -q {FOLDER}/pools || umount {FOLDER}/pools
rm -rf {FOLDER}
"""


class Machine:
    """The machine of tests/zfs, with libvirt and qemu in it for as long as it is entered."""

    def __init__(self, guest, size="1G", disk=""):
        """The pools are files of this `size`, where they are too large for the machine's own file system on a file system made on a `disk`."""
        self.guest, self.pools = guest, f"size={size} disk={disk}\n"

    def __enter__(self):
        self.guest.host("push", str(TOP / "tests/lab"), str(TOP / "tests/patience.sh"), str(HERE / "in_machine"))
        self._bring_programs()
        self.bash(self.pools + PREPARE)
        self.bash(START)
        return self

    def __exit__(self, *_):
        self.bash(STOP)

    def _bring_programs(self):
        """What is there already stays: it runs."""
        unpack = "zstd -dq | tar -xf - -C / --skip-old-files"
        bring = f"set -o pipefail; {HERE}/programs.sh | zstd -1 -q | {ZFS}/host.sh ssh {shlex.quote(unpack)}"
        subprocess.run(["bash", "-c", bring], check=True, timeout=patience(900))

    def bash(self, script):
        return self.guest.sh("bash -euo pipefail", stdin=script)

    @staticmethod
    def uri(host):
        return f"qemu+unix:///system?socket={FOLDER}/{host}/run/libvirt-sock"

    def found(self):
        """All that is there, in the words of model.py."""
        return json.loads(self.guest.sh(f"python3 /root/in_machine/found.py {FOLDER}"))

    def uuid(self, host, name):
        return self.guest.sh(f"virsh -q -c '{self.uri(host)}' domuuid {name}")

    def wait_until_quiet(self):
        """Until programs whose controller was killed have ended."""
        self.guest.wait_for("programs without a controller to end", "! pgrep -f '[a]piary.bhyve/' >/dev/null", 600)

    def write(self, volume, said):
        """Writes onto a disk, as its guest might."""
        self.guest.sh(f"printf '%s\\0' {shlex.quote(said)} | dd of=/dev/zvol/{volume} bs=1M seek=1 conv=notrunc,fsync status=none")

    def fill(self, volume):
        """Ten MiB of which nothing can be left out, after what is said; returns their sum."""
        content = random.randbytes(10 << 20)
        fill = f"dd of=/dev/zvol/{volume} bs=1M seek=4 iflag=fullblock conv=notrunc,fsync status=none"
        subprocess.run([ZFS / "host.sh", "ssh", fill], input=content, check=True, timeout=patience(900))
        return f"{zlib.crc32(content):08x}"

    def bring_disk(self, version):
        """A disk for an image; returns where it is in the machine. What its guest says tells which."""
        disk = TOP / f".cache/{version}.raw"
        subprocess.run([TOP / "tests/demo/make-disk.sh", disk, version, "16M", "obeys"], check=True)
        bring = f"set -o pipefail; tar -C {shlex.quote(str(disk.parent))} -Scf - {disk.name} | {ZFS}/host.sh ssh tar -C {FOLDER} -xmf -"
        subprocess.run(["bash", "-c", bring], check=True, timeout=patience(900))
        disk.unlink()
        return f"{FOLDER}/{version}.raw"
