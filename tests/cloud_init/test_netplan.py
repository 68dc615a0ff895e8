# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's netplan makes systemd-networkd's files of what cloud-init wrote for it."""

from __future__ import annotations

import os
import subprocess

import pytest
from cases import FAR, NEAR, SEVERAL
from configured import apart, of_netplan, of_networkd

CASES = {**NEAR, **FAR, **SEVERAL}


@pytest.mark.parametrize("case", CASES)
def test_networkd_gets_what_netplan_was_told(cloud_init, seed, tools, tmp_path, case):
    files = cloud_init.ask("render", renderer="netplan", config=seed(**CASES[case]).document("network-config"))
    every = apart("netplan", files)
    made = {str(path): path.read_text() for path in generated(files, tools, tmp_path)}
    assert len([path for path in made if path.endswith(".network")]) == len(every)
    for files_of_one in every:
        expected = of_netplan(files_of_one)
        found = of_networkd({path: text for path, text in made.items() if path.endswith(f"-{expected.name}.network") or len(every) == 1})
        assert sorted(found.gateways) == sorted(expected.gateways)
        found.gateways = expected.gateways
        assert found == expected


def generated(files, tools, tmp_path):
    """Files of systemd-networkd that the real netplan makes."""
    for path, text in files.items():
        file = tmp_path / "root" / path.lstrip("/")
        file.parent.mkdir(parents=True)
        file.write_text(text)
    libraries = ":".join(str(folder) for base in ("usr/lib", "lib") for folder in (tools / base).glob("*-linux-gnu*"))
    done = subprocess.run([tools / "usr/libexec/netplan/generate", "--root-dir", tmp_path / "root"], capture_output=True, text=True, check=False,
                          env={**os.environ, "LD_LIBRARY_PATH": libraries})
    assert done.returncode == 0, done.stderr
    return sorted((tmp_path / "root/run/systemd/network").iterdir())
