# SPDX-License-Identifier: GPL-3.0-or-later
"""One host for all tests, emptied after each."""

from __future__ import annotations

import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from host import Host  # noqa: E402


@pytest.fixture(scope="session")
def machine(tmp_path_factory):
    # A socket's name has room for 107 bytes.
    folder = tmp_path_factory.mktemp("bhyve")
    host = Host(folder)
    host.start()
    yield host
    for name in host.virsh("list", "--name").split():
        host.virsh("destroy", name)
    host.stop()


@pytest.fixture
def host(machine):
    """The host without any domain."""
    yield machine
    for name in machine.virsh("list", "--name").split():
        machine.virsh("destroy", name)
    for name in machine.virsh("list", "--all", "--name").split():
        machine.virsh("undefine", name)
    for left in (machine.folder / "run/vmm").glob("*"):
        left.unlink()
