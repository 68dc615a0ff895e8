# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo on bhyve: three guests through libvirt's own bhyve driver, which boot, reboot, go off and crash.

Stand-ins: bhyve, which starts qemu with the guest's memory, disk and console, and nmdm(4), which is two terminals.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import yaml

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from host import URI, Host  # noqa: E402
from null_modem import NullModem  # noqa: E402
from patience import wait_for  # noqa: E402

DEMO = HERE.parent / "demo"
NAMES = ("web1", "web2", "db1")


def say(text):
    print("\n\033[1m== %s\033[0m" % text, flush=True)


class Site:
    """The demo's site, its hypervisor a host with bhyve."""

    def __init__(self, folder, host):
        self.folder, self.host = folder, host
        shutil.copytree(DEMO / "site", folder / "site")
        for name in ("catalog", "images", "volumes", "keys"):
            (folder / name).mkdir()
        self.modems = {name: NullModem(folder, name) for name in NAMES}
        path = folder / "site/host_vars/hv1.yml"
        told = yaml.safe_load(path.read_text())
        told.update(guest_template="uefi", guest_shutdown_timeout=60)
        for name, guest in told["bhyve_guests"].items():
            guest["console"] = str(folder / name)
        path.write_text(yaml.safe_dump(told))

    def play(self, playbook, expected, *more):
        """Runs a playbook; its recap must have the expected words."""
        words = ["ansible-playbook", f"apiary.bhyve.{playbook}", "-e", f"demo_folder={self.folder}", "-e", f"demo_uri={URI}", *more]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(self.folder / "site/ansible.cfg")}
        where = {"cwd": self.folder / "site", "env": environment, "text": True}
        printed = []
        with subprocess.Popen(self.host.entering(*words), stdout=subprocess.PIPE, **where) as playing:
            for line in playing.stdout:
                print(line, end="", flush=True)
                printed.append(line)
        assert any(re.match("hv1 .*" + expected, line) for line in printed), f"expected {expected!r} in the recap of {playbook}"

    def end(self, name, number, is_done):
        """Sends a guest's bhyve a signal, and waits for what that brings about."""
        (before,) = self.host.processes(name)
        os.kill(before, number)
        wait_for(f"{name} after signal {number}", lambda: is_done(before))


def show(site):
    host = site.host
    say("A bootable disk of our own, published as image demo-1.0-20261122")
    subprocess.run([str(DEMO / "make-disk.sh"), str(site.folder / "demo.raw"), "20261122", "64M", "obeys"], check=True)
    site.play("publish", "changed=[12] .*failed=0")

    say("Deploying three guests through %s; each is waited for on its console" % URI)
    site.play("deploy", "changed=[1-9].*failed=0")
    print(host.virsh("list", "--all"))
    assert [len(host.processes(name)) for name in NAMES] == [1, 1, 1]

    say("The same playbook again: nothing changes")
    site.play("deploy", "changed=0 .*failed=0")

    say("web1 reboots itself, which is no change; web2 is told to shut down, db1's bhyve is killed: both are started again")
    site.end("web1", signal.SIGUSR1, lambda before: host.processes("web1") not in ([], [before]))
    site.play("deploy", "changed=0 .*failed=0")
    host.virsh("shutdown", "web2")
    wait_for("web2 to be off", lambda: host.virsh("domstate", "web2") == "shut off")
    site.end("db1", signal.SIGKILL, lambda _before: not host.processes("db1"))
    site.play("deploy", "changed=1 .*failed=0")
    assert [len(host.processes(name)) for name in NAMES] == [1, 1, 1]

    say("Removing them")
    site.play("remove", "changed=[1-9].*failed=0", "-e", "bhyve_remove=all")
    left = [*(site.folder / "volumes").iterdir(), *host.virsh("list", "--all", "--name").split(), *(host.folder / "run/vmm").glob("[!q]*")]
    links = [*(host.folder / "etc/bhyve").rglob("*.xml")]
    assert not left and not links and not any(map(host.processes, NAMES)), (left, links)
    say("Done: nothing is left of them")


def main():
    # Short, since the name of libvirt's socket is in it.
    with tempfile.TemporaryDirectory(prefix="apiary-", dir="/var/tmp") as name:
        folder = pathlib.Path(name)
        (folder / "host").mkdir()
        host = Host(folder / "host")
        (folder / "host/run/vmm").mkdir()
        (folder / "host/run/vmm/qemu").touch()
        host.start()
        try:
            show(Site(folder, host))
        finally:
            for guest in host.virsh("list", "--name").split():
                host.virsh("destroy", guest)
            host.stop()


if __name__ == "__main__":
    main()
