# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role guest needs to say in one word: is the fleet sound, what did that task return, how did it go."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections import defaultdict

from ansible.errors import AnsibleError, AnsibleFilterError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
SIZE = re.compile(r"([0-9]+) *([KMGTP]?)(i?B)?", re.IGNORECASE)

# A key that is not here is a typing error, found before any host is touched; a user's own go under `vars`.
KEYS = {
    "image", "vcpus", "memory", "disk", "seed", "state", "autostart", "restart", "wait_for",
    "template", "accelerator", "agent", "bridge", "console", "disk_bus", "firmware", "loader", "loader_args", "mac",
    "network", "nvram", "vnc", "vars",
}
SEED_KEYS = {
    "family", "nuageinit", "hostname", "addresses", "gateway", "gateway6", "nameservers", "search", "mtu", "mac", "interface",
    "ssh_keys", "users", "packages", "run_commands", "write_files", "timezone", "user_data",
}
REQUIRED = ("image", "vcpus", "memory")

STATES = ("running", "shutoff", "present")

def size_in_bytes(value):
    """Bytes of 2147483648 or "2G"; None where it is not a size."""
    match = SIZE.fullmatch(str(value).strip())
    if not match:
        return None
    return int(match[1]) * 1024 ** ("KMGTP".index(match[2].upper()) + 1 if match[2] else 0)


def bytes_of(value):
    """The same for templates, where no size is an error."""
    size = size_in_bytes(value)
    if size is None:
        raise AnsibleFilterError("reading a size: expected a number of bytes or a size such as 2G, found %r" % (value,))
    return size


def guest_problems(name, guest):
    """What is wrong with one guest, whatever the others are."""
    if not NAME.fullmatch(name):
        yield "its name must be 1 to 63 letters, digits, '.', '_' or '-', beginning with a letter or digit"
    if not isinstance(guest, dict):
        yield "expected a dictionary with image, vcpus and memory, found %s" % type(guest).__name__
        return
    for key in sorted(set(guest) - KEYS):
        yield "unknown key '%s'; known are %s; keys for a template of your own go under 'vars'" % (key, ", ".join(sorted(KEYS)))
    for key in REQUIRED:
        if key not in guest:
            yield "'%s' is missing" % key
    for key in ("memory", "disk"):
        if key in guest and not size_in_bytes(guest[key]):
            yield "'%s' must be a size such as 2G, found %r" % (key, guest[key])
    if not str(guest.get("vcpus", 1)).isdecimal() or int(guest.get("vcpus", 1)) < 1:
        yield "'vcpus' must be a number from 1, found %r" % guest["vcpus"]
    if guest.get("state", "running") not in STATES:
        yield "'state' must be one of %s, found %r; apiary.bhyve.remove takes a guest away" % (", ".join(STATES), guest["state"])
    if "mac" in guest and not MAC.fullmatch(str(guest["mac"])):
        yield "'mac' must be six lower-case hexadecimal pairs such as 58:9c:fc:00:00:01, found %r" % guest["mac"]
    seed = guest.get("seed") or {}
    if not isinstance(seed, dict):
        yield "'seed' must be a dictionary, found %s" % type(seed).__name__
    else:
        for key in sorted(set(seed) - SEED_KEYS):
            yield "unknown key '%s' in 'seed'; known are %s" % (key, ", ".join(sorted(SEED_KEYS)))
    for address in seed_addresses(guest):
        try:
            ipaddress.ip_interface(address)
        except ValueError:
            if address not in ("dhcp", "dhcp4"):
                yield "seed address %r is no IP address" % address


def seed_addresses(guest):
    seed = guest.get("seed") if isinstance(guest, dict) else None
    addresses = seed.get("addresses", []) if isinstance(seed, dict) else []
    return [str(address) for address in addresses or []] if isinstance(addresses, list) else [str(addresses)]


def claims(host, name, guest):
    """What a guest claims for itself alone: (what, value, within which host or everywhere)."""
    yield "name", name, None
    if not isinstance(guest, dict):
        return
    if "mac" in guest:
        yield "mac", str(guest["mac"]).lower(), None
    for address in seed_addresses(guest):
        try:
            yield "address", str(ipaddress.ip_interface(address).ip), None
        except ValueError:
            continue
    if isinstance(guest.get("seed"), dict) and guest["seed"].get("hostname"):
        yield "hostname", str(guest["seed"]["hostname"]).lower(), None
    if guest.get("console"):
        yield "console", str(guest["console"]), host
    if isinstance(guest.get("vnc"), dict) and guest["vnc"].get("port"):
        yield "vnc port", str(guest["vnc"]["port"]), host


def guests_of(hostvars, host):
    return hostvars[host].get("bhyve_guests", None) or {}


def host_problems(hostvars, host):
    """What is wrong with the guests of one host, whatever the others have."""
    guests = guests_of(hostvars, host)
    if not isinstance(guests, dict):
        yield "%s: bhyve_guests must be a dictionary of guests, found %s" % (host, type(guests).__name__)
        return
    for name, guest in guests.items():
        yield from ("%s/%s: %s" % (host, name, problem) for problem in guest_problems(str(name), guest))


def host_claims(hostvars, host):
    """Every claim of a host's guests, and whose it is."""
    guests = guests_of(hostvars, host)
    for name, guest in guests.items() if isinstance(guests, dict) else ():
        yield from ((claim, "%s/%s" % (host, name)) for claim in claims(host, str(name), guest))


def fleet_problems(hostvars, hosts, others=()):
    """Everything wrong with the guests of HOSTS, one line each, what they claim from guests of OTHERS included."""
    problems = [problem for host in hosts for problem in host_problems(hostvars, host)]
    holders = defaultdict(list)
    for host in [*hosts, *(other for other in others if other not in hosts)]:
        # What another host's variables say only while that host is played, as with its facts, cannot be known here.
        with contextlib.suppress(*() if host in hosts else (AnsibleError,)):
            for claim, where in host_claims(hostvars, host):
                holders[claim].append((host, where))
    for (what, value, dummy), held in holders.items():
        if len(held) > 1 and any(host in hosts for host, dummy in held):
            problems.append("%s: %s %s is taken more than once" % (" and ".join(where for dummy, where in held), what, value))
    return problems


class FilterModule:
    """Filters of the role guest."""

    def filters(self):
        """Names in playbooks."""
        return {
            "fleet_problems": fleet_problems,
            "size_in_bytes": bytes_of,
        }
