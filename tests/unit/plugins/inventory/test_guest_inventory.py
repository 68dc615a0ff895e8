# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin, asked through ansible-inventory as a user would."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

ANSIBLE_INVENTORY = pathlib.Path(sys.executable).with_name("ansible-inventory")


def listed(folder):
    command = [ANSIBLE_INVENTORY, "-i", str(folder), "--list"]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def plain(value):
    """Newer releases mark strings that are no templates."""
    return value.get("__ansible_unsafe", value) if isinstance(value, dict) else value


def inventory(folder, host_vars):
    (folder / "10-hosts.yml").write_text("all: {hosts: {hv-1: {}, hv2: {}}}")
    (folder / "20-guests.yml").write_text("plugin: apiary.bhyve.guests")
    (folder / "host_vars").mkdir()
    (folder / "host_vars" / "hv-1.yml").write_text(host_vars)
    return listed(folder)


def test_guests_become_hosts_with_their_address(tmp_path):
    result = inventory(tmp_path, """
        bhyve_guests:
          web1: {image: demo-1, vcpus: 1, memory: 1G, seed: {addresses: [dhcp, 192.0.2.11/24]}}
          web2: {image: demo-1, vcpus: 1, memory: 1G}
          web3: {image: demo-1, vcpus: 1, memory: 1G, seed: {addresses: 192.0.2.13/24}}
        """)
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["bhyve_guests"]["hosts"] == ["web1", "web2", "web3"]
    assert answer["guests_on_hv_1"]["hosts"] == ["web1", "web2", "web3"]
    variables = answer["_meta"]["hostvars"]
    assert plain(variables["web1"]["ansible_host"]) == "192.0.2.11"
    assert plain(variables["web3"]["ansible_host"]) == "192.0.2.13"
    assert plain(variables["web1"]["bhyve_hypervisor"]) == "hv-1"
    assert variables["web2"]["bhyve_guest"]["image"] == "demo-1"
    assert "ansible_host" not in variables["web2"]


def test_a_list_of_guests_is_refused(tmp_path):
    result = inventory(tmp_path, "bhyve_guests: [web1]")
    # Warnings are wrapped to the width of a terminal.
    words = " ".join(result.stderr.split())
    assert "reading the guests of hv-1: expected bhyve_guests to be a dictionary, found " in words
