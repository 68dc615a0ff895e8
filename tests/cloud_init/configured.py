# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of each renderer say of one interface, in one form."""

from __future__ import annotations

import ipaddress
import re
import shlex
from dataclasses import dataclass, field

import yaml


@dataclass
class Configured:
    """One interface. A gateway that is said to be on-link is in `on_link`, too."""

    name: str = ""
    mac: str = ""
    mtu: int = 0
    dhcp: bool = False
    # "ra" or "dhcp6", as far as the files tell them apart.
    ipv6: str = ""
    addresses: set = field(default_factory=set)
    gateways: list = field(default_factory=list)
    on_link: set = field(default_factory=set)
    nameservers: set = field(default_factory=set)
    search: set = field(default_factory=set)


def sections(text):
    """Sections of an ini file in order, each with its (key, value) pairs; networkd's may come twice."""
    found = []
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            found.append((line[1:-1], []))
        elif "=" in line and found and not line.startswith("#"):
            found[-1][1].append(tuple(part.strip() for part in line.split("=", 1)))
    return found


def of_eni(files):
    found = Configured()
    method = ""
    for line in files["/etc/network/interfaces"].splitlines():
        key, *words = line.split() or ["#"]
        if key == "iface":
            name, family, method = words
            if name != "lo":
                found.name = name
                found.dhcp |= (family, method) == ("inet", "dhcp")
                if family == "inet6":
                    found.ipv6 = {"auto": "ra", "dhcp": "dhcp6"}.get(method, found.ipv6)
        elif key == "address":
            found.addresses.add(words[0])
        elif key == "gateway":
            # It says so of every gateway: ifupdown's own commands, which test_ifupdown.py runs.
            found.gateways.append(words[0])
            found.on_link.add(words[0])
        elif key == "mtu" and method != "dhcp":
            found.mtu = int(words[0])
        elif key == "dns-nameservers":
            found.nameservers |= set(words)
        elif key == "dns-search":
            found.search |= set(words)
    rules = files.get("/etc/udev/rules.d/70-persistent-net.rules", "")
    match = re.search(r'ATTR\{address\}=="([^"]+)", NAME="([^"]+)"', rules)
    if match:
        assert match[2] == found.name
        found.mac = match[1]
    return found


def of_networkd(files):
    found = Configured()
    text = next(text for path, text in files.items() if path.endswith(".network"))
    for section, pairs in sections(text):
        values = dict(pairs)
        for key, value in pairs:
            if (section, key) in (("Network", "Address"), ("Address", "Address")):
                found.addresses.add(value)
            elif (section, key) == ("Network", "DNS"):
                found.nameservers |= set(value.split())
            elif (section, key) == ("Network", "Domains"):
                found.search |= set(value.split())
            elif (section, key) == ("Network", "DHCP"):
                found.dhcp = value in ("yes", "ipv4")
                found.ipv6 = "dhcp6" if value in ("yes", "ipv6") else ""
            elif (section, key) == ("Network", "IPv6AcceptRA"):
                # It takes advertisements unless it is told not to.
                assert value in ("yes", "true")
            elif key == "Gateway":
                assert values.get("Destination", "default") in ("default", "0.0.0.0/0", "::/0")
                found.gateways.append(value)
                if values.get("GatewayOnLink") in ("yes", "true"):
                    found.on_link.add(value)
            elif (section, key) == ("Link", "MTUBytes"):
                found.mtu = int(value)
            elif key in ("MACAddress", "PermanentMACAddress"):
                found.mac = value
            elif (section, key) == ("Match", "Name"):
                found.name = value
    return found


def of_netplan(files):
    """What netplan is told; what it makes of that, test_netplan.py asks."""
    (text,) = files.values()
    (key, nic), = yaml.safe_load(text)["network"]["ethernets"].items()
    found = Configured(name=nic.get("set-name", key), mac=nic.get("match", {}).get("macaddress", ""), mtu=nic.get("mtu", 0),
                       dhcp=nic.get("dhcp4", False), ipv6="dhcp6" if nic.get("dhcp6") else "", addresses=set(nic.get("addresses", [])))
    found.nameservers = set(nic.get("nameservers", {}).get("addresses", []))
    found.search = set(nic.get("nameservers", {}).get("search", []))
    found.gateways = [nic[key] for key in ("gateway4", "gateway6") if key in nic]
    for route in nic.get("routes", []):
        assert route["to"] == "default"
        found.gateways.append(route["via"])
        if route.get("on-link"):
            found.on_link.add(route["via"])
    return found


def of_sysconfig(files):
    folder = "/etc/sysconfig/network-scripts/"
    (text,) = [text for path, text in files.items() if path.startswith(folder + "ifcfg-")]
    values = dict(word.split("=", 1) for word in shlex.split(text, comments=True))
    found = Configured(name=values["DEVICE"], mac=values.get("HWADDR", ""), mtu=int(values.get("MTU", 0)), dhcp=values["BOOTPROTO"] == "dhcp")
    found.ipv6 = "dhcp6" if values.get("DHCPV6C") == "yes" else "ra" if values.get("IPV6_AUTOCONF") == "yes" else ""
    for key, value in values.items():
        if re.fullmatch(r"IPADDR\d*", key):
            mask = values[key.replace("IPADDR", "NETMASK")]
            found.addresses.add(str(ipaddress.ip_interface(f"{value}/{mask}")))
        elif re.fullmatch(r"DNS\d", key):
            found.nameservers.add(value)
    found.addresses |= set(values.get("IPV6ADDR", "").split() + values.get("IPV6ADDR_SECONDARIES", "").split())
    found.gateways = [values[key] for key in ("GATEWAY", "IPV6_DEFAULTGW") if key in values]
    found.search = set(values.get("DOMAIN", "").split())
    for line in files.get("/etc/resolv.conf", "").splitlines():
        key, *words = line.split() or [""]
        found.nameservers |= set(words) if key == "nameserver" else set()
        found.search |= set(words) if key == "search" else set()
    return found


def of_network_manager(files):
    (text,) = [text for path, text in files.items() if path.endswith(".nmconnection")]
    found = Configured()
    for section, pairs in sections(text):
        values = dict(pairs)
        if section == "connection":
            found.name = values.get("interface-name", "")
        elif section == "ethernet":
            found.mac, found.mtu = values.get("mac-address", "").lower(), int(values.get("mtu", 0))
        elif section in ("ipv4", "ipv6"):
            found.dhcp |= section == "ipv4" and values["method"] == "auto"
            # 22.4 says so beside fixed addresses, too.
            if (section, values["method"]) == ("ipv6", "auto") and "address1" not in values:
                found.ipv6 = "ra"
            found.addresses |= {value for key, value in pairs if re.fullmatch(r"address\d+", key)}
            found.gateways += [values["gateway"]] if "gateway" in values else []
            found.nameservers |= set(filter(None, values.get("dns", "").split(";")))
            found.search |= set(filter(None, values.get("dns-search", "").split(";")))
    # It makes a route to a gateway that it finds no way to, by itself.
    found.on_link = set(found.gateways)
    return found


READERS = {"eni": of_eni, "netplan": of_netplan, "networkd": of_networkd, "sysconfig": of_sysconfig, "network-manager": of_network_manager}


def _stanzas(text):
    """Of each interface but lo, its lines in ifupdown's file."""
    found, lines = {}, []
    for line in text.splitlines():
        words = line.split()
        if words[:1] in (["auto"], ["iface"]):
            lines = found.setdefault(words[1], [])
        lines.append(line)
    return {name: "\n".join(lines) for name, lines in found.items() if name != "lo"}


def apart(renderer, files):
    """The files as if there were one interface each."""
    if renderer == "eni":
        path, rules = "/etc/network/interfaces", "/etc/udev/rules.d/70-persistent-net.rules"
        stanzas = _stanzas(files[path])
        rule = {name: "".join(line for line in files.get(rules, "").splitlines() if f'NAME="{name}"' in line) for name in stanzas}
        return [{path: text, rules: rule[name]} for name, text in stanzas.items()]
    if renderer == "netplan":
        (path, text), = files.items()
        network = yaml.safe_load(text)["network"]
        return [{path: yaml.dump({"network": {**network, "ethernets": {key: nic}}})} for key, nic in network["ethernets"].items()]
    of_one = re.compile(r".*(\.network|\.nmconnection|/ifcfg-[^/]+)")
    return [{path: files[path], **{other: text for other, text in files.items() if not of_one.fullmatch(other)}}
            for path in sorted(files) if of_one.fullmatch(path)]
