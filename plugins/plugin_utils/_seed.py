# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What guest_seed refuses of a seed on the host (modules/guest_seed/src), found before any host is touched."""

from __future__ import annotations

import ipaddress
import re
from collections import namedtuple

import yaml
from ansible.module_utils.common.validation import check_type_list
from ansible_collections.apiary.bhyve.plugins.plugin_utils._schema import guest_spec

_HOST_NAME = r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
_ACCOUNT = r"[a-z_][a-z0-9_.-]{0,31}"
_PATH = r"(?!.*/\.\.(/|\Z))/[A-Za-z0-9/_.+@-]*[A-Za-z0-9_.+@-]"
_PLAIN = r"(?=.*[!-~])[ -~]+"
_ANY_HOST = "labels of 1 to 63 letters, digits and inner dashes, joined by dots, as in web1.example.org"
_ANY_ACCOUNT = "at most 32 of a-z, 0-9, '_', '.', '-', beginning with a letter or '_'"
_ANY_KEY = "one whole line of a file that ssh-keygen has written, such as ~/.ssh/id_ed25519.pub; neither dots in place of the key nor a private key"
_ANY_PATH = "an absolute path of letters, digits, '_', '.', '+', '@', '-', without '..'"

# What each text must match as a whole, and what is expected.
_TEXTS = {
    "hostname": (_HOST_NAME, _ANY_HOST),
    "search": (_HOST_NAME, _ANY_HOST),
    "interface": (r"[A-Za-z][A-Za-z0-9_.-]{0,14}", "at most 15 letters, digits, '_', '.', '-', beginning with a letter, as in vtnet0"),
    "packages": (
        r"[A-Za-z0-9][A-Za-z0-9_.+:~@/=-]*", "letters, digits and any of _ . + : ~ @ / = -, beginning with a letter or digit"
    ),
    "timezone": (r"[A-Za-z][A-Za-z0-9_+/-]*", "a name of the tz database, as in Europe/Berlin"),
    "run_commands": (r"(?s)(?!.*\0)(?=.*\S).+", "a command, without NUL"),
    "users.name": (_ACCOUNT, _ANY_ACCOUNT),
    "users.groups": (_ACCOUNT, _ANY_ACCOUNT),
    "users.shell": (_PATH, _ANY_PATH),
    "users.sudo": (_PLAIN, "one line of printable text"),
    "users.doas": (_PLAIN, "one line of printable text"),
    "users.password_hash": (
        r"\$[A-Za-z0-9$./=,_-]{19,}", "a hash as crypt(3) makes it, beginning with $; make it with `openssl passwd -6`"
    ),
    "write_files.path": (_PATH, _ANY_PATH),
    "write_files.owner": ("%s(:%s)?" % (_ACCOUNT, _ACCOUNT), "a user, or user and group as in www:www"),
    "write_files.permissions": (r"0[0-7]{3,4}", 'octal digits beginning with 0, in quotes, as in "0644"'),
}
_KEY = re.compile(r"(?!-)(.* )?(ssh-|ecdsa-|sk-)[^ ]* AAAA[A-Za-z0-9+/=]*( .*)?")
_MAC = re.compile(r"[0-9a-f][02468ace](:[0-9a-f]{2}){5}")
_SECRET = ("users.password_hash",)

# How an interface gets its addresses from others; the last two are for IPv6.
_AUTOMATIC = ("dhcp", "dhcp4", "dhcp6", "ra")

# Where the options of an interface are, as in 'seed.'; whether an MTU has an effect without addresses.
Place = namedtuple("Place", "where mtu_alone", defaults=("seed.", False))

# What `user_data` stands in place of.
_RENDERED = ("ssh_keys", "users", "packages", "run_commands", "write_files", "timezone")
# What has no effect without addresses.
_OF_ADDRESSES = ("gateway", "gateway6", "nameservers", "search", "mtu", "mac", "interface")
_NOT_IN_14_1 = ("nameservers", "search", "mtu", "interface", "packages", "run_commands", "write_files", "timezone")


def mac_fault(value):
    """Why VALUE is no MAC address of one interface; None where it is one."""
    if _MAC.fullmatch(str(value).lower()):
        return None
    hint = "; put it in quotes" if isinstance(value, int) else ""
    return "must be the MAC address of one interface, as in 58:9c:fc:00:00:01, found %r%s" % (value, hint)


def interface_fault(value):
    """Why VALUE is no name of an interface; None where it is one."""
    pattern, expected = _TEXTS["interface"]
    return None if re.fullmatch(pattern, str(value)) else "must be %s, found %r" % (expected, value)


def as_list(value):
    """A list, however it was given."""
    if isinstance(value, (list, tuple)):
        return list(value)
    return [str(value)] if isinstance(value, (int, float)) else check_type_list(value) if isinstance(value, str) else []


def addresses_of(seed):
    """The addresses of a seed as texts, whatever their form."""
    addresses = seed.get("addresses") if isinstance(seed, dict) else None
    return [str(address) for address in as_list(addresses)]


def fixed_addresses(seed):
    """Those that are addresses, with their networks."""
    found = []
    for address in addresses_of(seed):
        try:
            found.append(ipaddress.ip_interface(address))
        except ValueError:
            continue
    return found


def seed_faults(name, seed, with_networks=False):
    """What is wrong with the seed of guest NAME; WITH_NETWORKS, whether its addresses are those of the guest's `networks`."""
    yield from _text_faults(guest_spec()["seed"]["options"], seed, "", "")
    if not seed.get("hostname") and not re.fullmatch(_HOST_NAME, name):
        yield "'%s' cannot be its host name; set seed.hostname" % name
    if seed.get("mac") is not None and mac_fault(seed["mac"]):
        yield "'seed.mac' " + mac_fault(seed["mac"])
    yield from _server_faults(seed, "seed.") if with_networks else address_faults(seed, Place())
    yield from _user_data_faults(seed)
    yield from _network_config_faults(seed)
    if seed.get("family") == "freebsd":
        yield from _freebsd_faults(seed)


def _text_faults(spec, values, outer, shown):
    for key, value in values.items():
        what, option = outer + str(key), spec.get(key, {})
        is_list = option.get("type") == "list"
        for number, each in enumerate(as_list(value) if is_list else [value] if value is not None else []):
            where = "%s%s%s" % (shown, key, "[%d]" % number if is_list else "")
            if isinstance(each, dict):
                yield from _text_faults(option.get("options", {}), each, what + ".", where + ".")
            elif what in _TEXTS and not re.fullmatch(_TEXTS[what][0], str(each)):
                found = "" if what in _SECRET else ", found %r" % (each,)
                yield "'seed.%s' must be %s%s" % (where, _TEXTS[what][1], found)
            elif what.endswith("ssh_keys") and not (re.fullmatch(_PLAIN, str(each)) and _KEY.fullmatch(str(each))):
                yield "'seed.%s' must be %s" % (where, _ANY_KEY)


def address_faults(network, place):
    """What is wrong with the addresses of an interface, and what belongs to them."""
    where = place.where
    addresses = addresses_of(network)
    for address in addresses:
        yield from _one_address_faults(address, where[:-1])
    held = [str(found.ip) for found in fixed_addresses(network)]
    held += [{"dhcp4": "dhcp"}.get(address, address) for address in addresses if address in _AUTOMATIC]
    for value in sorted({value for value in held if held.count(value) > 1}):
        yield "'%saddresses' has %s twice" % (where, value)
    if not addresses:
        given = [key for key in _OF_ADDRESSES if network.get(key) and (where == "seed." or key not in ("mac", "interface"))]
        given = [key for key in given if key != "mtu" or not place.mtu_alone]
        if given:
            yield "%s would have no effect without '%saddresses': add addresses, or dhcp" % (_named(given, where), where)
        return
    yield from _automatic_faults(network, addresses, where)
    yield from _gateway_faults(network, addresses, where)
    yield from _server_faults(network, where)
    yield from _mtu_faults(network, where)


def _server_faults(network, where):
    for server in as_list(network.get("nameservers")):
        if not _is_ip(server):
            yield "'%snameservers' must be IP addresses, found %r" % (where, server)


def _automatic_faults(network, addresses, where):
    if {"dhcp6", "ra"} <= set(addresses):
        yield "'%saddresses' has dhcp6 and ra: give dhcp6 alone where the network has a DHCPv6 server, and ra alone where it has none" % where
    ipv6 = [address for address in addresses if address in ("dhcp6", "ra")]
    if ipv6 and any(found.version == 6 for found in fixed_addresses(network)):
        yield "'%saddresses' has a fixed IPv6 address beside %s: give one of them, and 'gateway6' with the fixed one" % (where, ipv6[0])


def _one_address_faults(address, place):
    if address in _AUTOMATIC:
        return
    if _is_ip(address):
        length = 24 if ipaddress.ip_address(address).version == 4 else 64
        yield "%s address '%s' has no prefix length: write %s/%d if the network has that size" % (place, address, address, length)
        return
    try:
        found = ipaddress.ip_interface(address)
    except ValueError:
        found = None
    if not found or "%" in address:
        yield "%s address %r is no IP address with prefix, as in 192.0.2.11/24, nor dhcp, dhcp6 or ra" % (place, address)
        return
    if not address.rsplit("/", 1)[-1].isdecimal():
        yield "%s address '%s' must have its prefix as a number, as in %s" % (place, address, found.with_prefixlen)
    net = found.network
    if net.prefixlen <= net.max_prefixlen - 2 and (found.ip == net[0] or (found.version == 4 and found.ip == net[-1])):
        yield "%s address '%s' is the network's own or its broadcast address: expected a host's" % (place, address)
    elif found.ip.is_unspecified or found.ip.is_multicast:
        yield "%s address '%s' cannot be an interface's" % (place, address)


def _is_ip(value, version=None):
    try:
        return version in (None, ipaddress.ip_address(str(value)).version)
    except ValueError:
        return False


def _gateway_faults(network, addresses, where):
    for key, version, automatic in (("gateway", 4, {"dhcp", "dhcp4"}), ("gateway6", 6, {"dhcp6", "ra"})):
        gateway = network.get(key)
        if gateway is None:
            continue
        if not _is_ip(gateway, version):
            yield "'%s%s' must be an IPv%d address, found %r" % (where, key, version, gateway)
            continue
        near = any(found.version == version for found in fixed_addresses(network))
        if not near and not automatic & set(addresses):
            yield "'%s%s' cannot be reached: '%saddresses' has no IPv%d address" % (where, key, where, version)
        elif any(str(found.ip) == str(ipaddress.ip_address(str(gateway))) for found in fixed_addresses(network)):
            yield "'%s%s' is the guest's own address %s" % (where, key, gateway)


def _mtu_faults(network, where):
    mtu = network.get("mtu")
    if mtu is None or not str(mtu).isdecimal():
        return
    ipv6 = {"dhcp6", "ra"} & set(addresses_of(network)) or any(found.version == 6 for found in fixed_addresses(network))
    least = 1280 if ipv6 else 576
    if not least <= int(mtu) <= 65535:
        yield "'%smtu' is %s: expected %d to 65535 for these addresses" % (where, mtu, least)


def _network_config_faults(seed):
    """As guest_seed judges it first (modules/guest_seed/src/network/given.rs)."""
    config = seed.get("network_config")
    if config is None:
        return
    given = [key for key in (*_OF_ADDRESSES, "addresses") if seed.get(key)]
    if given:
        yield "'seed.network_config' stands in place of %s: give one or the other" % _named(given)
    if isinstance(config, str):
        try:
            config = yaml.safe_load(config)
        except yaml.YAMLError as error:
            yield "'seed.network_config' is no YAML document: %s" % " ".join(str(error).split())
            return
    if not isinstance(config, dict):
        yield "'seed.network_config' must be a dictionary, or a YAML document that is one"
    elif "network" in config:
        yield "'seed.network_config' has a key network around it: leave that key out, and give what is below it"
    elif config.get("version") not in (1, 2) or isinstance(config["version"], bool):
        yield "'seed.network_config' must have the key version with 1 or 2 on its outermost level"


def _user_data_faults(seed):
    raw = seed.get("user_data")
    if raw is None:
        return
    given = [key for key in _RENDERED if seed.get(key) or (key == "users" and seed.get(key) is not None)]
    if given:
        yield "'seed.user_data' replaces what %s would render: give one or the other" % _named(given)
    first, _end, rest = str(raw).partition("\n")
    if first != "#cloud-config" and first.strip().lstrip("\ufeff") == "#cloud-config":
        yield "the first line of 'seed.user_data' must be exactly #cloud-config: found something beside it"
    if not rest.strip():
        yield "'seed.user_data' has nothing after its first line"


def _freebsd_faults(seed):
    if str(seed.get("nuageinit", "14.1")) == "14.1":
        unknown = [key for key in _NOT_IN_14_1 if seed.get(key)]
        if unknown:
            yield "nuageinit 14.1 does not understand %s; set nuageinit: \"15.0\" if the guest's FreeBSD has that one" % _named(unknown)
    yield from freebsd_address_faults(seed, "seed.")


def freebsd_address_faults(network, where):
    """What nuageinit would get wrong of the addresses of an interface."""
    fixed, addresses = fixed_addresses(network), set(addresses_of(network))
    if fixed and {"dhcp", "dhcp4"} & addresses:
        yield "nuageinit takes dhcp or fixed addresses, not both: found both in '%saddresses'" % where
    for word in sorted({"dhcp6", "ra"} & addresses):
        yield "nuageinit knows no %s, found it in '%saddresses': give a fixed address, or put it into the image's rc.conf" % (word, where)
    for version in (4, 6):
        if len([found for found in fixed if found.version == version]) > 1:
            yield "nuageinit configures one IPv%d address: found several in '%saddresses'" % (version, where)


def _named(keys, where="seed."):
    return ", ".join("'%s%s'" % (where, key) for key in keys)
