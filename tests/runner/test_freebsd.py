# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What builds the programs, as FreeBSD's make and uname(1) meet it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


def said(*words, **variables):
    # These tests are themselves started by a make, which hands down options that the other one does not know.
    environment = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    done = subprocess.run(
        words, cwd=TOP, env={**environment, **variables}, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def freebsd(tmp_path):
    """Says that this is FreeBSD, on the processor that MACHINE names."""
    uname = tmp_path / "uname"
    uname.write_text('#!/bin/sh\ncase $1 in -m) echo "$MACHINE" ;; *) echo FreeBSD ;; esac\n')
    uname.chmod(0o755)
    return f"{tmp_path}:{os.environ['PATH']}"


def test_bsd_make_reads_the_same_makefile():
    assert said("bmake", "help") == said("make", "help")
    assert said("bmake", "-n", "build") == (0, "modules/install.sh\n", "")
    assert said("bmake", "-n", "test", "SUITES=unit rust") == (0, "tests/run.sh unit rust\n", "")


@pytest.mark.parametrize(("machine", "platform"), [("amd64", "freebsd-x86_64"), ("arm64", "freebsd-aarch64")])
def test_freebsds_processors_have_our_names(freebsd, machine, platform):
    assert said("modules/platform.sh", PATH=freebsd, MACHINE=machine) == (0, platform + "\n", "")


@pytest.mark.parametrize(("said_as", "platform"), [
    ("freebsd-amd64", "freebsd-x86_64"), ("freebsd-arm64", "freebsd-aarch64"), ("linux-arm64", "linux-aarch64"), ("linux-x86_64", "linux-x86_64"),
])
def test_a_platform_may_be_called_as_it_calls_itself(said_as, platform):
    assert said("modules/platform.sh", said_as) == (0, platform + "\n", "")
    assert said("bmake", "-n", "dist", f"PLATFORMS={said_as}") == (0, f"modules/dist.sh {said_as}\n", "")


def test_cross_building_elsewhere_is_refused_in_one_line(freebsd):
    status, _told, reason = said("modules/dist.sh", PATH=freebsd, MACHINE="amd64")
    assert status == 1 and reason.startswith("dist: expected Linux") and reason.count("\n") == 1


def test_a_platform_that_there_is_not_is_refused_in_one_line():
    status, _told, reason = said("modules/dist.sh", "freebsd-amd64", "freebsd-riscv64")
    assert (status, reason.count("\n")) == (2, 1) and reason.startswith("dist: no platform 'freebsd-riscv64'; there are: freebsd-x86_64"), reason
