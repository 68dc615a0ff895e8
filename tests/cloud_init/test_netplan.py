# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's netplan makes systemd-networkd's files of what cloud-init wrote for it."""

from __future__ import annotations

import os
import subprocess

import pytest
from cases import FAR, NEAR
from configured import of_netplan, of_networkd

CASES = {**NEAR, **FAR}


@pytest.mark.parametrize("case", CASES)
def test_networkd_gets_what_netplan_was_told(cloud_init, seed, tools, tmp_path, case):
    files = cloud_init.ask("render", renderer="netplan", config=seed(**CASES[case]).document("network-config"))
    for path, text in files.items():
        file = tmp_path / "root" / path.lstrip("/")
        file.parent.mkdir(parents=True)
        file.write_text(text)
    libraries = ":".join(str(folder) for base in ("usr/lib", "lib") for folder in (tools / base).glob("*-linux-gnu*"))
    done = subprocess.run([tools / "usr/libexec/netplan/generate", "--root-dir", tmp_path / "root"], capture_output=True, text=True, check=False,
                          env={**os.environ, "LD_LIBRARY_PATH": libraries})
    assert done.returncode == 0, done.stderr
    made = {str(path): path.read_text() for path in (tmp_path / "root/run/systemd/network").iterdir()}
    found, expected = of_networkd(made), of_netplan(files)
    assert sorted(found.gateways) == sorted(expected.gateways)
    found.gateways = expected.gateways
    assert found == expected
