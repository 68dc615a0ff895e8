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


def test_addresses_are_found_in_whatever_form(tmp_path):
    result = inventory(tmp_path, """
        base: 192.0
        net: "{{ base }}.2"
        common: {image: demo-1, vcpus: 1, memory: 1G}
        bhyve_guests:
          text: {image: demo-1, seed: {addresses: "192.0.2.11/24,2001:db8::1/64"}}
          one: {image: demo-1, seed: {addresses: ["{{ net }}.12/24"]}}
          list: {image: demo-1, seed: {addresses: "{{ [net ~ '.13/24'] }}"}}
          seed: {image: demo-1, seed: "{{ {'addresses': [net ~ '.14/24']} }}"}
          entry: "{{ common | combine({'seed': {'addresses': [net ~ '.15/24']}}) }}"
          facts: {image: demo-1, seed: {addresses: ["{{ ansible_facts.default_ipv4.network }}.16/24"]}}
          none: {image: demo-1, seed: {addresses: null}}
          odd: {image: demo-1, seed: [addresses]}
          several: {image: demo-1, seed: {}, networks: [{bridge: b, addresses: [dhcp]}, {addresses: ["{{ net }}.18/24", "2001:db8::18/64"]}]}
          listed: {image: demo-1, networks: "{{ [{'addresses': [net ~ '.19/24']}] }}"}
          by_dhcp: {image: demo-1, networks: [{bridge: b, addresses: [dhcp, ra]}]}
          odd_list: {image: demo-1, networks: [web1, {addresses: null}]}
          101: {image: demo-1, seed: {addresses: ["2001:db8::17/64"]}}
        """)
    assert result.returncode == 0, result.stderr
    variables = json.loads(result.stdout)["_meta"]["hostvars"]
    at = {name: plain(variables[name].get("ansible_host")) for name in variables if name not in ("hv-1", "hv2")}
    assert at == {
        "text": "192.0.2.11", "one": "192.0.2.12", "list": "192.0.2.13", "seed": "192.0.2.14", "entry": "192.0.2.15", "facts": None,
        "none": None, "odd": None, "101": "2001:db8::17",
        "several": "192.0.2.18", "listed": "192.0.2.19", "by_dhcp": None, "odd_list": None,
    }
    words = " ".join(result.stderr.split())
    assert "leaving out the addresses of guest facts of hv-1: 'ansible_facts' is undefined" in words


def test_a_dictionary_may_be_a_template(tmp_path):
    result = inventory(tmp_path, """
        ours: {web1: {image: demo-1, seed: {addresses: ["{{ net }}.11/24"]}}}
        net: 192.0.2
        bhyve_guests: "{{ ours | combine({'web2': {'image': 'demo-1'}}) }}"
        """)
    answer = json.loads(result.stdout)
    assert answer["guests_on_hv_1"]["hosts"] == ["web1", "web2"] and answer["bhyve_with_guests"]["hosts"] == ["hv-1"]
    assert plain(answer["_meta"]["hostvars"]["web1"]["ansible_host"]) == "192.0.2.11"


def test_what_the_inventory_says_itself_counts(tmp_path):
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/named.yml").write_text("ansible_host: named.example.org")
    (tmp_path / "11-own.yml").write_text("all: {hosts: {db9: {ansible_host: 10.0.0.9}}, children: {named: {hosts: {web1: {}}}}}")
    result = inventory(tmp_path, """
        bhyve_guests:
          db9: {image: demo-1, seed: {addresses: [192.0.2.14/24]}}
          web1: {image: demo-1, seed: {addresses: [192.0.2.15/24]}}
        """)
    answer = json.loads(result.stdout)
    variables = answer["_meta"]["hostvars"]
    assert plain(variables["db9"]["ansible_host"]) == "10.0.0.9" and plain(variables["web1"]["ansible_host"]) == "named.example.org"
    assert answer["bhyve_guests"]["hosts"] == ["db9", "web1"] and plain(variables["db9"]["bhyve_hypervisor"]) == "hv-1"


def test_a_guest_of_two_hypervisors_is_the_first_ones(tmp_path):
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text("bhyve_guests: {web1: {image: demo-1}}")
    result = inventory(tmp_path, "{}")
    assert plain(json.loads(result.stdout)["_meta"]["hostvars"]["web1"]["bhyve_hypervisor"]) == "hv-1"
    assert "leaving out guest web1 of hv2: hv-1 has one of that name" in " ".join(result.stderr.split())


def test_a_guest_may_be_called_as_a_group_is(tmp_path):
    (tmp_path / "11-own.yml").write_text("all: {children: {web: {hosts: {hv2: {}}}}}")
    result = inventory(tmp_path, "bhyve_guests: {web: {image: demo-1}, all: {image: demo-1}}")
    answer = json.loads(result.stdout)
    assert answer["guests_on_hv_1"] == {"hosts": ["web"]} and answer["bhyve_with_guests"] == {"hosts": ["hv-1"]}
    assert "leaving out guest all of hv-1: its name stands for every host" in " ".join(result.stderr.split())


def test_a_guest_is_not_its_own_hypervisor(tmp_path):
    result = inventory(tmp_path, "bhyve_guests: {hv-1: {image: demo-1}, web1: {image: demo-1}}")
    assert "reading the guests of hv-1: a guest has the name of its hypervisor" in " ".join(result.stderr.split())
    assert "bhyve_guests" not in json.loads(result.stdout)


def test_a_list_of_guests_is_refused(tmp_path):
    result = inventory(tmp_path, "bhyve_guests: [web1]")
    # Warnings are wrapped to the width of a terminal.
    words = " ".join(result.stderr.split())
    assert "reading the guests of hv-1: expected bhyve_guests to be a dictionary, found " in words
