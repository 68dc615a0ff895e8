# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network interfaces of a guest, said in the short form or as a list: one form of both, and what is wrong with them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from ansible_collections.apiary.bhyve.plugins.plugin_utils._seed import (
    Place,
    address_faults,
    fixed_addresses,
    freebsd_address_faults,
    interface_fault,
    mac_fault,
)

_BRIDGE = re.compile(r"[A-Za-z0-9_.:-]{1,15}")
# What the guest gets by its seed of each interface.
OF_SEED = ("addresses", "gateway", "gateway6", "mtu", "mac", "interface")
# What the short form says of the only interface, in the guest itself.
_SHORT = ("bridge", "mac", "network")


def networks_of(guest):
    """The entries of `networks`, those that are dictionaries, with their numbers and without what is empty."""
    networks = guest.get("networks") if isinstance(guest, Mapping) else None
    numbered = enumerate(networks if isinstance(networks, (list, tuple)) else ())
    return [(number, {key: value for key, value in network.items() if value is not None}) for number, network in numbered if isinstance(network, Mapping)]


def interfaces(guest):
    """For domain templates, each interface of a guest in order: its `type`, bridge or user, with `bridge`, and `mac` and `mtu` where given."""
    networks = [network for _number, network in networks_of(guest)]
    if not networks:
        networks = [{key: guest[key] for key in _SHORT if guest.get(key) is not None}]
    return [interface for interface in map(_interface, networks) if interface]


def _interface(network):
    kept = {key: network[key] for key in ("bridge", "mac", "mtu") if key in network}
    if "bridge" in network:
        return {"type": "bridge", **kept}
    return {"type": "user", **kept} if network.get("network") == "user" else None


def guest_addresses(guest):
    """Every fixed address of a guest with its network, in the order of its interfaces."""
    networks = networks_of(guest)
    if networks:
        return [address for _number, network in networks for address in fixed_addresses(network)]
    seed = guest.get("seed") if isinstance(guest, Mapping) else None
    return fixed_addresses(dict(seed)) if isinstance(seed, Mapping) else []


def guest_macs(guest):
    """Every MAC address that is given, in lower case."""
    given = [network.get("mac") for _number, network in networks_of(guest)] or [guest.get("mac")]
    return [str(mac).lower() for mac in given if mac]


def seed_networks(guest):
    """The option `networks` of guest_seed; nothing where no interface has anything to get by a seed."""
    networks = [{key: network[key] for key in OF_SEED if key in network} for _number, network in networks_of(guest)]
    if not any(network.get("addresses") for network in networks):
        return {}
    # That of an interface which is left to the image is the domain's affair.
    return {"networks": [{key: value for key, value in each.items() if key != "mtu" or each.get("addresses")} for each in networks]}


def network_faults(guest, with_user, with_mtu):
    """What is wrong with `networks`; WITH_USER, whether the template knows networks of type user, and WITH_MTU, whether an MTU."""
    networks = networks_of(guest)
    if not networks:
        return
    seed = guest["seed"] if isinstance(guest.get("seed"), Mapping) else {}
    yield from _beside(guest, seed)
    for number, network in networks:
        where = "networks[%d]." % number
        yield from _host_faults(network, where, with_user)
        yield from address_faults(network, Place(where, with_mtu))
        if seed.get("family") == "freebsd":
            yield from freebsd_address_faults(network, where)
            yield from _first_nuageinit_faults(network, where, seed)
    yield from _together(networks, seed.get("family"))
    given = [number for number, network in networks if network.get("addresses")]
    if given and guest.get("seed") is None:
        yield "'networks[%d].addresses' reach the guest by its seed, and it has none: add 'seed: {}'" % given[0]
    if given and seed.get("network_config") is not None:
        yield "'seed.network_config' stands in place of 'networks[%d].addresses': give one or the other" % given[0]
    servers = [key for key in ("nameservers", "search") if seed.get(key)]
    if servers and not given:
        yield "'seed.%s' would have no effect without addresses in 'networks': add addresses, or dhcp" % servers[0]


def _first_nuageinit_faults(network, where, seed):
    unknown = ["'%s%s'" % (where, key) for key in ("mtu", "interface") if network.get(key) and network.get("addresses")]
    if unknown and str(seed.get("nuageinit", "14.1")) == "14.1":
        yield "nuageinit 14.1 does not understand %s; set nuageinit: \"15.0\" in 'seed' if the guest's FreeBSD has that one" % ", ".join(unknown)


def _beside(guest, seed):
    short = ["'%s'" % key for key in _SHORT if guest.get(key) not in (None, "none")]
    short += ["'seed.%s'" % key for key in OF_SEED if seed.get(key)]
    if short:
        yield "%s beside 'networks' would be of no interface: move that into the entry of 'networks' that it is meant for" % ", ".join(short)


def _host_faults(network, where, with_user):
    bridge = network.get("bridge")
    if bridge is not None and not _BRIDGE.fullmatch(str(bridge)):
        yield "'%sbridge' must be the name of a bridge as in bridge0, found %r" % (where, bridge)
    if bridge is not None and network.get("network") is not None:
        yield "'%sbridge' and '%snetwork' are two networks: give one of them" % (where, where)
    elif bridge is None and (network.get("network") is None or not with_user):
        yield "'%s' is on no network: give it a 'bridge'%s" % (where[:-1], ", or 'network: user'" if with_user else "")
    if network.get("mac") is not None and mac_fault(network["mac"]):
        yield "'%smac' %s" % (where, mac_fault(network["mac"]))
    if network.get("interface") is not None and interface_fault(network["interface"]):
        yield "'%sinterface' %s" % (where, interface_fault(network["interface"]))


def _together(networks, family):
    for key, version in (("gateway", 4), ("gateway6", 6)):
        routers = ["'networks[%d].%s'" % (number, key) for number, network in networks if network.get(key)]
        if len(routers) > 1:
            yield "%s are default routes for IPv%d, of which a guest has one: leave all but one out" % (" and ".join(routers), version)
    held = defaultdict(list)
    for number, network in networks:
        for address in dict.fromkeys(str(found.ip) for found in fixed_addresses(network)):
            held["addresses", address].append(number)
        if network.get("mac"):
            held["mac", str(network["mac"]).lower()].append(number)
        name = network.get("interface") or ("eth%d" % number if family == "linux" and network.get("addresses") else None)
        if name:
            held["interface", str(name)].append(number)
    for (key, value), numbers in held.items():
        if len(numbers) > 1:
            yield "%s both say %s: expected it on one interface only" % (" and ".join("'networks[%d].%s'" % (each, key) for each in numbers), value)
