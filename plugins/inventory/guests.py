# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guests of bhyve_guests as inventory hosts."""

from __future__ import annotations

DOCUMENTATION = """
name: guests
short_description: The guests of your hypervisors as inventory hosts
version_added: 0.1.0
author: The apiary.bhyve developers (!UNKNOWN)
description:
  - Reads the C(bhyve_guests) dictionary of every host that other inventory sources have named, and adds each guest as a
    host of its own, so that the play after the deployment can configure it.
  - A guest's C(ansible_host) is the first fixed IP address of its seed, or of its C(networks), unless the inventory says another. Its entry
    in the dictionary is the variable C(bhyve_guest), the name of its hypervisor C(bhyve_hypervisor).
  - A guest with C(dhcp), C(ra) or C(dhcp6) alone has no C(ansible_host), because its address stands in no file. It is reached by its name
    where the DNS has that; else write C(ansible_host) into its C(host_vars). M(apiary.bhyve.libvirt_domain_info) shows the addresses that a
    host knows, by leases and its ARP table, of guests with qemu. libvirt's driver for bhyve knows none.
  - Guests are in the group C(bhyve_guests), and in C(guests_on_HYPERVISOR). Hosts that have guests are in the group C(bhyve_with_guests).
  - Templates are resolved with the variables that the inventory has for the hypervisor, and extra variables. An address that they do not
    suffice for, as one that needs facts, is left out with a warning.
  - The file's name must end in C(guests.yml) or C(guests.yaml), and it must come after the sources that name hypervisors.
options:
  plugin:
    description: Names this plugin.
    type: str
    required: true
    choices: [apiary.bhyve.guests]
"""

EXAMPLES = """
# inventory/20-guests.yml, beside inventory/10-hypervisors.yml
plugin: apiary.bhyve.guests
"""

from ansible.errors import AnsibleError, AnsibleParserError  # noqa: E402
from ansible.inventory.helpers import get_group_vars  # noqa: E402
from ansible.plugins.inventory import BaseInventoryPlugin  # noqa: E402
from ansible.utils.vars import combine_vars  # noqa: E402
from ansible.vars.plugins import get_vars_from_inventory_sources  # noqa: E402
from ansible_collections.apiary.bhyve.plugins.plugin_utils._networks import guest_addresses  # noqa: E402
from jinja2.exceptions import TemplateError  # noqa: E402

_UNRESOLVED = (AnsibleError, TemplateError)


class InventoryModule(BaseInventoryPlugin):
    """Adds the guests of hosts that are there already."""

    NAME = "apiary.bhyve.guests"

    def verify_file(self, path):
        """Takes files named *guests.yml only: every plugin is offered every file."""
        return super().verify_file(path) and path.endswith(("guests.yml", "guests.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        """Adds one host per guest."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        # All are read before any is added: what is refused leaves no half of a fleet.
        found = [(host.name, self.guests_of(host)) for host in list(inventory.hosts.values())]
        inventory.add_group("bhyve_guests")
        inventory.add_group("bhyve_with_guests")
        added = {}
        for hypervisor, guests in found:
            if guests:
                inventory.add_host(hypervisor, group="bhyve_with_guests")
            for name, guest in guests.items():
                if name == "all":
                    self.display.warning("leaving out guest all of %s: its name stands for every host" % hypervisor)
                    continue
                if added.setdefault(name, hypervisor) != hypervisor:
                    self.display.warning("leaving out guest %s of %s: %s has one of that name" % (name, hypervisor, added[name]))
                    continue
                self.add_guest(hypervisor, name, guest)

    def guests_of(self, host):
        """The guests of HOST by name, with its variables in place of their templates."""
        variables = self.variables_of(host)
        self.templar.available_variables = {**variables, **self._vars, "inventory_hostname": host.name}
        # Not those of extra variables, which would make every host the hypervisor of them all.
        guests = self.resolved(variables.get("bhyve_guests"), "the guests of %s" % host.name) or {}
        if not isinstance(guests, dict):
            raise AnsibleParserError(
                "reading the guests of %s: expected bhyve_guests to be a dictionary, found %s" % (host.name, type(guests).__name__))
        named = {str(name): guest for name, guest in guests.items()}
        if host.name in named:
            raise AnsibleParserError(
                "reading the guests of %s: a guest has the name of its hypervisor, expected a name of its own" % host.name)
        return {name: self.guest_of(guest, name, host.name) for name, guest in named.items()}

    def guest_of(self, guest, name, hypervisor):
        """The entry of a guest as far as it can be known: what cannot be resolved stays as it is written, but for its addresses."""
        what = "guest %s of %s" % (name, hypervisor)
        guest = self.resolved(guest, what)
        if not isinstance(guest, dict):
            return guest, []
        seed = self.resolved(guest.get("seed"), "the seed of " + what)
        addresses = self.resolved(seed.get("addresses"), "the addresses of " + what) if isinstance(seed, dict) else None
        networks = self.resolved(guest.get("networks"), "the networks of " + what)
        return guest, guest_addresses({"seed": {"addresses": addresses}, "networks": self.networks_of(networks, what)})

    def networks_of(self, networks, what):
        """The addresses of each of NETWORKS, as far as they can be known."""
        entries = [self.resolved(network, "a network of " + what) for network in networks] if isinstance(networks, list) else []
        return [{"addresses": self.resolved(entry.get("addresses"), "the addresses of " + what)} for entry in entries if isinstance(entry, dict)]

    def resolved(self, value, what):
        """VALUE without its templates, if it is one or a list of them; nothing, with a warning, where they cannot be resolved."""
        if not isinstance(value, (str, list)):
            return value
        try:
            return self.templar.template(value)
        except _UNRESOLVED as error:
            self.display.warning("leaving out %s: %s" % (what, " ".join(str(error).split())))
            return None

    def variables_of(self, host):
        """Variables of HOST as a play would see them: of its groups, then its own."""
        sources = getattr(self.inventory, "processed_sources", [])
        groups = host.get_groups()
        variables = combine_vars(get_group_vars(groups), get_vars_from_inventory_sources(self.loader, sources, groups, "all"))
        variables = combine_vars(variables, host.get_vars())
        return combine_vars(variables, get_vars_from_inventory_sources(self.loader, sources, [host], "all"))

    def add_guest(self, hypervisor, name, known):
        """Adds guest NAME of HYPERVISOR with what is known of it."""
        guest, addresses = known
        self.inventory.add_host(name, group="bhyve_guests")
        # Not as a child of the group, which would be the group of that name where there is one.
        self.inventory.add_host(name, group=self.inventory.add_group(self._sanitize_group_name("guests_on_%s" % hypervisor)))
        self.inventory.set_variable(name, "bhyve_guest", guest)
        self.inventory.set_variable(name, "bhyve_hypervisor", hypervisor)
        if addresses and "ansible_host" not in self.variables_of(self.inventory.hosts[name]):
            self.inventory.set_variable(name, "ansible_host", str(addresses[0].ip))

    @staticmethod
    def _sanitize_group_name(name):
        return "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in name)
