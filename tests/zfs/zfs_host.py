# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine with real ZFS, for every suite that needs it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from patience import FACTOR, patience, wait_for

HERE = Path(__file__).parent
TOP = HERE.parents[1]
STREAMS = TOP / "tests/fixtures/streams"
# How a script of in_guest/ is called there.
SCRIPTS = f"PYTHONPATH=/root APIARY_PATIENCE={FACTOR:g} python3 /root/in_guest"


def writer():
    """The example program that writes a stream from a raw disk, built."""
    build = ["cargo", "build", "--release", "--quiet", "--locked", "-p", "zfs_stream", "--example", "write_stream"]
    subprocess.run(build, check=True, cwd=TOP)
    return TOP / "target/release/examples/write_stream"


class Guest:
    """The guest, over ssh. Its answers are checked: a failed command is an error unless a test asks for the status."""

    limit = patience(300)  # only a command that hangs takes that long

    def host(self, *words, **options):
        return subprocess.run([HERE / "host.sh", *words], check=True, timeout=self.limit, **options)

    def install(self):
        """Brings the programs and the fixtures, which a boot starts without."""
        native = TOP / "native/linux-x86_64"
        program = Path(os.environ.get("ZFS_RECEIVE", native / "zfs_receive"))
        assert program.exists(), f"{program} is not there: run `make build`"
        self.host("push", str(program), str(writer()), str(STREAMS), str(HERE / "in_guest"), str(TOP / "tests/patience.py"))
        self.sh("chmod 755 /root /root/zfs_receive && ln -sf zfs_receive /root/zfs_snapshot && ln -sf zfs_receive /root/zfs_snapshot_info && modprobe loop")

    def call(self, command, stdin=None, limit=limit):
        """Status, stdout and stderr of a shell command."""
        ran = subprocess.run(
            [HERE / "host.sh", "ssh", command],
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit,
        )
        return ran.returncode, ran.stdout, ran.stderr

    def sh(self, command, stdin=None, limit=limit):
        status, stdout, stderr = self.call("set -e; " + command, stdin, limit)
        assert status == 0, f"{command}: exit status {status}\n{stdout}{stderr}"
        return stdout.strip()

    def script(self, words, stdin=None):
        """What a script of in_guest/ prints as JSON, given JSON: many steps in one exchange, which may take longer."""
        return json.loads(self.sh(f"{SCRIPTS}/{words}", json.dumps(stdin), limit=patience(900)))

    def wait_for(self, what, command, seconds=120):
        """Until a command of the shell succeeds."""

        def look():
            status, *said = self.call(command)
            assert status in (0, 1), f"{command}: exit status {status}\n{''.join(said)}"
            return status == 0

        wait_for(f"{what} ({command})", look, seconds)

    def start(self, command, stdin=""):
        """A command that runs while the test goes on."""
        process = subprocess.Popen(
            [HERE / "host.sh", "ssh", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        process.stdin.write(stdin)
        process.stdin.close()
        return process

    def module(self, options, check=False, user=None, program="/root/zfs_receive"):
        """The module's reply; `diff` is always asked for."""
        arguments = json.dumps({**options, "_ansible_check_mode": check, "_ansible_diff": True, "_ansible_version": "2"})
        command = f"{program} -"
        if user:
            command = f"setpriv --reuid {user} --regid {user} --clear-groups env TMPDIR=/tmp {command}"
        _, stdout, stderr = self.call(command, stdin=arguments)
        assert stdout, f"no reply: {stderr}"
        return json.loads(stdout)

    @staticmethod
    def connection():
        """How Ansible reaches it: variables of a host."""
        cache = TOP / ".cache/zfs-host"
        return {
            "ansible_host": "127.0.0.1",
            "ansible_port": int((cache / "run/port").read_text()),
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(cache / "current/key"),
            "ansible_ssh_common_args": "-F none -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR",
        }

    def names(self, dataset):
        """Everything below a dataset, itself not."""
        return self.sh(f"zfs list -H -o name -t all -r {dataset}").splitlines()[1:]

    def sha256(self, device):
        return self.sh(f"sha256sum < {device}").split()[0]


@pytest.fixture(scope="session")
def guest():
    """The guest with the programs, the fixtures and a pool `tank`. One that runs already is used as it is, and left running."""
    guest = Guest()
    subprocess.run([HERE / "host.sh", "build"], check=True)
    ours = subprocess.run([HERE / "host.sh", "status"], stdout=subprocess.DEVNULL).returncode != 0
    if ours:
        guest.host("start")
    try:
        guest.install()
        guest.sh("zpool list tank >/dev/null 2>&1 || zpool create -f -O compression=lz4 tank /dev/vdb")
        yield guest
    finally:
        if ours:
            guest.host("stop")
