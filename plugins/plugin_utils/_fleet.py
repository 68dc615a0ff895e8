# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guests of all hosts together: what two of them claim, and whom it concerns."""

from __future__ import annotations

import contextlib
import difflib
from collections import defaultdict
from collections.abc import Mapping

from ansible.errors import AnsibleError
from ansible.release import __version__
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import AnsibleUnsafe
from ansible_collections.apiary.bhyve.plugins.plugin_utils import _guest
from ansible_collections.apiary.bhyve.plugins.plugin_utils._disks import disks_of, volumes
from ansible_collections.apiary.bhyve.plugins.plugin_utils._identity import identity_of
from ansible_collections.apiary.bhyve.plugins.plugin_utils._networks import guest_addresses, guest_macs
from jinja2.exceptions import TemplateError

# Groups of the inventory with a meaning; the second one is of guests.
HYPERVISORS = "bhyve_hypervisors"
GUESTS = "bhyve_guests"

UNREADABLE = (AnsibleError, TemplateError)
_LEAVES_TEMPLATES = tuple(int(part) for part in __version__.split(".")[:2]) < (2, 19)
_MISSPELT = "found no guests, and a variable %s; did you mean bhyve_guests?"
# As in the role's defaults, which other hosts' variables do not show.
_DATASET = "zroot/guests"


class Fleet:
    """The guests of HOSTS, and what those of OTHERS claim, too."""

    def __init__(self, hostvars, hosts, others=(), template=None, search=None):
        self.hostvars, self.hosts, self.search = hostvars, list(hosts), search
        self.template = template
        # Of each guest, what is wrong with it; with no name, of the dictionary.
        self.faults = {}
        # What each guest claims for itself alone, and who claims it: (what, value, within which host or everywhere).
        self.holders = defaultdict(dict)
        self.guests = defaultdict(dict)
        for host in self.hosts:
            self._judge(host)
        for host in others:
            if host not in self.hosts:
                # What another host's variables say only while that host is played, as with its facts, cannot be known here.
                self._hear(host)
        self._claim_volumes()

    def conflicts(self):
        """What is claimed more than once, and by whom, where one of HOSTS is concerned."""
        told = set()
        for (what, value, _where), holders in self.holders.items():
            concerned = tuple(holders)
            if len(concerned) > 1 and any(host in self.hosts for host, _name in concerned):
                # Two guests of one name have one host name, too.
                if what in ("hostname", "identity") and ("name", concerned) in told:
                    continue
                told.add((what, concerned))
                yield what, value, concerned

    def _judge(self, host):
        try:
            template = self.hostvars[host].get("guest_template", None) or self.template
            guests = self.hostvars[host].get("bhyve_guests", None)
            # A look is what fails where a template in it cannot be resolved, not the way there.
            if guests is None or guests == "":
                misspelt = near_guests(self.hostvars, host) if guests is None else None
                self.faults.update({(host, None): [_MISSPELT % misspelt]} if misspelt else {})
                return
            if not isinstance(guests, Mapping):
                self.faults[host, None] = ["bhyve_guests must be a dictionary of guests, found %s" % _guest.kind(guests)]
                return
        except UNREADABLE as error:
            self.faults[host, None] = ["reading bhyve_guests: %s" % _said(error)]
            return
        for name in guests:
            try:
                guest = _guest.plain(guests[name])
                self.faults[host, name] = list(_guest.guest_faults(name, guest, template, self.search))
                left = next(_left_templates(guest), None)
                if left:
                    self.faults[host, name].append("reading its description: %s cannot be resolved" % left)
                self._warn(host, name, guest, template, self.search)
                if str(name).lower() == host.lower():
                    self.faults[host, name].append("its name is that of its hypervisor")
            except UNREADABLE as error:
                self.faults[host, name] = ["reading its description: %s" % _said(error)]
                guest = None
            self._claim(host, name, guest)

    @staticmethod
    def _warn(host, name, guest, template, search):
        chosen, unread = _guest.unread_keys(guest, template, search)
        if unread:
            Display().warning("%s/%s: template %s does not read %s" % (host, name, chosen, ", ".join("'%s'" % key for key in unread)))

    def _hear(self, host):
        guests = guests_of(self.hostvars, host)
        for name in guests:
            guest = None
            with contextlib.suppress(*UNREADABLE):
                guest = _guest.plain(guests[name])
            self._claim(host, name, guest)

    def _claim(self, host, name, guest):
        for what, value, within in claims(host, str(name), guest):
            self.holders[what, value, within].setdefault((host, name))
        if isinstance(guest, dict):
            self.guests[host][name] = guest

    def _claim_volumes(self):
        """Looking where a host has its volumes takes time: only data disks make it matter."""
        for host, guests in self.guests.items():
            if any(disks_of(guest) for guest in guests.values()):
                place = place_of(self.hostvars, host)
                for name, guest in guests.items():
                    for volume in volumes(str(name), guest, place):
                        self.holders["volume", volume, host].setdefault((host, name))


def _left_templates(value):
    """Templates in VALUE that Ansible has left as they are because it cannot resolve them; since ansible-core 2.19 it says so itself."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _left_templates(each)
    elif _LEAVES_TEMPLATES and isinstance(value, str) and "{{" in value and not isinstance(value, AnsibleUnsafe):
        yield value


def _as_text(fault):
    """What is no template any more: before ansible-core 2.19 a variable that quotes one would be taken for one."""
    return fault.replace("{{", "{ {").replace("{%", "{ %") if _LEAVES_TEMPLATES else fault


def _said(error):
    return " ".join(str(error).split())


def near_guests(hostvars, host):
    """A variable of HOST that is called almost as the dictionary of its guests."""
    names = [name for name in hostvars[host] if str(name).startswith("bhyve_g") and name != GUESTS]
    return next(iter(difflib.get_close_matches(GUESTS, names, n=1, cutoff=0.85)), None)


def guests_of(hostvars, host):
    """The dictionary of a host's guests; empty where it has none, one that is none, or one that cannot be read here."""
    with contextlib.suppress(*UNREADABLE):
        guests = hostvars[host].get("bhyve_guests", None)
        return guests if isinstance(guests, Mapping) else {}
    return {}


def place_of(hostvars, host):
    """Where a host's guests have their volumes: folder and dataset, as far as its variables say."""
    with contextlib.suppress(*UNREADABLE):
        variables = hostvars[host]
        return str(variables.get("guest_folder", None) or ""), str(variables.get("guest_dataset", None) or _DATASET)
    return "", _DATASET


def claims(host, name, guest):
    """What a guest claims for itself alone."""
    # A name is a host name and a file's, too, where case may not count.
    yield "name", name.lower(), None
    if not isinstance(guest, dict):
        return
    guest, seed = _guest.definition(guest), guest.get("seed")
    yield "identity", identity_of(name, guest), None
    yield from (("mac", mac, None) for mac in guest_macs(guest))
    yield from (("address", str(address.ip), None) for address in guest_addresses(guest))
    if isinstance(seed, dict):
        yield "hostname", str(seed.get("hostname") or name).lower(), None
    if guest.get("console"):
        yield "console", str(guest["console"]), host
    vnc = guest.get("vnc")
    if isinstance(vnc, dict) and vnc.get("port"):
        yield "vnc port", str(vnc["port"]), host


def fleet_problems(hostvars, hosts, others=(), template=None, search=None):
    """Everything wrong with the guests of HOSTS, one line each, what they claim from guests of OTHERS included."""
    fleet = Fleet(hostvars, hosts, others, template, search)
    problems = []
    for (host, name), faults in fleet.faults.items():
        where = host if name is None else "%s/%s" % (host, name)
        problems += ["%s: %s" % (where, fault) for fault in faults]
    for what, value, holders in fleet.conflicts():
        problems.append("%s: %s %s is taken more than once" % (" and ".join("%s/%s" % holder for holder in holders), what, value))
    return problems


def fleet_faults(hostvars, hosts, others=(), template=None, search=None):
    """The same by host and guest, so that the others can be worked on; what is wrong with a whole dictionary under no name."""
    fleet = Fleet(hostvars, hosts, others, template, search)
    found = {host: {} for host in fleet.hosts}
    for (host, name), faults in fleet.faults.items():
        if faults:
            found[host][name or ""] = list(faults)
    for what, value, holders in fleet.conflicts():
        for host, name in holders:
            theirs = " and ".join("%s/%s" % holder for holder in holders if holder != (host, name))
            if host in found:
                found[host].setdefault(name, []).append("%s %s is taken by %s, too" % (what, value, theirs))
    return {host: {name: [_as_text(fault) for fault in faults] for name, faults in of_host.items()} for host, of_host in found.items()}
