# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found out about a guest before any host is touched. Many of these inputs once failed on the host, minutes later."""

from __future__ import annotations

import datetime
import json
import pathlib
import subprocess

import pytest
import yaml
from ansible_collections.apiary.bhyve.plugins.plugin_utils import _guest, _networks, _schema, _size

GUEST = {"image": "demo-1", "vcpus": 1, "memory": "32M", "bridge": "bridge0"}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample a@example.org"
HASH = "$6$apiaryseed$9DLCeenwjP6K9HyqjGE.kIyUIMR6rN1SAjESC4K7E"
MAC = "52:54:00:00:00:01"


def found(guest, name="web1", template="qemu", search=None):
    return list(_guest.guest_faults(name, {**GUEST, **guest}, template, search))


@pytest.mark.parametrize(("guest", "fault"), [
    ({"memory": 2048}, "'memory' is 2048 bytes; did you mean 2048M?"),
    ({"memory": "2048"}, "'memory' is 2048 bytes; did you mean 2048M?"),
    ({"memory": 4}, "'memory' is 4 bytes; did you mean 4G?"),
    # libvirt counts in KiB.
    ({"memory": 2097152}, "'memory' is 2097152 bytes; did you mean 2097152K?"),
    ({"memory": "512K"}, "'memory' is 512K, with which nothing boots; expected at least 16M, as in 2G"),
    ({"memory": "2048B"}, "'memory' is 2048B, with which nothing boots; expected at least 16M, as in 2G"),
    ({"memory": 0}, "'memory' is 0, with which nothing boots; expected at least 16M, as in 2G"),
    ({"memory": "2GIB"}, "'memory' must be a size such as 2G, found '2GIB'"),
    ({"memory": 2.5}, "'memory' must be a size such as 2G, found 2.5"),
    ({"memory": "2.5G"}, "'memory' must be a size such as 2G, found '2.5G'"),
    ({"memory": True}, "'memory' must be text, found True; put it in quotes"),
    ({"disk": 40}, "'disk' is 40 bytes; did you mean 40G?"),
    ({"disk": "20480"}, "'disk' is 20480 bytes; did you mean 20480M?"),
    ({"disk": 0}, "'disk' must be a size such as 2G, found 0"),
    ({"disk": "20000001"}, "'disk' must be whole sectors of 512 bytes and less than 8192P, found 20000001"),
    ({"disk": "8192P"}, "'disk' must be whole sectors of 512 bytes and less than 8192P, found 8192P"),
    ({"disks": ["data"]}, "'disks' must be a dictionary, found a list"),
    ({"disks": {"data": None}}, "'disks.data' must be a dictionary as in {size: 100G}, found nothing"),
    ({"disks": {"data": "100G"}}, "'disks.data' must be a dictionary as in {size: 100G}, found '100G'"),
    ({"disks": {"data": {}}}, "'disks.data' must have exactly one of size, path and dataset, found none"),
    ({"disks": {"data": {"size": None}}}, "'disks.data' must have exactly one of size, path and dataset, found none"),
    ({"disks": {"data": {"size": "1G", "path": "/v"}}}, "'disks.data' must have exactly one of size, path and dataset, found size and path"),
    ({"disks": {"data": {"sise": "1G"}}}, "unknown key 'sise' in 'disks.data'; did you mean 'size'?"),
    ({"disks": {"data": {"size": 100}}}, "'disks.data.size' is 100 bytes; did you mean 100G?"),
    ({"disks": {"data": {"size": "much"}}}, "'disks.data.size' must be a size such as 2G, found 'much'"),
    ({"disks": {"data": {"size": "1G", "bus": "scsi"}}}, "'disks.data.bus' must be one of virtio, sata, nvme, found 'scsi'"),
    ({"disks": {"data": {"size": "1G", "bus": "nvme"}}}, "'disks.data.bus' is nvme, which template qemu does not have"),
    ({"disks": {"data": {"path": "v/old"}}}, "'disks.data.path' must be the absolute path of a file or device, found 'v/old'"),
    ({"disks": {"data": {"dataset": "/zroot/old"}}}, "'disks.data.dataset' must be the name of a volume as in zroot/old/data, found '/zroot/old'"),
    ({"disks": {"data": {"dataset": "zroot"}}}, "'disks.data.dataset' must be the name of a volume as in zroot/old/data, found 'zroot'"),
    ({"disks": {"data": {"path": "/v/old", "properties": {"copies": 2}}}}, "'disks.data.properties' goes with size: "),
    ({"disks": {1: {"size": "1G"}}}, "'disks' names a disk 1: expected 1 to 32 letters, digits, '_' or '-'; put it in quotes"),
    ({"disks": {"a:b": {"size": "1G"}}}, "'disks' names a disk 'a:b': expected 1 to 32 letters, digits, '_' or '-'"),
    ({"disks": {"d" * 33: {"size": "1G"}}}, "'disks' names a disk '%s': expected 1 to 32 letters" % ("d" * 33)),
    ({"disks": {f"d{n}": {"size": "1G"} for n in range(17)}}, "'disks' has 17 disks, expected at most 16"),
    ({"disks": {"a": {"path": "/dev/zvol/z/old"}, "b": {"dataset": "z/old"}}}, "'disks.a' and 'disks.b' are the same volume /dev/zvol/z/old"),
    ({"disk": "16384P"}, "'disk' must be a size such as 2G, found '16384P'"),
    ({"seed": {"addresses": ["dhcp"]}, "bridge": None}, "'seed.addresses' has no network interface to be on: with template qemu give 'bridge', or 'network: user'"),
    ({"seed": {"addresses": ["dhcp"]}, "bridge": None, "network": "none"}, "'seed.addresses' has no network interface to be on: with template qemu"),
    ({"seed": {"addresses": ["dhcp"]}, "bridge": None, "network": "user", "template": "uefi"}, "'seed.addresses' has no network interface to be on: with template uefi give 'bridge'"),
    ({"seed": {"mac": MAC}}, "'seed.mac' would have no effect without 'seed.addresses'"),
    ({"seed": {"mac": MAC, "addresses": ["dhcp"]}, "mac": "52:54:00:00:00:02"}, "'seed.mac' is 52:54:00:00:00:01, and 'mac' is 52:54:00:00:00:02: "),
    # Some read a leading zero as octal.
    ({"seed": {"addresses": ["192.0.2.011/24"]}}, "seed address '192.0.2.011/24' is no IP address with prefix"),
    ({"seed": {"addresses": ["192.0.2.11/24"], "gateway": "192.0.2.11"}}, "'seed.gateway' is the guest's own address 192.0.2.11"),
    ({"seed": {"addresses": ["192.0.2.11/24", "192.0.2.11/25"]}}, "'seed.addresses' has 192.0.2.11 twice"),
    ({"seed": {"addresses": {"v4": "192.0.2.11/24"}}}, "'seed.addresses' must be a list, found a dictionary"),
    ({"seed": {"addresses": datetime.date(2026, 1, 1)}}, "'seed.addresses' must be a list, found datetime.date(2026, 1, 1)"),
    ({"vcpus": float("inf")}, "'vcpus' must be a whole number, found inf"),
    ({"seed": {"users": ["ada"]}}, "'seed.users[0]' must be a dictionary, found 'ada'"),
    ({"seed": {"users": [{"nam": "ada", "name": "ada"}]}}, "unknown key 'nam' in 'seed.users[0]'; did you mean 'name'?"),
    ({"seed": {"bridge": "b0"}}, "unknown key 'bridge' in 'seed'; did you mean 'bridge' of the guest itself?"),
    ({"seed": {"family": "openbsd"}}, "'seed.family' must be one of freebsd, linux, found 'openbsd'"),
    ({"seed": {"family": "freebsd", "packages": ["doas"]}}, "nuageinit 14.1 does not understand 'seed.packages'; set nuageinit:"),
    ({"seed": {"users": [{"name": "ada", "password_hash": ["secret"]}]}}, "'seed.users[0].password_hash' must be text, found a list"),
    ({"wait_for": {"port": 22}}, "'wait_for.port' has no host, and the guest has no fixed address to take: say 'wait_for.host'"),
    ({"wait_for": {"port": 22}, "seed": {"addresses": ["dhcp"]}}, "'wait_for.port' has no host"),
    ({"wait_for": {"host": "192.0.2.11"}}, "'wait_for' must have at least one of"),
    ({"wait_for": {"host": "192.0.2.11", "console": "login:"}}, "'wait_for.host' has no port: say 'wait_for.port'"),
    ({"wait_for": {}}, "'wait_for' must have at least one of 'console', 'port' and 'agent'"),
    ({"wait_for": {"agent": False}}, "'wait_for' must have at least one of 'console', 'port' and 'agent'"),
    ({"wait_for": {"port": "ssh", "host": "a"}}, "'wait_for.port' must be a whole number, found 'ssh'"),
    ({"wait_for": {"port": 65536, "host": "a"}}, "'wait_for.port' must be 1 to 65535, found 65536"),
    ({"wait_for": {"console": ""}}, "'wait_for.console' must be a text of 1 to 1024 bytes"),
    ({"wait_for": {"consol": "login:"}}, "unknown key 'consol' in 'wait_for'; did you mean 'console'?"),
    ({"wait_for": {"console": "a", "timeout": "2m"}}, "'wait_for.timeout' must be a number, found '2m'"),
    ({"wait_for": {"console": "a", "timeout": -1}}, "'wait_for.timeout' must be seconds from 0, found -1"),
    ({"order": 10}, "'order' says when the guest starts with the host, and it does not: add 'autostart: true'"),
    ({"delay": 30, "autostart": False}, "'delay' says when the guest starts with the host, and it does not: add 'autostart: true'"),
    ({"order": 10000, "autostart": True}, "'order' must be 0 to 9999, found 10000"),
    ({"delay": -1, "autostart": True}, "'delay' must be 0 to 86400, found -1"),
    ({"order": "first", "autostart": True}, "'order' must be a whole number, found 'first'"),
    ({"delay": "30s", "autostart": True}, "'delay' must be a whole number, found '30s'"),
    ({"wait_for": 22}, "'wait_for' must be a dictionary, found 22"),
    ({"wait_for": {"agent": True}}, "'wait_for.agent' cannot be waited for: the guest has no channel for its agent; add 'agent: true'"),
    ({"wait_for": {"agent": True}, "template": "uefi", "agent": True}, "'wait_for.agent' cannot be waited for: template uefi has no channel"),
])
def test_what_would_fail_later_is_found_now(guest, fault):
    said = found(guest)
    assert said and said[0].startswith(fault) and "secret" not in str(said), said


NET = {"bridge": "bridge0"}
ONE, TWO = {**NET, "addresses": ["192.0.2.11/24"]}, {"bridge": "bridge1", "addresses": ["10.0.0.11/24"]}


@pytest.mark.parametrize(("guest", "fault"), [
    ({"networks": [ONE], "bridge": "bridge0", "mac": MAC, "network": "user", "seed": {"addresses": ["dhcp"], "gateway": "192.0.2.1", "mac": MAC}},
     "'bridge', 'mac', 'network', 'seed.addresses', 'seed.gateway', 'seed.mac' beside 'networks' would be of no interface: move that into the entry"),
    ({"networks": [{"addresses": ["dhcp"]}]}, "'networks[0]' is on no network: give it a 'bridge', or 'network: user'"),
    ({"networks": [{}], "template": "uefi"}, "'networks[0]' is on no network: give it a 'bridge'"),
    ({"networks": [{"network": "user"}], "template": "loader"}, "'networks[0]' is on no network: give it a 'bridge'"),
    ({"networks": [{**NET, "network": "user"}]}, "'networks[0].bridge' and 'networks[0].network' are two networks: give one of them"),
    ({"networks": [NET, {"bridge": "a b"}]}, "'networks[1].bridge' must be the name of a bridge as in bridge0, found 'a b'"),
    ({"networks": [{**NET, "brige": "b"}]}, "unknown key 'brige' in 'networks[0]'; did you mean 'bridge'?"),
    ({"networks": [{**NET, "vlan": 7}]}, "unknown key 'vlan' in 'networks[0]'; libvirt's driver for bhyve has no VLANs: make one bridge for each"),
    ({"networks": [{**NET, "nameservers": ["::1"]}]}, "unknown key 'nameservers' in 'networks[0]'; name servers are the guest's: give 'seed.nameservers'"),
    ({"seed": {"networks": [ONE]}}, "unknown key 'networks' in 'seed'; did you mean 'networks' of the guest itself?"),
    ({"networks": {"a": NET}}, "'networks' must be a list, found a dictionary"),
    ({"networks": ["bridge0"]}, "'networks[0]' must be a dictionary, found 'bridge0'"),
    ({"networks": [{**NET, "mtu": "big"}]}, "'networks[0].mtu' must be a whole number, found 'big'"),
    ({"networks": [{**NET, "mac": "01:00:5e:00:00:01"}]}, "'networks[0].mac' must be the MAC address of one interface"),
    ({"networks": [{**NET, "interface": "0a"}]}, "'networks[0].interface' must be at most 15 letters"),
    ({"networks": [ONE, {**TWO, "addresses": ["10.0.0.11"]}]}, "networks[1] address '10.0.0.11' has no prefix length: write 10.0.0.11/24"),
    ({"networks": [{**ONE, "gateway": "10.0.0.1"}, {**TWO, "gateway": "10.0.0.1"}]}, "'networks[0].gateway' and 'networks[1].gateway' are default routes for IPv4"),
    ({"networks": [ONE, {**ONE, "addresses": ["192.0.2.11/25"]}]}, "'networks[0].addresses' and 'networks[1].addresses' both say 192.0.2.11"),
    ({"networks": [{**NET, "mac": MAC}, {**NET, "mac": MAC.upper()}]}, "'networks[0].mac' and 'networks[1].mac' both say 52:54:00:00:00:01"),
    ({"networks": [{**ONE, "interface": "eth1"}, TWO], "seed": {"family": "linux"}}, "'networks[0].interface' and 'networks[1].interface' both say eth1"),
    ({"networks": [NET, TWO], "seed": None}, "'networks[1].addresses' reach the guest by its seed, and it has none: add 'seed: {}'"),
    ({"networks": [ONE], "seed": {"network_config": {"version": 2}}}, "'seed.network_config' stands in place of 'networks[0].addresses': give one or the other"),
    ({"networks": [NET], "seed": {"nameservers": ["::1"]}}, "'seed.nameservers' would have no effect without addresses in 'networks': add addresses"),
    ({"networks": [ONE], "seed": {"nameservers": ["ns1"]}}, "'seed.nameservers' must be IP addresses, found 'ns1'"),
    ({"networks": [{**NET, "gateway": "192.0.2.1"}]}, "'networks[0].gateway' would have no effect without 'networks[0].addresses': add addresses, or dhcp"),
    ({"networks": [{**NET, "mtu": 9000}], "template": "uefi"}, "'networks[0].mtu' would have no effect without 'networks[0].addresses'"),
    ({"networks": [ONE, {**NET, "addresses": ["ra"]}], "seed": {"family": "freebsd"}}, "nuageinit knows no ra, found it in 'networks[1].addresses'"),
    ({"networks": [{**ONE, "mtu": 9000}], "seed": {"family": "freebsd"}}, "nuageinit 14.1 does not understand 'networks[0].mtu'; set nuageinit"),
    ({"networks": [NET], "wait_for": {"port": 22}}, "'wait_for.port' has no host, and the guest has no fixed address to take"),
    ({"seed": {"addresses": ["ra", "2001:db8::1/64"]}}, "'seed.addresses' has a fixed IPv6 address beside ra: give one of them"),
    ({"seed": {"network_config": "version: 2\n a: ["}}, "'seed.network_config' is no YAML document: "),
])
def test_networks_that_would_fail_later_are_found_now(guest, fault):
    short = {} if {"bridge"} & set(guest) or "networks" not in guest else {"bridge": None}
    said = found({"seed": {}, **short, **guest})
    assert said and said[0].startswith(fault), said


@pytest.mark.parametrize("guest", [
    {"networks": [{**ONE, "gateway": "192.0.2.1"}, TWO], "seed": {"nameservers": ["192.0.2.53"]}, "wait_for": {"port": 22}},
    {"networks": [{"network": "user", "addresses": ["dhcp", "ra"]}, {**NET, "mtu": 9000}], "seed": {}},
    {"networks": [NET, {"bridge": "bridge1", "mac": MAC}], "template": "uefi"},
    {"networks": [NET], "seed": {"network_config": {"version": 2}}},
    {"networks": [{"addresses": ["dhcp"], "network": "user"}], "seed": {}, "template": "/etc/site/own.xml.j2"},
    {"networks": [], "bridge": "bridge0", "seed": {"addresses": ["dhcp"]}},
])
def test_networks_that_are_right_are_let_through(guest):
    assert found({"bridge": None, **guest}) == []


def test_the_host_to_wait_for_is_the_first_fixed_address_of_any_network():
    guest = {"networks": [{**NET, "addresses": ["dhcp"]}, TWO, ONE], "seed": {}, "wait_for": {"port": 22}}
    assert _guest.definition(guest)["wait_for"]["host"] == "10.0.0.11"


def test_both_forms_are_the_same_interfaces():
    short = {"bridge": "bridge0", "mac": MAC}
    assert _networks.interfaces(short) == _networks.interfaces({"networks": [short]}) == [{"type": "bridge", **short}]
    assert _networks.interfaces({"network": "user"}) == _networks.interfaces({"networks": [{"network": "user"}]}) == [{"type": "user"}]
    assert _networks.interfaces({"network": "user", "bridge": "bridge0"}) == [{"type": "bridge", "bridge": "bridge0"}]
    assert _networks.interfaces({"mac": MAC, "network": "none"}) == [] == _networks.interfaces({})
    several = _networks.interfaces({"networks": [{**ONE, "mtu": 9000}, {"network": "user", "mac": None}]})
    assert several == [{"type": "bridge", "bridge": "bridge0", "mtu": 9000}, {"type": "user"}]


@pytest.mark.parametrize("guest", [
    {"seed": {}}, {"seed": None, "wait_for": None, "vars": None}, {"vnc": {}}, {"mac": "58:9C:FC:20:00:01"},
    {"memory": 2 << 30}, {"memory": "2GiB"}, {"memory": "16m"}, {"vcpus": "2"}, {"autostart": "yes"}, {"autostart": "yes", "order": "0", "delay": 86400}, {"order": None}, {"image": 14.2},
    {"seed": {"addresses": "192.0.2.11/24"}}, {"seed": {"addresses": "dhcp,2001:db8::1/64", "gateway6": "fe80::1"}},
    {"seed": {"addresses": ["192.0.2.11/24"]}, "bridge": None, "network": "user"},
    {"seed": {"addresses": ["dhcp"]}, "bridge": None, "template": "/etc/site/own.xml.j2"},
    {"seed": {"mac": MAC.upper(), "addresses": ["dhcp"]}, "mac": MAC},
    {"wait_for": {"port": 22}, "seed": {"addresses": ["dhcp", "192.0.2.11/24"]}},
    {"wait_for": {"agent": True, "console": "login:", "port": "22", "host": "web1", "timeout": "90.5"}, "agent": "yes"},
])
def test_what_is_right_is_let_through(guest):
    assert found(guest) == []


@pytest.mark.parametrize(("name", "fault"), [
    (101, "its name is a number: put it in quotes"), (True, "its name is True: put it in quotes"), ("a b", "its name must be 1 to 63"),
    ("all", "its name stands for every guest"),
])
def test_names(name, fault):
    assert [said.startswith(fault) for said in found({}, name)] == [True]
    assert found({}, "101") == [] and found({}, "web_2") == []


@pytest.mark.parametrize("name", ["web_2", "web-", "a..b", "web2."])
def test_a_name_that_is_no_host_name_needs_one(name):
    assert found({"seed": {}}, name) == ["'%s' cannot be its host name; set seed.hostname" % name]
    assert found({"seed": {"hostname": "web2"}}, name) == []


def test_the_seed_gives_the_domain_its_address_and_the_host_to_wait_for():
    wait = {"port": 22, "timeout": 9}
    seed = {"mac": MAC, "addresses": ["dhcp", "2001:db8::11/64", "192.0.2.11/24"]}
    normal = _guest.definition({**GUEST, "disk": None, "seed": seed, "wait_for": wait})
    assert normal == {**GUEST, "seed": seed, "mac": MAC, "wait_for": {**wait, "host": "2001:db8::11"}}
    assert wait == {"port": 22, "timeout": 9}
    told = {"mac": "52:54:00:00:00:02", "wait_for": {"port": 22, "host": "web1"}, "seed": {"addresses": "192.0.2.11/24"}}
    assert _guest.definition(told) == told
    assert _guest.definition("demo-1") == "demo-1" and _guest.definition({"seed": "dhcp"}) == {"seed": "dhcp"}


def test_a_template_of_ones_own_that_gives_no_disks(tmp_path):
    """Only what it says itself can be looked at: one that includes another may read them there."""
    (tmp_path / "own.xml.j2").write_text("<domain>{{ guest.name }}</domain>")
    (tmp_path / "good.xml.j2").write_text("{% for disk in guest_disks %}{{ disk.device }}{% endfor %}")
    disks = {**GUEST, "disks": {"data": {"size": "1G"}}}
    for name, unread in (("own", ["disks"]), ("good", [])):
        path = str(tmp_path / name) + ".xml.j2"
        assert _guest.unread_keys({**disks, "template": path}, "qemu", [str(tmp_path)]) == (path, unread)
    assert _guest.unread_keys({**GUEST, "template": str(tmp_path / "own.xml.j2")}, "qemu", [str(tmp_path)])[1] == []
    for name in ("uefi", "loader", "qemu"):
        assert _guest.unread_keys(disks, name)[1] in ([], ["bridge"]) and "disks" in _guest.role_templates()[name]


def test_what_a_template_does_not_read():
    guest = {**GUEST, "network": "user", "nvram": True, "loader": None, "vars": {}}
    assert _guest.unread_keys(guest, "uefi") == ("uefi", ["network"])
    assert _guest.unread_keys({**guest, "template": "qemu"}, "uefi") == ("qemu", ["nvram"])
    assert _guest.unread_keys(guest, "own")[1] == [] and _guest.unread_keys("demo-1", "uefi")[1] == []


def test_templates_are_looked_for_where_the_role_looks(tmp_path):
    own = tmp_path / "templates/domains/own.xml.j2"
    own.parent.mkdir(parents=True)
    own.write_text("<domain/>")
    for name in ("own", str(own), "domains/own.xml.j2", "uefi"):
        assert found({"template": name}, search=[str(tmp_path)]) == []
    for name in ("owm", str(own) + "x", "site/own.xml.j2"):
        (said,) = found({"template": name}, search=[str(tmp_path)])
        assert said.startswith("no template '%s'; known are loader, qemu, uefi, and templates/domains/" % name)
    assert len(found({}, template="owm", search=[str(tmp_path)])) == 1


SIZES = [
    "0", "1000", "20G", "20g", "2GB", "2Gb", "2gib", "2GiB", "2 GiB", "2GIB", "2i", "2iB", "2B", "512 m", "1P", "1E", "G", "", " 4K ", "4\tK", "4\u00a0K",
    "-1", "+1", "2.5G", "1e9", "0x10", "2_000", "\u0663G", "4\u212a", "16383P", "16384P", "18446744073709551615", "18446744073709551616", "2G iB", "2BB",
]


def refusal(apiary, module, options):
    """What the program itself says of options, before it does anything."""
    words = json.dumps({"_ansible_check_mode": True, **options})
    done = subprocess.run([apiary.with_name(module), "-"], input=words, check=False, capture_output=True, text=True)
    reply = json.loads(done.stdout)
    return reply["msg"] if reply.get("failed") else ""


def test_sizes_are_those_of_the_programs(apiary):
    def takes(size):
        said = refusal(apiary, "zfs_receive", {"state": "present", "src": "/nonexistent/image", "path": "/nonexistent/volume", "volsize": size})
        return "invalid size" not in said and "is beyond 2^64" not in said

    assert {size: _size.size_in_bytes(size) is not None for size in SIZES} == {size: takes(size) for size in SIZES}


SEEDS = [
    {}, {"hostname": "web-1.example.org"}, {"hostname": "web_1"}, {"hostname": "a" * 64}, {"hostname": "-a"}, {"hostname": "a,b"}, {"hostname": "101"},
    {"addresses": ["192.0.2.11/24"], "gateway": "192.0.2.1"}, {"addresses": ["192.0.2.11"]}, {"addresses": ["192.0.2.0/24"]},
    {"addresses": ["192.0.2.255/24"]}, {"addresses": ["192.0.2.254/31"]}, {"addresses": ["192.0.2.11/33"]}, {"addresses": ["192.0.2.11/255.255.255.0"]},
    {"addresses": ["2001:db8::/64"]}, {"addresses": ["2001:db8::1/64"]}, {"addresses": ["fe80::1%eth0/64"]}, {"addresses": ["0.0.0.0/0"]}, {"addresses": ["224.0.0.1/4"]},
    {"addresses": ["DHCP"]}, {"addresses": ["dhcp", "dhcp4"]}, {"addresses": [" 192.0.2.11/24"]},
    {"addresses": ["192.0.2.11/24"], "gateway": "2001:db8::1"}, {"addresses": ["192.0.2.11/24"], "gateway6": "192.0.2.1"},
    {"addresses": ["192.0.2.11/24"], "gateway6": "2001:db8::1"}, {"addresses": ["dhcp"], "gateway6": "fe80::1"},
    {"gateway": "192.0.2.1"}, {"nameservers": ["192.0.2.53"]}, {"mtu": 1400},
    {"addresses": ["ra"]}, {"addresses": ["dhcp6", "dhcp"]}, {"addresses": ["ra", "dhcp6"]}, {"addresses": ["ra", "ra"]}, {"addresses": ["RA"]},
    {"addresses": ["ra", "192.0.2.11/24"]}, {"addresses": ["ra", "2001:db8::1/64"]}, {"addresses": ["dhcp6"], "mtu": 1279},
    {"network_config": {"version": 2}}, {"network_config": {"version": "2"}}, {"network_config": {"version": True}}, {"network_config": {}},
    {"network_config": "version: 1\nconfig: []\n"}, {"network_config": "version: 1\n a: ["}, {"network_config": ["a"]}, {"network_config": "a"},
    {"network_config": {"network": {"version": 2}}}, {"network_config": {"version": 2}, "addresses": ["dhcp"]}, {"network_config": {"version": 3}},
    {"network_config": {"version": 2}, "nameservers": ["192.0.2.53"]},
    {"addresses": ["192.0.2.11/24"], "nameservers": ["ns1"]}, {"addresses": ["192.0.2.11/24"], "search": ["example.org", "a_b"]},
    {"addresses": ["192.0.2.11/24"], "mtu": 575}, {"addresses": ["192.0.2.11/24"], "mtu": 576}, {"addresses": ["2001:db8::1/64"], "mtu": 1279},
    {"addresses": ["dhcp"], "mac": "01:00:5e:00:00:01"}, {"addresses": ["dhcp"], "mac": "52-54-00-00-00-01"}, {"addresses": ["dhcp"], "mac": MAC.upper()},
    {"addresses": ["dhcp"], "interface": "eth0"}, {"addresses": ["dhcp"], "interface": "0eth"}, {"addresses": ["dhcp"], "interface": "a" * 16},
    {"ssh_keys": [KEY]}, {"ssh_keys": ['from="192.0.2.0/24" ' + KEY]}, {"ssh_keys": ["AAAA"]}, {"ssh_keys": ["-----BEGIN OPENSSH PRIVATE KEY-----"]},
    {"ssh_keys": [KEY + "\n"]}, {"ssh_keys": ["ssh-ed25519  AAAA"]}, {"ssh_keys": [""]},
    {"ssh_keys": ["ssh-ed25519 AAAA..."]}, {"ssh_keys": ["ssh-ed25519 AAAA... me"]}, {"ssh_keys": ["ssh-ed25519 AAAA\u2026"]},
    {"users": [{"name": "ada", "ssh_keys": [KEY], "groups": ["wheel"], "shell": "/bin/sh", "sudo": ["ALL=(ALL) ALL"]}]}, {"users": []},
    {"users": [{"name": "Ada"}]}, {"users": [{"name": "ada", "groups": ["a b"]}]}, {"users": [{"name": "ada", "shell": "sh"}]},
    {"users": [{"name": "ada", "shell": "/bin/../sh"}]}, {"users": [{"name": "ada", "sudo": ["a\nb"]}]}, {"users": [{"name": "ada", "password_hash": HASH}]},
    {"users": [{"name": "ada", "password_hash": "secret"}]}, {"packages": ["doas", "py311-foo"]}, {"packages": ["-y"]}, {"packages": ["a b"]},
    {"run_commands": ["echo a, b\necho c"]}, {"run_commands": [" "]}, {"run_commands": ["a\0"]},
    {"write_files": [{"path": "/etc/motd", "content": "", "owner": "www:www", "permissions": "0644"}]},
    {"write_files": [{"path": "/etc/", "content": ""}]}, {"write_files": [{"path": "etc", "content": ""}]},
    {"write_files": [{"path": "/etc/motd", "content": "", "owner": "www:"}]}, {"write_files": [{"path": "/etc/motd", "content": "", "permissions": "420"}]},
    {"timezone": "Europe/Berlin"}, {"timezone": "/etc"}, {"user_data": "#cloud-config\nusers: []\n"}, {"user_data": "#cloud-config \nusers: []\n"},
    {"user_data": "#cloud-config"}, {"user_data": "#cloud-config\nusers: []\n", "ssh_keys": [KEY]}, {"user_data": "#cloud-config\na: 1\n", "users": []},
]


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_seeds_are_judged_as_the_program_judges_them(apiary, tmp_path, seed):
    said = refusal(apiary, "guest_seed", {"path": str(tmp_path / "web1.seed"), "name": "web1", "family": "linux", **seed})
    assert bool(said) == bool(found({"seed": seed})), said or found({"seed": seed})


NETWORKS = [
    [{}], [{"addresses": ["192.0.2.11/24"], "gateway": "192.0.2.1"}, {"addresses": ["10.0.0.11/24"], "mtu": 9000}], [{}, {"addresses": ["dhcp", "ra"]}],
    [{"addresses": ["192.0.2.11/24"], "gateway": "192.0.2.1"}, {"addresses": ["10.0.0.11/24"], "gateway": "10.0.0.1"}], [{"gateway": "192.0.2.1"}],
    [{"addresses": ["2001:db8::1/64"], "gateway6": "fe80::1"}, {"addresses": ["2001:db8:1::1/64"], "gateway6": "fe80::2"}],
    [{"addresses": ["192.0.2.11/24"]}, {"addresses": ["192.0.2.11/32"]}], [{"mac": MAC}, {"mac": MAC}], [{"mac": MAC}, {"mac": "52:54:00:00:00:02"}],
    [{"addresses": ["dhcp"], "interface": "a", "mac": MAC}, {"addresses": ["192.0.2.11/24"], "interface": "a"}], [{"interface": "0"}],
    [{"addresses": ["dhcp"], "interface": "eth1", "mac": MAC}, {"addresses": ["192.0.2.11/24"]}], [{"addresses": ["192.0.2.11"]}],
    [{"addresses": ["192.0.2.11/24"], "gateway": "192.0.2.11"}], [{"addresses": ["ra"], "mtu": 1279}], [{"addresses": ["192.0.2.11/24"], "mtu": 1}],
]


@pytest.mark.parametrize("family", ["linux", "freebsd"])
@pytest.mark.parametrize("networks", NETWORKS, ids=str)
def test_networks_are_judged_as_the_program_judges_them(apiary, tmp_path, networks, family):
    options = {"path": str(tmp_path / "web1.seed"), "name": "web1", "family": family, "nuageinit": "15.0"}
    said = refusal(apiary, "guest_seed", {**options, "networks": networks})
    of_guest = {"bridge": None, "networks": [{**NET, **network} for network in networks], "seed": {"family": family, "nuageinit": "15.0"}}
    assert bool(said) == bool(found(of_guest)), said or found(of_guest)


WAITS = [
    {}, {"port": 22}, {"host": "::1"}, {"host": "::1", "port": 22}, {"host": "::1", "port": 0}, {"host": "::1", "port": 65536}, {"console": ""},
    {"console": "a" * 1024}, {"console": "a" * 1025}, {"console": "a", "timeout": 0}, {"console": "a", "timeout": -1}, {"console": "a", "timeout": 1e9},
    {"host": "::1", "console": "a"}, {"agent": False},
]


@pytest.mark.parametrize("wait", WAITS, ids=lambda wait: str(wait)[:40])
def test_waits_are_judged_as_the_program_judges_them(apiary, wait):
    said = refusal(apiary, "libvirt_domain", {"name": "web1", "uri": "none:///", "wait_for": wait})
    assert (("wait_for" in said or "invalid" in said) and "libvirt" not in said) == bool(found({"wait_for": wait})), said


@pytest.mark.parametrize("turn", [
    {"order": 0}, {"order": 0, "autostart": False}, {"order": 0, "autostart": True}, {"order": 9999, "delay": 86400, "autostart": True},
    {"order": 10000, "autostart": True}, {"delay": 86401, "autostart": True}, {"delay": 0}, {"delay": -1, "autostart": True},
], ids=str)
def test_turns_are_judged_as_the_program_judges_them(apiary, turn):
    said = refusal(apiary, "libvirt_domain", {"name": "web1", "uri": "none:///", **turn})
    assert ("`order`" in said or "`delay`" in said or "invalid" in said) == bool(found(turn)), said


def test_the_schema_is_the_roles_documentation():
    spec = _schema.guest_spec()
    assert set(spec["seed"]["options"]) > {"hostname", "users"} and set(spec["wait_for"]["options"]) == {"console", "host", "port", "agent", "timeout"}
    readme = (pathlib.Path(_schema.ROLE) / "README.md").read_text()
    example = yaml.safe_load(readme.split("```yaml\n", 1)[1].split("```", 1)[0])["bhyve_guests"]["web1"]
    assert set(example) <= set(spec)
    read = set().union(*_guest.role_templates().values())
    assert read <= set(spec) | {"name"}, "a template reads what no guest may say"
