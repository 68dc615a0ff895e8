# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose libvirt has its own bhyve driver, in namespaces of its own, and the programs that ask it."""

from __future__ import annotations

import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess

from patience import patience, wait_for

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = HERE.parents[1] / "native" / ("%s-%s" % (platform.system().lower(), platform.machine()))
URI = "bhyve:///system"

# Where libvirt keeps what, and where that lies in the test's folder.
FOLDERS = {
    "etc": "/etc/libvirt", "run": "/run/libvirt", "lib": "/var/lib/libvirt", "cache": "/var/cache/libvirt", "log": "/var/log/libvirt",
    "libexec": "/usr/local/libexec",
}

DAEMON = r"""
mount -t overlay overlay -o "lowerdir=$1/sbin:/usr/sbin" /usr/sbin
for pair in $3; do mkdir -p "${pair#*:}"; mount --bind "$2/${pair%%:*}" "${pair#*:}"; done
ip link set lo up
ip link add bridge0 type bridge
ip link set bridge0 up
export LIBVIRT_DRIVER_DIR="$1/lib" LD_LIBRARY_PATH="$1/lib"
exec /usr/sbin/libvirtd -f "$2/etc/libvirtd.conf" -p "$2/libvirtd.pid"
"""


class Host:
    """A host whose libvirt has the bhyve driver; everything of it lies in `folder`."""

    def __init__(self, folder):
        self.folder, self.daemon = folder, None
        for name in FOLDERS:
            (folder / name).mkdir()
        shutil.copy(HERE.parents[1] / "roles/hypervisor/files/apiary-guests", folder / "libexec")
        (folder / "etc/libvirtd.conf").write_text('auth_unix_rw = "none"\nauth_unix_ro = "none"\n')

    def start(self):
        pairs = " ".join("%s:%s" % pair for pair in FOLDERS.items())
        words = ["unshare", "--mount", "--net", "sh", "-euc", DAEMON, "sh", os.environ["BHYVE_DRIVER"], str(self.folder), pairs]
        with (self.folder / "daemon.log").open("a") as log:
            self.daemon = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_for("libvirtd to answer", self.answers)

    def answers(self):
        assert self.daemon.poll() is None, (self.folder / "daemon.log").read_text()
        return self.inside("virsh", "-q", "-c", URI, "version", check=False).returncode == 0

    def stop(self):
        """Ends the daemon; guests go on."""
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait(patience(60))

    def entering(self, *words):
        """The command that runs `words` in the host's namespaces."""
        return ["nsenter", "--target", str(self.daemon.pid), "--mount", "--net", "--", *map(str, words)]

    def inside(self, *words, check=True, **more):
        """Runs a command in the host's namespaces."""
        return subprocess.run(self.entering(*words), check=check, capture_output=True, text=True, timeout=patience(300), **more)

    def virsh(self, *words):
        return self.inside("virsh", "-q", "-c", URI, *words).stdout.strip()

    def run(self, program="libvirt_domain", check=False, **options):
        """The reply of one of our programs."""
        arguments = json.dumps({"uri": URI, **options, "_ansible_check_mode": check, "_ansible_diff": True})
        done = self.inside(PROGRAMS / program, "-", check=False, input=arguments)
        assert done.stderr == "", done.stderr
        return json.loads(done.stdout)

    def good(self, **options):
        reply = self.run(**options)
        assert not reply.get("failed"), reply
        return reply

    def processes(self, name):
        """The stand-ins for bhyve that run this guest, by their title."""
        title, ours = b"bhyve: %s\0" % name.encode(), self.namespace(self.daemon.pid)
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and ((entry / "cmdline").read_bytes() + b"\0").startswith(title):
                    found.append(int(entry.name))
            except OSError:
                continue
        return [pid for pid in found if self.namespace(pid) == ours]

    @staticmethod
    def namespace(pid):
        """Which network a process is in: another run of this suite has guests of the same names. None for one that is gone."""
        try:
            return os.readlink(f"/proc/{pid}/ns/net")
        except OSError:
            return None

    def xml(self, name, memory=256, devices="", vcpus=1):
        """A definition as the role's template `uefi` makes one; the disk is a file, as a volume's device would be one."""
        disk = self.folder / ("%s.raw" % name)
        disk.touch()
        return (
            f"<domain type='bhyve'><name>{name}</name><memory unit='MiB'>{memory}</memory><vcpu>{vcpus}</vcpu>"
            "<os><type>hvm</type><loader readonly='yes' type='pflash'>/usr/share/edk2-bhyve/BHYVE_UEFI.fd</loader></os>"
            "<features><acpi/><apic/></features><on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot>"
            f"<devices><disk type='file' device='disk'><driver name='file' type='raw'/><source file='{disk}'/>"
            f"<target dev='vda' bus='virtio'/></disk>{devices}</devices></domain>"
        )
