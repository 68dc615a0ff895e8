# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A libvirtd for the whole session, a folder of its own for each test, and no guest left behind by any."""

from __future__ import annotations

import json
import os
import pathlib
import platform
import shutil
import subprocess
import tempfile

import pytest

from patience import patience

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = TOP / "native" / ("%s-%s" % (platform.system().lower(), platform.machine()))


def run(*words, **options):
    return subprocess.run(words, capture_output=True, text=True, check=True, **options).stdout


class Lab:
    """The private libvirtd, and our programs against it."""

    def __init__(self, folder, uri):
        self.folder = pathlib.Path(folder)
        self.uri = uri
        # What a program is run by.
        self.prefix = ()
        self.disk = self.folder / "boot.raw"
        self.banner = "apiary demo guest 7 is up"
        # What is waited for where a guest is expected to start.
        self.up = {"console": self.banner, "timeout": patience(60)}
        run(TOP / "tests/demo/make-disk.sh", self.disk, "7", "16M")

    def program(self, name="libvirt_domain"):
        return str(PROGRAMS / name)

    def call(self, options, name="libvirt_domain", **environment):
        """The reply of one run by hand; whatever happens it is one line of JSON, and nothing is on stderr."""
        options = {"uri": self.uri, **options}
        done = subprocess.run(
            [*self.prefix, self.program(name), "-"], input=json.dumps(options), capture_output=True, text=True,
            env={**os.environ, **environment}, timeout=patience(300),
        )
        assert done.stderr == ""
        assert done.stdout.count("\n") == 1, done.stdout
        reply = json.loads(done.stdout)
        assert done.returncode == (1 if reply.get("failed") else 0)
        return reply

    def good(self, options, **more):
        reply = self.call(options, **more)
        assert "failed" not in reply, reply
        return reply

    def refused(self, options, changed=False, **more):
        """The one line of a run that has to fail, and whether it has changed something before."""
        reply = self.call(options, **more)
        assert reply.get("failed") is True, reply
        assert reply["changed"] is changed and "\n" not in reply["msg"], reply
        return reply["msg"]

    def everything(self):
        """All that libvirt has, to see that check mode leaves it alone."""
        return [(name, self.state(name), self.virsh("dumpxml", name, "--inactive")) for name in self.names()]

    def triad(self, options):
        """check / run / check = changed / changed / unchanged, with the same words in check mode and in the run."""
        check = {"_ansible_check_mode": True, "_ansible_diff": True}
        before = self.everything()
        first = self.good({**options, **check})
        assert self.everything() == before, "check mode wrote"
        done = self.good({**options, "_ansible_diff": True})
        third = self.good({**options, **check})
        again = self.good(options)
        assert (first["changed"], done["changed"], third["changed"], again["changed"]) == (True, True, False, False)
        assert "diff" not in third
        for key in ("diff", "domain"):
            assert first[key] == done[key]
        assert {**done["domain"], "started": False} == third["domain"]
        return done

    def virsh(self, *words):
        return run("virsh", "-q", "-c", self.uri, *words).strip()

    def names(self):
        return sorted(self.virsh("list", "--all", "--name").split())

    def state(self, name="web1"):
        return self.virsh("domstate", name)

    def xml(self, name="web1", memory=32, devices="", kind="qemu", log=True, inner=""):
        """A guest that prints the banner and halts for good."""
        log_file = "<log file='%s' append='off'/>" % self.log(name) if log else ""
        return f"""<domain type='{kind}'>
  <name>{name}</name>{inner}
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{self.disk}'/>
      <target dev='vda' bus='virtio'/>
      <readonly/>
      <shareable/>
    </disk>
    <serial type='pty'>{log_file}</serial>
    {devices}
  </devices>
</domain>
"""

    def log(self, name="web1"):
        return self.folder / (name + ".log")

    def clear(self):
        for name in self.names():
            subprocess.run(["virsh", "-q", "-c", self.uri, "destroy", name], capture_output=True)
            subprocess.run(
                ["virsh", "-q", "-c", self.uri, "undefine", name, "--nvram", "--managed-save", "--snapshots-metadata",
                 "--checkpoints-metadata"],
                capture_output=True,
            )
        assert self.names() == []


class Daemon:
    """A libvirtd with a folder of its own, for as long as it is entered."""

    SHELL = '. "$1/tests/lab/libvirt.sh" && libvirt_%s "$2"'

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="lab", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        start = self.SHELL % "start" + ' && echo "$LIBVIRT_URI"'
        # The daemon keeps the pipes of whoever starts it, so its address comes by file.
        with open(os.path.join(self.folder, "uri"), "w") as uri:
            subprocess.run(["bash", "-c", start, "bash", TOP, self.folder], check=True, stdout=uri)
        self.uri = pathlib.Path(self.folder, "uri").read_text().strip()
        return self

    def __exit__(self, *_):
        subprocess.run(["bash", "-c", self.SHELL % "stop", "bash", TOP, self.folder], check=True)
        shutil.rmtree(self.folder)


@pytest.fixture(scope="session")
def running_lab():
    with Daemon() as daemon:
        yield Lab(daemon.folder, daemon.uri)


@pytest.fixture
def lab(running_lab):
    running_lab.clear()
    yield running_lab
    running_lab.clear()


@pytest.fixture
def second_daemon():
    with Daemon() as daemon:
        yield daemon
