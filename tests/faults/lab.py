# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scenes share: the programs, and a stock of keys, disks and catalogues that were made without faults."""

from __future__ import annotations

import json
import os
import pathlib
import platform
import shutil
import subprocess
import tempfile

from patience import patience

TOP = pathlib.Path(__file__).resolve().parents[2]
STREAMS = TOP / "tests" / "fixtures" / "streams"
NATIVE = TOP / "native" / ("%s-%s" % (platform.system().lower(), platform.machine()))
MIB = 1 << 20


class Lab:
    """A folder for the time of a sweep."""

    def __init__(self):
        # In memory where that keeps what programs write: they sync it all, and there are thousands of runs.
        memory = pathlib.Path("/dev/shm")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="faults-", dir=memory if keeps_attributes(memory) else "/var/tmp"))
        self.stock = self.folder / "stock"
        self.stock.mkdir()
        self.key, self.pubkey = self.stock / "key", self.stock / "key.pub"
        self.disk = self.stock / "disk.raw"
        self.make_stock()

    def close(self):
        shutil.rmtree(self.folder)

    def program(self, name):
        return str(NATIVE / name)

    def environment(self, temporary, *folders):
        """Nothing of the caller's. The folders are those of programs that stand in for others."""
        path = [*map(str, folders), "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        return {"PATH": ":".join(path), "TMPDIR": str(temporary), "LANG": "C.UTF-8"}

    def stand_in(self, name, script):
        """A folder with a script that stands in for the program of this name."""
        folder = self.stock / f"bin-{name}"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
        return folder

    def do(self, program, options):
        """The reply of a run without faults, which has to go well."""
        done = subprocess.run([self.program(program), "-"], input=json.dumps(options), capture_output=True, text=True,
                              env=self.environment(self.folder), timeout=patience(120))
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def make_stock(self):
        """A key, a disk, and two catalogues: the older one has demo-1, the newer one demo-2 in its place."""
        self.do("bhyve_catalog_key", {"path": str(self.key), "type": "eddsa"})
        with open(self.disk, "wb") as disk:
            disk.truncate(4 * MIB)
            disk.seek(100_000)
            disk.write(bytes((number * 7 >> 3) & 255 for number in range(300_000)))
        self.do("bhyve_catalog", self.publish(self.stock / "older", "1"))
        shutil.copytree(self.stock / "older", self.stock / "newer")
        self.do("bhyve_catalog", self.publish(self.stock / "newer", "2"))
        self.do("bhyve_catalog", self.withdraw(self.stock / "newer", "1"))

    def publish(self, catalogue, version, **more):
        """Options that publish demo-VERSION."""
        return {"path": str(catalogue), "name": "demo", "version": version, "source": str(self.disk), "os": "none",
                "requirements": {"memory": "64M", "loader": "uefi"}, "signing_key": str(self.key), **more}

    def withdraw(self, catalogue, version):
        """Options that withdraw demo-VERSION."""
        return {"path": str(catalogue), "name": "demo", "version": version, "state": "absent", "signing_key": str(self.key)}

    def trust(self):
        """Options of a client that trusts the key."""
        return {"signature_type": "pubkey", "pubkey": str(self.pubkey)}


def keeps_attributes(folder):
    """Whether files there can have the attributes of which a volume's mark is one."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            os.setxattr(file.fileno(), "user.apiary", b"")
    except OSError:
        return False
    return True
