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
  - A guest's C(ansible_host) is the first IP address of its seed. Its entry in the dictionary is the variable
    C(bhyve_guest), the name of its hypervisor C(bhyve_hypervisor).
  - Guests are in the group C(bhyve_guests), and in C(guests_on_HYPERVISOR).
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

from ansible.errors import AnsibleParserError  # noqa: E402
from ansible.inventory.helpers import get_group_vars  # noqa: E402
from ansible.plugins.inventory import BaseInventoryPlugin  # noqa: E402
from ansible.utils.vars import combine_vars  # noqa: E402
from ansible.vars.plugins import get_vars_from_inventory_sources  # noqa: E402
from ansible_collections.apiary.bhyve.plugins.plugin_utils._seed import addresses_of  # noqa: E402


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
        inventory.add_group("bhyve_guests")
        for hypervisor in list(inventory.hosts.values()):
            guests = self.variables_of(hypervisor).get("bhyve_guests") or {}
            if not isinstance(guests, dict):
                raise AnsibleParserError(
                    "reading the guests of %s: expected bhyve_guests to be a dictionary, found %s"
                    % (hypervisor.name, type(guests).__name__))
            for name, guest in guests.items():
                self.add_guest(hypervisor.name, name, guest)

    def variables_of(self, host):
        """Variables of HOST as a play would see them: of its groups, then its own."""
        sources = getattr(self.inventory, "processed_sources", [])
        groups = host.get_groups()
        variables = combine_vars(get_group_vars(groups), get_vars_from_inventory_sources(self.loader, sources, groups, "all"))
        variables = combine_vars(variables, host.get_vars())
        return combine_vars(variables, get_vars_from_inventory_sources(self.loader, sources, [host], "all"))

    def add_guest(self, hypervisor, name, guest):
        """Adds guest NAME of HYPERVISOR with what is known of it."""
        self.inventory.add_host(name, group="bhyve_guests")
        group = self.inventory.add_group(self._sanitize_group_name("guests_on_%s" % hypervisor))
        self.inventory.add_child(group, name)
        self.inventory.set_variable(name, "bhyve_guest", guest)
        self.inventory.set_variable(name, "bhyve_hypervisor", hypervisor)
        addresses = [address for address in addresses_of(guest.get("seed")) if "dhcp" not in address]
        if addresses:
            self.inventory.set_variable(name, "ansible_host", addresses[0].split("/")[0])

    @staticmethod
    def _sanitize_group_name(name):
        return "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in name)
