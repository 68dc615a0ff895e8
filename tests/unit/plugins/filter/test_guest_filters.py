# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of the fleet: sound and unsound guests, and what two of them cannot share."""

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.apiary.bhyve.plugins.filter import guests
from ansible_collections.apiary.bhyve.plugins.modules import guest_seed

GUEST = {"image": "demo-1", "vcpus": 1, "memory": "2G"}


def fleet(**hosts):
    return guests.fleet_problems({host: {"bhyve_guests": of} for host, of in hosts.items()}, list(hosts))


def test_a_sound_fleet_has_no_problems():
    seed = {"hostname": "web1.example.org", "addresses": ["192.0.2.11/24", "2001:db8::1/64"]}
    assert fleet(hv1={"web1": {**GUEST, "seed": seed, "disk": "40G"}}, hv2={"web2": GUEST}, hv3=None) == []


@pytest.mark.parametrize(("guest", "problem"), [
    ({"vcpus": 1, "memory": "2G"}, "'image' is missing"),
    ({**GUEST, "memmory": 1}, "unknown key 'memmory'; known are "),
    ({**GUEST, "memory": "lots"}, "'memory' must be a size such as 2G, found 'lots'"),
    ({**GUEST, "disk": "-1G"}, "'disk' must be a size such as 2G, found '-1G'"),
    ({**GUEST, "vcpus": 0}, "'vcpus' must be a number from 1, found 0"),
    ({**GUEST, "state": "absent"}, "'state' must be one of running, shutoff, present, found 'absent'; apiary.bhyve.remove"),
    ({**GUEST, "mac": "58:9C:FC:00:00:01"}, "'mac' must be six lower-case hexadecimal pairs"),
    ({**GUEST, "seed": {"addresses": ["192.0.2.300/24"]}}, "seed address '192.0.2.300/24' is no IP address"),
    ({**GUEST, "seed": {"adresses": ["dhcp"]}}, "unknown key 'adresses' in 'seed'; known are addresses, family, "),
    ({**GUEST, "seed": "dhcp"}, "'seed' must be a dictionary, found str"),
    ("demo-1", "expected a dictionary with image, vcpus and memory, found str"),
])
def test_a_bad_guest_is_named_with_its_fault(guest, problem):
    (found,) = fleet(hv1={"web1": guest})
    assert found.startswith("hv1/web1: " + problem)


def test_every_option_of_a_seed_is_known():
    assert guests.SEED_KEYS == set(yaml.safe_load(guest_seed.DOCUMENTATION)["options"]) - {"path", "name", "state", "guests"}


@pytest.mark.parametrize("name", ["", "-web", "web 1", "a/b", "x" * 64, "..", "web\n"])
def test_a_bad_name_is_refused(name):
    (found,) = fleet(hv1={name: GUEST})
    assert "its name must be" in found


def test_what_two_guests_cannot_share():
    one = {**GUEST, "mac": "58:9c:fc:00:00:01", "console": "/dev/nmdm1A", "vnc": {"port": 5901},
           "seed": {"addresses": ["192.0.2.11/24"], "hostname": "web"}}
    two = {**one, "seed": {"addresses": ["192.0.2.11/25"], "hostname": "WEB"}}
    on_two_hosts = fleet(hv1={"a": one}, hv2={"b": two})
    assert on_two_hosts == [
        "hv1/a and hv2/b: mac 58:9c:fc:00:00:01 is taken more than once",
        "hv1/a and hv2/b: address 192.0.2.11 is taken more than once",
        "hv1/a and hv2/b: hostname web is taken more than once",
    ]
    on_one_host = fleet(hv1={"a": one, "b": two})
    assert "hv1/a and hv1/b: console /dev/nmdm1A is taken more than once" in on_one_host
    assert "hv1/a and hv1/b: vnc port 5901 is taken more than once" in on_one_host
    assert fleet(hv1={"a": GUEST}, hv2={"a": GUEST}) == ["hv1/a and hv2/a: name a is taken more than once"]


def test_other_hosts_count_where_they_collide():
    other = {"bhyve_guests": {"web": {**GUEST, "mac": "58:9c:fc:00:00:01"}, "broken": "no guest"}}
    hostvars = {"hv1": {"bhyve_guests": {"a": {**GUEST, "mac": "58:9c:fc:00:00:01"}}}, "hv2": other, "hv3": other, "hv4": {"bhyve_guests": 1}}
    assert guests.fleet_problems(hostvars, ["hv1"], ["hv1", "hv2", "hv4"]) == [
        "hv1/a and hv2/web: mac 58:9c:fc:00:00:01 is taken more than once"
    ]
    assert guests.fleet_problems({**hostvars, "hv1": {}}, ["hv1"], list(hostvars)) == []


@pytest.mark.parametrize(("size", "count"), [("2G", 2 << 30), ("2GiB", 2 << 30), ("512 m", 512 << 20), (4096, 4096)])
def test_sizes_for_templates(size, count):
    assert guests.bytes_of(size) == count


def test_what_is_no_size_is_an_error():
    with pytest.raises(AnsibleFilterError, match="a size such as 2G, found '2 gallons'"):
        guests.bytes_of("2 gallons")
