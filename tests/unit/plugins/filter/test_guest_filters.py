# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of the fleet: sound and unsound guests, and what two of them cannot share."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError, AnsibleFilterError
from ansible_collections.apiary.bhyve.plugins.filter import guests

GUEST = {"image": "demo-1", "vcpus": 1, "memory": "2G"}


def fleet(**hosts):
    return guests.fleet_problems({host: {"bhyve_guests": of} for host, of in hosts.items()}, list(hosts))


def test_what_interfaces_of_two_guests_claim():
    one = {"networks": [{"bridge": "b0", "mac": "52:54:00:00:00:01"}, {"bridge": "b1", "addresses": ["192.0.2.11/24"]}], "seed": {}}
    other = {"networks": [{"bridge": "b0", "addresses": ["192.0.2.11/25"]}, {"bridge": "b1", "mac": "52:54:00:00:00:01"}], "seed": {}}
    taken = fleet(hv1={"web1": {**GUEST, **one}}, hv2={"web2": {**GUEST, **other}})
    assert sorted(taken) == [
        "hv1/web1 and hv2/web2: address 192.0.2.11 is taken more than once", "hv1/web1 and hv2/web2: mac 52:54:00:00:00:01 is taken more than once",
    ]
    (taken,) = fleet(hv1={"web1": {**GUEST, **one}, "web3": {**GUEST, "bridge": "b0", "seed": {"addresses": ["192.0.2.11/24"]}}})
    assert taken == "hv1/web1 and hv1/web3: address 192.0.2.11 is taken more than once"


def test_a_sound_fleet_has_no_problems():
    seed = {"hostname": "web1.example.org", "addresses": ["192.0.2.11/24", "2001:db8::1/64"]}
    assert fleet(hv1={"web1": {**GUEST, "seed": seed, "disk": "40G"}}, hv2={"web2": GUEST}, hv3=None) == []


@pytest.mark.parametrize(("guest", "problem"), [
    ({"vcpus": 1, "memory": "2G"}, "'image' is missing"),
    ({**GUEST, "memmory": 1}, "unknown key 'memmory'; did you mean 'memory'?"),
    ({**GUEST, "quota": 1}, "unknown key 'quota'; known are accelerator, agent, "),
    ({**GUEST, "mem": "2G"}, "unknown key 'mem'; did you mean 'memory'?"),
    ({**GUEST, "hostname": "a"}, "unknown key 'hostname'; did you mean 'seed.hostname'?"),
    ({**GUEST, "image": None}, "'image' is missing"),
    ({**GUEST, "image": ["demo-1"]}, "'image' must be text, found a list"),
    ({**GUEST, "image": "a/b"}, "'image' must be 1 to 128 letters, digits, '.', '_' or '-'"),
    ({**GUEST, "vcpus": "two"}, "'vcpus' must be a whole number, found 'two'"),
    ({**GUEST, "vcpus": True}, "'vcpus' must be a whole number, found True"),
    ({**GUEST, "autostart": "perhaps"}, "'autostart' must be true or false, found 'perhaps'"),
    ({**GUEST, "restart": "always"}, "'restart' must be one of never, if_changed, found 'always'"),
    ({**GUEST, "disk_bus": "ide"}, "'disk_bus' must be one of virtio, sata, nvme, found 'ide'"),
    ({**GUEST, "vnc": True}, "'vnc' must be a dictionary, found True"),
    ({**GUEST, "vnc": {"prot": 5901}}, "unknown key 'prot' in 'vnc'; did you mean 'port'?"),
    ({**GUEST, "vnc": {"port": 70000}}, "'vnc.port' must be 1 to 65535, found 70000"),
    ({**GUEST, "vnc": {"password": "123456789"}}, "'vnc.password' has more than eight characters"),
    ({**GUEST, "vars": ["a"]}, "'vars' must be a dictionary, found a list"),
    ({**GUEST, "memory": "lots"}, "'memory' must be a size such as 2G, found 'lots'"),
    ({**GUEST, "disk": "-1G"}, "'disk' must be a size such as 2G, found '-1G'"),
    ({**GUEST, "bridge": ""}, "'bridge' must be the name of a bridge as in bridge0, found ''"),
    ({**GUEST, "vcpus": 0}, "'vcpus' must be a number from 1, found 0"),
    ({**GUEST, "state": "absent"}, "'state' must be one of running, shutoff, present, found 'absent'; apiary.bhyve.remove"),
    ({**GUEST, "mac": "58:9C:FC:00:00"}, "'mac' must be the MAC address of one interface, as in 58:9c:fc:00:00:01, found '58:9C:FC:00:00'"),
    ({**GUEST, "mac": "01:00:5e:00:00:01"}, "'mac' must be the MAC address of one interface"),
    # What YAML makes of 52:54:00:00:00:01 without quotes.
    ({**GUEST, "mac": 41134608001}, "'mac' must be the MAC address of one interface, as in 58:9c:fc:00:00:01, found 41134608001; put it in quotes"),
    ({**GUEST, "seed": {"addresses": ["192.0.2.300/24"]}}, "seed address '192.0.2.300/24' is no IP address"),
    ({**GUEST, "seed": {"adresses": ["dhcp"]}}, "unknown key 'adresses' in 'seed'; did you mean 'addresses'?"),
    ({**GUEST, "seed": "dhcp"}, "'seed' must be a dictionary, found 'dhcp'"),
    ("demo-1", "expected a dictionary with image, vcpus and memory, found 'demo-1'"),
])
def test_a_bad_guest_is_named_with_its_fault(guest, problem):
    (found,) = fleet(hv1={"web1": guest})
    assert found.startswith("hv1/web1: " + problem)


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


def test_two_guests_of_a_host_cannot_have_one_volume():
    guest = {"image": "demo", "vcpus": 1, "memory": "2G"}
    old = {**guest, "disks": {"d": {"dataset": "zroot/old"}}}
    same = {**guest, "disks": {"e": {"path": "/dev/zvol/zroot//old"}}}
    root = {**guest, "disks": {"r": {"path": "/dev/zvol/tank/g/a1"}}}
    data = {**guest, "disks": {"data": {"size": "1G"}}}
    its = {**guest, "disks": {"i": {"dataset": "zroot/guests/a1:data"}}}
    told = "hv1/a1 and hv1/a2: volume %s is taken more than once"
    for one, other, volume, more in (
        (old, same, "/dev/zvol/zroot/old", {}), (guest, root, "/dev/zvol/tank/g/a1", {"guest_dataset": "tank/g"}), (data, its, "/dev/zvol/zroot/guests/a1:data", {}),
    ):
        hosts = {"hv1": {"bhyve_guests": {"a1": one, "a2": other}, **more}}
        assert guests.fleet_problems(hosts, ["hv1"], template="uefi") == [told % volume]
    # Another host has volumes of its own.
    assert guests.fleet_problems({"hv1": {"bhyve_guests": {"a1": old}}, "hv2": {"bhyve_guests": {"a2": old}}}, ["hv1", "hv2"], template="uefi") == []


def test_other_hosts_count_where_they_collide():
    other = {"bhyve_guests": {"web": {**GUEST, "mac": "58:9c:fc:00:00:01"}, "broken": "no guest"}}
    hostvars = {"hv1": {"bhyve_guests": {"a": {**GUEST, "mac": "58:9c:fc:00:00:01"}}}, "hv2": other, "hv3": other, "hv4": {"bhyve_guests": 1}}
    assert guests.fleet_problems(hostvars, ["hv1"], ["hv1", "hv2", "hv4"]) == [
        "hv1/a and hv2/web: mac 58:9c:fc:00:00:01 is taken more than once"
    ]
    assert guests.fleet_problems({**hostvars, "hv1": {}}, ["hv1"], list(hostvars)) == []


def test_conflicts_are_told_once_and_in_whatever_form():
    def seed(**words):
        return {**GUEST, "bridge": "bridge0", "seed": words}

    assert fleet(hv1={"HV1": GUEST}) == ["hv1/HV1: its name is that of its hypervisor"]
    assert fleet(hv1={"Web": GUEST, "web": GUEST}) == ["hv1/Web and hv1/web: name web is taken more than once"]
    assert fleet(hv1={"a": seed()}, hv2={"a": seed()}) == ["hv1/a and hv2/a: name a is taken more than once"]
    assert fleet(hv1={"a": seed(hostname="b"), "b": seed()}) == ["hv1/a and hv1/b: hostname b is taken more than once"]
    mac = "52:54:00:00:00:01"
    assert fleet(hv1={"a": seed(addresses="dhcp", mac=mac), "b": {**GUEST, "mac": mac.upper()}}) == [
        "hv1/a and hv1/b: mac 52:54:00:00:00:01 is taken more than once"
    ]
    spelt = [seed(addresses=[address]) for address in ("2001:db8::1/64", "2001:DB8:0::1/64")]
    assert fleet(hv1={"a": spelt[0]}, hv2={"b": spelt[1]}) == ["hv1/a and hv2/b: address 2001:db8::1 is taken more than once"]
    assert fleet(hv1={"a": seed(addresses=["192.0.2.1/24", "192.0.2.1/25"])}) == ["hv1/a: 'seed.addresses' has 192.0.2.1 twice"]


class Broken(dict):
    """Variables, or a guest, of which one cannot be resolved."""

    def __getitem__(self, key):
        value = super().__getitem__(key)
        if isinstance(value, Exception):
            raise value
        return value

    def get(self, key, default=None):
        return self[key] if key in self else default

    def items(self):
        return [(key, self[key]) for key in self]


def test_what_cannot_be_resolved_stops_its_own_guest_only():
    clash = {"web": {**GUEST, "mac": "58:9c:fc:00:00:01"}}
    broken = Broken(web=GUEST | {"seed": Broken(addresses=AnsibleError("'net' is undefined"))}, **{"Web1": GUEST})
    hostvars = {"hv1": {"bhyve_guests": {"a": clash["web"]}}, "hv2": {"bhyve_guests": broken}}
    assert guests.fleet_problems(hostvars, ["hv1"], ["hv2"]) == []
    assert guests.fleet_problems(hostvars, ["hv2"], ["hv1"]) == ["hv2/web: reading its description: 'net' is undefined"]
    # What comes after it still counts.
    hostvars["hv1"]["bhyve_guests"]["web1"] = GUEST
    assert guests.fleet_problems(hostvars, ["hv1"], ["hv2"]) == ["hv1/web1 and hv2/Web1: name web1 is taken more than once"]
    hostvars["hv2"] = Broken(bhyve_guests=AnsibleError("no such file"))
    assert guests.fleet_problems(hostvars, ["hv1"], ["hv2"]) == []
    assert guests.fleet_problems(hostvars, ["hv2"]) == ["hv2: reading bhyve_guests: no such file"]


def test_faults_by_guest():
    hostvars = {
        "hv1": {"bhyve_guests": {"a": {**GUEST, "mac": "58:9c:fc:00:00:01"}, "b": {**GUEST, "memory": 2048}, "sound": GUEST}},
        "hv2": {"bhyve_guests": {"c": {**GUEST, "mac": "58:9c:fc:00:00:01", "memory": 1}}},
        "hv3": {"bhyve_guests": ["a"]},
        "hv4": {},
    }
    assert guests.fleet_faults(hostvars, ["hv1", "hv3", "hv4"], list(hostvars)) == {
        "hv1": {"a": ["mac 58:9c:fc:00:00:01 is taken by hv2/c, too"], "b": ["'memory' is 2048 bytes; did you mean 2048M?"]},
        "hv3": {"": ["bhyve_guests must be a dictionary of guests, found a list"]},
        "hv4": {},
    }


def test_each_host_has_its_template():
    guest = {**GUEST, "network": "user", "seed": {"addresses": ["dhcp"]}}
    hostvars = {"hv1": {"bhyve_guests": {"a": guest}, "guest_template": "qemu"}, "hv2": {"bhyve_guests": {"b": guest}}}
    assert guests.fleet_problems(hostvars, list(hostvars), template="uefi") == [
        "hv2/b: 'seed.addresses' has no network interface to be on: with template uefi give 'bridge'"
    ]


def test_the_role_works_with_the_normal_form():
    given = {"a": {**GUEST, "seed": None}, "b": "demo-1"}
    assert guests.guest_definitions(given) == {"a": GUEST, "b": "demo-1"}
    assert guests.guest_definitions([]) == []


@pytest.mark.parametrize(("size", "count"), [("2G", 2 << 30), ("2GiB", 2 << 30), ("512 m", 512 << 20), (4096, 4096)])
def test_sizes_for_templates(size, count):
    assert guests.bytes_of(size) == count


def test_what_is_no_size_is_an_error():
    with pytest.raises(AnsibleFilterError, match="a size such as 2G, found '2 gallons'"):
        guests.bytes_of("2 gallons")
