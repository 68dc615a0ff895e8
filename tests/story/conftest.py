# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine with real ZFS, with libvirt and qemu in it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "zfs"))
from zfs_host import guest  # noqa: E402, F401

from machine import Machine  # noqa: E402


@pytest.fixture(scope="session")
def machine(guest):  # noqa: F811
    with Machine(guest) as machine:
        yield machine
