# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several unit tests need."""

from __future__ import annotations

import pathlib
import platform
import subprocess

import pytest


@pytest.fixture(scope="session")
def apiary():
    """The program that holds them all."""
    top = pathlib.Path(__file__).resolve().parents[2]
    built_for = "%s-%s" % (platform.system().lower(), platform.machine())
    subprocess.run([top / "modules/install.sh"], check=True)
    return top / "native" / built_for / "apiary"
