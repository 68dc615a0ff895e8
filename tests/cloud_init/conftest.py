# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seeds written by our program, and the versions of cloud-init that read them."""

from __future__ import annotations

import json
import os
import pathlib
import platform
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path.insert(0, str(HERE))

PROGRAM = TOP / "native" / f"{platform.system().lower()}-{platform.machine()}" / "guest_seed"
UNPACKED = pathlib.Path(os.environ["CLOUD_INIT"])
RELEASES = ["bookworm", "trixie", "forky"]
MAC = "52:54:00:00:00:01"


class Seed:
    """A seed of a Linux guest, by the options of guest_seed, and what the program said of it."""

    def __init__(self, path, options):
        self.path = path
        mac = {} if {"networks", "network_config"} & set(options) else {"mac": MAC}
        options = {"path": str(path), "name": "web1", "family": "linux", **mac, **options}
        done = subprocess.run([PROGRAM, "-"], input=json.dumps(options), capture_output=True, text=True, check=False)
        self.reply = json.loads(done.stdout)

    @property
    def warnings(self):
        return self.reply.get("warnings", [])

    def document(self, name):
        """One of the files on it, as mtools reads them."""
        assert not self.reply.get("failed"), self.reply
        return subprocess.run(["mtype", "-i", self.path, f"::{name}"], capture_output=True, text=True, check=True).stdout


class CloudInit:
    """One version of cloud-init, in a Python of its own."""

    def __init__(self, release):
        environment = {**os.environ, "PYTHONPATH": str(UNPACKED / release / "usr/lib/python3/dist-packages"), "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen([sys.executable, HERE / "reader.py"], env=environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.version = tuple(int(part) for part in self.ask("version").split(".")[:2])

    def ask(self, what, **question):
        self.process.stdin.write(json.dumps({"ask": what, **question}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["answer"]

    def end(self):
        self.process.stdin.close()
        self.process.wait()


@pytest.fixture(scope="session", params=RELEASES)
def cloud_init(request):
    """Every version."""
    made = CloudInit(request.param)
    yield made
    made.end()


@pytest.fixture
def seed(tmp_path):
    """Writes a seed by options."""
    return lambda **options: Seed(tmp_path / "web1.seed", options)


@pytest.fixture(scope="session")
def tools():
    """The root with ifupdown and netplan."""
    return UNPACKED / "tools"
