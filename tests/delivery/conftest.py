# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target without Python behind a real sshd, and a collection with the probe in it. Needs root, for the accounts."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

import pytest

from patience import patience, wait_for

TOP = pathlib.Path(__file__).resolve().parents[2]
FIXTURE = TOP / "tests" / "fixtures" / "collection"
BIN = pathlib.Path(sys.executable).parent

# Where the collection has its programs.
NATIVE = "plugins/plugin_utils/_native"
# The accounts of target.sh and their user ids.
ACCOUNTS = {
    name: 6001 + number
    for number, name in enumerate("plain csh fish bash worker noexec full homeless crowd careful".split())
}


class Site:
    """A controller's folder: collection, inventory, and a count of the ssh exchanges."""

    def __init__(self, folder, port):
        self.folder, self.port = folder, port
        self.homes = folder / "target" / "home"
        self.collection = folder / "collections" / "ansible_collections" / "apiary" / "bhyve"
        self.native = self.collection / NATIVE
        self.log = folder / "exchanges"
        self.sshd = None
        # A program that is slow today shall not cost an exchange more.
        self.times = {"PROBE_GRACE": str(int(patience(30)))}

    def environment(self):
        return dict(
            PATH="%s:%s" % (BIN, os.environ["PATH"]),
            HOME=str(self.folder / "controller"),
            LANG="C.UTF-8",
            ANSIBLE_COLLECTIONS_PATH=str(self.folder / "collections"),
            ANSIBLE_INVENTORY=str(self.folder / "hosts.json"),
            ANSIBLE_SSH_CONTROL_PATH_DIR=str(self.folder / "cp"),
            ANSIBLE_NOCOLOR="1",
            ANSIBLE_TIMEOUT=str(int(patience(300))),
            **self.times,
        )

    def run(self, *words, **environment):
        """Runs one of Ansible's commands and returns how it ended."""
        return subprocess.run(
            [str(BIN / words[0]), *words[1:]],
            cwd=self.folder,
            env=dict(self.environment(), **environment),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=patience(600),
        )

    def ask(self, host, options=None, *words, module="apiary.bhyve.probe", **environment):
        """Runs the probe on `host`; returns its result as Ansible records it."""
        tree = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        arguments = json.dumps(options) if options and not isinstance(options, str) else options or ""
        done = self.run("ansible", host, "-m", module, "-a", arguments, "-t", str(tree), *words, **environment)
        recorded = list(tree.iterdir())
        assert recorded, done.stdout + done.stderr
        result = json.loads(recorded[0].read_text())
        assert ("UNREACHABLE" in done.stdout) == bool(result.get("unreachable")), done.stdout
        return dict(result, failed="FAILED!" in done.stdout)

    def exchanges(self):
        """How many ssh and sftp commands have been run since the last call."""
        if not self.log.exists():
            return 0
        count = len(self.log.read_text().splitlines())
        self.log.unlink()
        return count

    def kept(self, account):
        """The programs kept in an account's home."""
        folder = self.homes / account / ".cache" / "apiary.bhyve"
        return sorted(path for path in folder.glob("*")) if folder.is_dir() else []

    def bin(self, name):
        """One of Ansible's commands."""
        return BIN / name

    def processes_below(self, pid):
        """Every descendant of a process."""
        parents = {}
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
        found = [pid]
        for each in found:
            found += [child for child, parent in parents.items() if parent == each]
        return found[1:]

    def cut(self, account):
        """Breaks every connection of an account, as a network does: at once, from the far side."""
        for pid in self.processes_below(self.sshd.pid):
            entry = pathlib.Path("/proc/%d" % pid)
            try:
                name, uid = (entry / "comm").read_text().strip(), entry.stat().st_uid
                if name == "sshd" and uid == ACCOUNTS[account]:
                    os.kill(pid, signal.SIGKILL)
            except OSError:
                continue

    def forget(self, account):
        """Makes an account cold again."""
        shutil.rmtree(self.homes / account / ".cache", ignore_errors=True)


def assemble(collection):
    """A copy of this collection with the probe as one more module."""
    for name in ("plugins", "meta"):
        shutil.copytree(TOP / name, collection / name, ignore=shutil.ignore_patterns("__pycache__", "_native"))
    shutil.copy(TOP / "galaxy.yml", collection)
    for kind in ("modules", "action"):
        shutil.copy(FIXTURE / "plugins" / kind / "probe.py", collection / "plugins" / kind)
    subprocess.run(
        ["cargo", "build", "--quiet", "--locked", "-p", "ansible_module", "--example", "probe"], cwd=TOP, check=True
    )
    program = collection / NATIVE / "linux-x86_64" / "probe"
    program.parent.mkdir(parents=True)
    shutil.copy(TOP / "target" / "debug" / "examples" / "probe", program)


def inventory(folder, port):
    arguments = "-F none -i %s -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR"
    common = {
        "ansible_host": "127.0.0.1",
        "ansible_port": port,
        "ansible_ssh_executable": str(folder / "ssh"),
        "ansible_sftp_executable": str(folder / "sftp"),
        "ansible_ssh_common_args": arguments % (folder / "target" / "id"),
        "ansible_ssh_args": "-o ControlMaster=auto -o ControlPersist=20s",
    }
    hosts = {name: {"ansible_user": name} for name in (*ACCOUNTS, "root")}
    crowd = {"crowd%02d" % number: {"ansible_user": "crowd"} for number in range(50)}
    local = {"here": {"ansible_connection": "local", "ansible_host": "localhost"}}
    return {
        "all": {
            "children": {
                "targets": {"hosts": hosts, "vars": common},
                "crowds": {"hosts": crowd, "vars": common},
                "controller": {"hosts": local},
            }
        }
    }


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_port(port, process):
    """Until what `process` serves there can be reached."""

    def reached():
        assert process.poll() is None, "it has ended with %s, port %d is not served" % (process.returncode, port)
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", port)) == 0

    wait_for("port %d to be served" % port, reached)


def end_processes_of(folder):
    """What stands apart from its connection would go on for a while."""
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if f"HOME={folder}/".encode() in (entry / "environ").read_bytes():
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue


@pytest.fixture(scope="session")
def site():
    # Short, because the control sockets are in it.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="apiary-", dir="/tmp"))
    folder.chmod(0o755)
    target, port = folder / "target", free_port()
    for name in ("target", "controller", "cp"):
        (folder / name).mkdir()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(target / "id")], check=True)
    site = Site(folder, port)
    assemble(site.collection)
    (folder / "hosts.json").write_text(json.dumps(inventory(folder, port)))
    for name in ("ssh", "sftp"):
        wrapper = folder / name
        wrapper.write_text('#!/bin/sh\necho %s >>%s\nexec /usr/bin/%s "$@"\n' % (name, site.log, name))
        wrapper.chmod(0o755)
    with open(folder / "sshd.log", "wb") as log:
        process = subprocess.Popen([str(TOP / "tests/delivery/target.sh"), str(target), str(port)], stderr=log)
    try:
        wait_for_port(port, process)
        site.sshd = process
        yield site
    finally:
        for path in (folder / "cp").iterdir():
            subprocess.run(["ssh", "-O", "exit", "-o", "ControlPath=%s" % path, "x"], capture_output=True, check=False)
        process.terminate()
        process.wait()
        end_processes_of(folder)
        shutil.rmtree(folder, ignore_errors=True)
