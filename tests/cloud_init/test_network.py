# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network-config of seeds, in the files that cloud-init's renderers make of it."""

from __future__ import annotations

import pytest
from cases import FAR, NEAR
from configured import READERS, Configured

MAC = "52:54:00:00:00:01"


def wanted(options):
    """What is asked for; on-link is not."""
    fixed = {address for address in options["addresses"] if address != "dhcp"}
    return Configured(
        name=options.get("interface", "eth0"), mac="" if "mac" in options else MAC, mtu=options.get("mtu", 0), dhcp="dhcp" in options["addresses"],
        addresses=fixed, gateways=[options[key] for key in ("gateway", "gateway6") if key in options],
        nameservers=set(options.get("nameservers", [])), search=set(options.get("search", [])))


def configured(cloud_init, renderer, seed):
    return READERS[renderer](cloud_init.ask("render", renderer=renderer, config=seed.document("network-config")))


@pytest.mark.parametrize("renderer", READERS)
@pytest.mark.parametrize("case", NEAR)
def test_what_is_asked_for_comes_out(cloud_init, seed, case, renderer):
    made = seed(**NEAR[case])
    assert made.warnings == []
    found = configured(cloud_init, renderer, made)
    expected = wanted(NEAR[case])
    if renderer in ("netplan", "networkd"):
        # They would say so of a router outside; for a link-local one it makes no difference.
        assert found.on_link <= {"fe80::1"}
    found.on_link = expected.on_link
    if renderer == "network-manager" and expected.mac:
        # It needs no name there, and cloud-init itself gives the interface its own.
        found.name = expected.name
    if renderer == "eni" and cloud_init.version >= (26, 1):
        # Each family's servers only with its addresses, and there is no stanza for those of the other one.
        families = {":" in address for address in expected.addresses} | ({False} if expected.dhcp else set())
        expected.nameservers = {server for server in expected.nameservers if (":" in server) in families}
    assert sorted(found.gateways) == sorted(expected.gateways)
    found.gateways = expected.gateways
    assert found == expected


@pytest.mark.parametrize("renderer", READERS)
@pytest.mark.parametrize("case", FAR)
def test_a_router_outside_is_on_link_or_told(cloud_init, seed, case, renderer):
    made = seed(**FAR[case])
    expected = wanted(FAR[case])
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


def test_a_router_that_would_be_ignored_is_refused(seed):
    assert "cloud-init ignores `gateway` beside dhcp" in seed(addresses=["dhcp"], gateway="192.0.2.1").reply["msg"]
