# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of guests, by the options of guest_seed."""

from __future__ import annotations

# A router in the network of an address, or a link-local one: right for every version and renderer.
NEAR = {
    "both-families": {"addresses": ["192.0.2.11/24", "2001:db8::11/64"], "gateway": "192.0.2.1", "gateway6": "2001:db8::1"},
    "ipv6-first": {"addresses": ["2001:db8::11/64", "192.0.2.11/24"], "gateway": "192.0.2.1", "gateway6": "2001:db8::1", "mtu": 1400},
    "ipv4-alone": {"addresses": ["192.0.2.11/24"], "gateway": "192.0.2.1", "nameservers": ["192.0.2.53"], "search": ["a.example"]},
    "ipv6-alone": {"addresses": ["2001:db8::11/64"], "gateway6": "2001:db8::1", "nameservers": ["2001:db8::53"], "mtu": 1280},
    "several": {
        "addresses": ["198.51.100.7/32", "192.0.2.11/24", "192.0.2.12/24", "2001:db8:1::7/128", "2001:db8::11/64"], "gateway": "192.0.2.1",
        "gateway6": "2001:db8::1", "nameservers": ["192.0.2.53", "2001:db8::53"], "search": ["a.example", "b.example"], "mtu": 1400,
    },
    "link-local-router": {"addresses": ["192.0.2.11/24", "2001:db8::11/128"], "gateway": "192.0.2.1", "gateway6": "fe80::1"},
    "point-to-point": {"addresses": ["192.0.2.10/31", "2001:db8::10/127"], "gateway": "192.0.2.11", "gateway6": "2001:db8::11"},
    "no-router": {"addresses": ["192.0.2.11/24", "2001:db8::11/64"], "nameservers": ["192.0.2.53"]},
    "dhcp": {"addresses": ["dhcp"]},
    "dhcp-and-ipv6": {
        "addresses": ["dhcp", "2001:db8::11/64"], "gateway6": "2001:db8::1", "nameservers": ["192.0.2.53", "2001:db8::53"],
        "search": ["a.example"],
    },
    "dhcp-and-ipv4": {"addresses": ["dhcp", "192.0.2.11/24"], "gateway": "192.0.2.1", "nameservers": ["192.0.2.53"], "mtu": 1400},
    "ra": {"addresses": ["ra"]},
    "dhcp6": {"addresses": ["dhcp6"]},
    "dhcp-and-ra": {"addresses": ["dhcp", "ra"]},
    "dhcp-and-dhcp6": {"addresses": ["dhcp", "dhcp6"]},
    "ipv4-and-ra": {
        "addresses": ["ra", "192.0.2.11/24"], "gateway": "192.0.2.1", "nameservers": ["192.0.2.53", "2001:db8::53"], "search": ["a.example"],
        "mtu": 1400,
    },
    "ipv4-and-dhcp6": {"addresses": ["192.0.2.11/24", "dhcp6"], "gateway": "192.0.2.1", "nameservers": ["2001:db8::53"], "mtu": 1400},
    "by-name": {"addresses": ["192.0.2.11/24"], "gateway": "192.0.2.1", "interface": "ens3", "mac": None},
    "renamed": {"addresses": ["192.0.2.11/24"], "gateway": "192.0.2.1", "interface": "wan"},
}

# Several interfaces, the second of the last one left to the image.
SEVERAL = {
    "front-and-back": {
        "networks": [
            {"mac": "52:54:00:00:00:0a", "addresses": ["192.0.2.11/24", "2001:db8::11/64"], "gateway": "192.0.2.1", "gateway6": "2001:db8::1"},
            {"mac": "52:54:00:00:00:0b", "addresses": ["10.0.0.11/24"], "mtu": 9000},
        ],
        "nameservers": ["192.0.2.53", "2001:db8::53"], "search": ["a.example"],
    },
    "routes-of-two": {
        "networks": [
            {"mac": "52:54:00:00:00:0a", "addresses": ["10.0.0.11/24"]},
            {"mac": "52:54:00:00:00:0b", "addresses": ["192.0.2.11/24"], "gateway": "192.0.2.1"},
            {"mac": "52:54:00:00:00:0c", "addresses": ["2001:db8::11/64"], "gateway6": "fe80::1", "mtu": 1400},
        ],
    },
    "automatic": {
        "networks": [
            {"mac": "52:54:00:00:00:0a", "addresses": ["dhcp", "ra"]},
            {"mac": "52:54:00:00:00:0b"},
            {"mac": "52:54:00:00:00:0c", "addresses": ["10.0.0.11/24"], "interface": "back"},
        ],
    },
}

# A router in the network of none.
FAR = {
    "ipv4": {"addresses": ["192.0.2.11/32"], "gateway": "198.51.100.1"},
    "ipv6": {"addresses": ["2001:db8::11/128"], "gateway6": "2001:db8:1::1"},
    "both": {"addresses": ["192.0.2.11/24", "2001:db8::11/64"], "gateway": "198.51.100.1", "gateway6": "2001:db8:1::1"},
}
