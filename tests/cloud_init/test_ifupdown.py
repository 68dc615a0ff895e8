# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's ifupdown brings the interface up with what cloud-init wrote, in a network namespace of its own: the routes are the kernel's."""

from __future__ import annotations

import json
import subprocess

import pytest
from cases import FAR, NEAR, SEVERAL
from patience import patience

# Interfaces named as the seed has them, and no waiting for the addresses of others.
BRING_UP = """
ifup=$1 state=$2 file=$3
shift 3
for name; do
    ip link add "$name" type veth peer name "$name-peer"
    ip link set "$name-peer" mtu 9000 up
    for all in all default "$name"; do
        for knob in disable_ipv6 accept_dad; do echo 0 >"/proc/sys/net/ipv6/conf/$all/$knob"; done
    done
done
"$ifup" --no-scripts --state-dir "$state" -i "$file" "$@" >&2
# Where there is no route, ip says nothing at all.
routes=$(ip -j -4 route show default) routes6=$(ip -j -6 route show default)
printf '[%s,%s,%s]\\n' "$(ip -j address show)" "${routes:-[]}" "${routes6:-[]}"
"""
FROM_OTHERS = {"dhcp", "dhcp6", "ra"}


def fixed(case):
    """Whether all of a case is told to ifupdown as it is brought up here."""
    return all(not FROM_OTHERS & set(network.get("addresses", [])) and "interface" not in network for network in case.get("networks", [case]))


CASES = {name: case for name, case in {**NEAR, **FAR, **SEVERAL}.items() if fixed(case)}


@pytest.mark.parametrize("case", CASES)
def test_addresses_and_default_routes(cloud_init, seed, tools, tmp_path, case):
    options = CASES[case]
    networks = {f"eth{number}": network for number, network in enumerate(options.get("networks", [options]))}
    files = cloud_init.ask("render", renderer="eni", config=seed(**options).document("network-config"))
    interfaces = tmp_path / "interfaces"
    interfaces.write_text(files["/etc/network/interfaces"])
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-euc", "mount -t sysfs none /sys\n" + BRING_UP, "sh", tools / "sbin/ifup", tmp_path, interfaces, *networks],
        capture_output=True, text=True, timeout=patience(120), check=False)
    assert done.returncode == 0, done.stderr
    links, routes, routes6 = json.loads(done.stdout)
    links = {link["ifname"]: link for link in links}
    for name, network in networks.items():
        addresses = {"%s/%d" % (info["local"], info["prefixlen"]) for info in links[name]["addr_info"] if info["scope"] == "global"}
        assert addresses == set(network["addresses"])
        # One with IPv6 alone has an MTU for that.
        if "mtu" in network and any(":" not in address for address in addresses):
            assert links[name]["mtu"] == network["mtu"]
    for key, found in (("gateway", routes), ("gateway6", routes6)):
        assert [(route["dev"], route["gateway"]) for route in found] == [
            (name, network[key]) for name, network in networks.items() if key in network
        ]


@pytest.mark.parametrize("word", ["ra", "dhcp6"])
def test_what_it_would_do_for_ipv6_from_others(cloud_init, seed, tools, tmp_path, word):
    made = seed(addresses=["192.0.2.11/24", word])
    assert made.warnings == []
    said = would_do(cloud_init, made, tools, tmp_path)
    # The router comes by advertisements with both, and addresses with one of them; this machine may have no client for the other.
    assert ("net.ipv6.conf.eth0.accept_ra=2" if word == "ra" else "net.ipv6.conf.eth0.accept_ra=1") in said, said
    assert ("net.ipv6.conf.eth0.autoconf=1" in said) == (word == "ra"), said
    assert ("dhclient -6" in said or "No DHCPv6 client software" in said) == (word == "dhcp6"), said
    # Why there is a warning of an mtu with it alone.
    alone = seed(addresses=[word], mtu=1400)
    assert "`mtu`" in alone.warnings[0]
    assert "1400" not in would_do(cloud_init, alone, tools, tmp_path)


def would_do(cloud_init, made, tools, folder):
    """Commands that ifupdown would run."""
    files = cloud_init.ask("render", renderer="eni", config=made.document("network-config"))
    interfaces = folder / "interfaces"
    interfaces.write_text(files["/etc/network/interfaces"])
    ifup = [tools / "sbin/ifup", "--no-act", "--verbose", "--no-scripts", "--state-dir", folder, "-i", interfaces, "eth0"]
    done = subprocess.run(ifup, capture_output=True, text=True, timeout=patience(120), check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr
