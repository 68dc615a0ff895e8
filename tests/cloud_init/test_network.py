# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network-config of seeds, in the files that cloud-init's renderers make of it."""

from __future__ import annotations

import pytest
from cases import FAR, NEAR, SEVERAL
from configured import READERS, Configured, apart

MAC = "52:54:00:00:00:01"


# What the files of some do not tell apart: netplan lets systemd-networkd ask a DHCPv6 server if the router says so, as NetworkManager does
# by itself; and systemd-networkd takes advertisements without being told.
SAID = {"netplan": {"ra": "dhcp6"}, "network-manager": {"dhcp6": "ra"}, "networkd": {"ra": ""}}


def wanted(options, renderer):
    """What is asked for; on-link is not."""
    fixed = {address for address in options["addresses"] if address not in ("dhcp", "dhcp6", "ra")}
    ipv6 = "".join(address for address in options["addresses"] if address in ("dhcp6", "ra"))
    return Configured(
        name=options.get("interface", "eth0"), mac=options.get("mac", MAC) or "", mtu=options.get("mtu", 0), dhcp="dhcp" in options["addresses"],
        ipv6=SAID.get(renderer, {}).get(ipv6, ipv6), addresses=fixed, gateways=[options[key] for key in ("gateway", "gateway6") if key in options],
        nameservers=set(options.get("nameservers", [])), search=set(options.get("search", [])))


def configured(cloud_init, renderer, seed):
    return READERS[renderer](cloud_init.ask("render", renderer=renderer, config=seed.document("network-config")))


@pytest.mark.parametrize("renderer", READERS)
@pytest.mark.parametrize("case", NEAR)
def test_what_is_asked_for_comes_out(cloud_init, seed, case, renderer):
    made = seed(**NEAR[case])
    assert made.warnings == []
    found = configured(cloud_init, renderer, made)
    expected = wanted(NEAR[case], renderer)
    if renderer in ("netplan", "networkd"):
        # They would say so of a router outside; for a link-local one it makes no difference.
        assert found.on_link <= {"fe80::1"}
    found.on_link = expected.on_link
    if renderer == "network-manager" and expected.mac:
        # It needs no name there, and cloud-init itself gives the interface its own.
        found.name = expected.name
    if renderer == "eni" and cloud_init.version >= (26, 1):
        # Each family's servers only with its addresses, and there is no stanza for those of the other one.
        families = {":" in address for address in expected.addresses} | ({False} if expected.dhcp else set()) | ({True} if expected.ipv6 else set())
        expected.nameservers = {server for server in expected.nameservers if (":" in server) in families}
    assert sorted(found.gateways) == sorted(expected.gateways)
    found.gateways = expected.gateways
    assert found == expected


@pytest.mark.parametrize("renderer", READERS)
@pytest.mark.parametrize("case", SEVERAL)
def test_several_interfaces_come_out_each_as_asked(cloud_init, seed, case, renderer):
    options = SEVERAL[case]
    made = seed(**options)
    assert made.warnings == []
    files = cloud_init.ask("render", renderer=renderer, config=made.document("network-config"))
    found = [READERS[renderer](each) for each in apart(renderer, files)]
    networks = [{"interface": f"eth{number}", **network} for number, network in enumerate(options["networks"]) if "addresses" in network]
    expected = [wanted(network, renderer) for network in networks]
    for each in (found, expected):
        each.sort(key=lambda one: one.mac)
    if renderer == "network-manager":
        for one in found:
            one.name = next((each.name for each in expected if each.mac == one.mac), "")
    assert set.union(*(one.nameservers for one in found)) == set(options.get("nameservers", []))
    assert set.union(*(one.search for one in found)) == set(options.get("search", []))
    for one, other in zip(found, expected):
        one.gateways.sort()
        other.gateways.sort()
        one.on_link = other.on_link
        one.nameservers, one.search = other.nameservers, other.search
    assert found == expected


@pytest.mark.parametrize("renderer", READERS)
def test_a_configuration_of_ones_own_is_what_cloud_init_gets(cloud_init, seed, renderer):
    nic = {"type": "physical", "name": "lan", "mac_address": MAC, "subnets": [{"type": "static", "address": "192.0.2.11/24"}]}
    config = {"version": 1, "config": [nic]}
    text = seed(network_config=config).document("network-config")
    found = READERS[renderer](cloud_init.ask("render", renderer=renderer, config=text))
    assert (found.mac, found.addresses) == (MAC, {"192.0.2.11/24"})
    as_text = "# mine\n" + text
    assert seed(network_config=as_text).document("network-config") == as_text


@pytest.mark.parametrize("renderer", READERS)
@pytest.mark.parametrize("case", FAR)
def test_a_router_outside_is_on_link_or_told(cloud_init, seed, case, renderer):
    made = seed(**FAR[case])
    expected = wanted(FAR[case], renderer)
    assert len(made.warnings) == len(expected.gateways)
    for gateway, warning in zip(expected.gateways, made.warnings):
        assert f"the gateway {gateway} is in the network of none" in warning
    found = configured(cloud_init, renderer, made)
    assert sorted(found.gateways) == sorted(expected.gateways) and found.addresses == expected.addresses
    # The versions that the warning names.
    since = {"netplan": (23, 1), "networkd": (24, 2), "sysconfig": None}.get(renderer, (0, 0))
    right = since is not None and cloud_init.version >= since
    assert found.on_link == (set(expected.gateways) if right else set())


@pytest.mark.parametrize("renderer", READERS)
def test_name_servers_beside_dhcp_come_out_or_are_told(cloud_init, seed, renderer):
    made = seed(addresses=["dhcp"], nameservers=["192.0.2.53"], search=["a.example"], mtu=1400)
    assert [warning.split(" beside dhcp")[0] for warning in made.warnings] == ["cloud-init ignores `nameservers`, `search`", "`mtu`"]
    found = configured(cloud_init, renderer, made)
    assert found.dhcp
    assert (found.nameservers, found.search) == ((set(), set()) if renderer == "netplan" else ({"192.0.2.53"}, {"a.example"}))
    assert found.mtu == (0 if renderer == "eni" else 1400)


@pytest.mark.parametrize("renderer", READERS)
@pytest.mark.parametrize("word", ["ra", "dhcp6"])
def test_what_ipv6_from_others_lets_nobody_take_is_told(cloud_init, seed, word, renderer):
    made = seed(addresses=[word], nameservers=["2001:db8::53"], mtu=1400)
    assert [warning.split(" beside ")[0] for warning in made.warnings] == ["cloud-init ignores `nameservers`", "`mtu`"]
    found = configured(cloud_init, renderer, made)
    assert found.nameservers == (set() if renderer == "netplan" else {"2001:db8::53"})
    # What ifupdown is told of the mtu here, test_ifupdown.py shows that it does not take.
    assert found.mtu == 1400 or (renderer == "eni" and word == "dhcp6")


def test_a_fixed_address_beside_advertisements_is_refused_for_what_network_scripts_do(cloud_init, seed):
    assert "network-scripts ignore the router's advertisements" in seed(addresses=["ra", "2001:db8::11/64"]).reply["msg"]
    nic = {"type": "physical", "name": "eth0", "mac_address": MAC}
    subnets = [{"type": "ipv6_slaac"}, {"type": "static6", "address": "2001:db8::11/64"}]
    text = seed(network_config={"version": 1, "config": [{**nic, "subnets": subnets}]}).document("network-config")
    files = cloud_init.ask("render", renderer="sysconfig", config=text)
    assert "IPV6_FORCE_ACCEPT_RA=no" in files["/etc/sysconfig/network-scripts/ifcfg-eth0"]


def test_a_router_that_would_be_ignored_is_refused(seed):
    assert "cloud-init ignores `gateway` beside dhcp" in seed(addresses=["dhcp"], gateway="192.0.2.1").reply["msg"]
