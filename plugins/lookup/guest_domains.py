# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The domains of several guests from their templates."""

from __future__ import annotations

DOCUMENTATION = """
name: guest_domains
short_description: Options of libvirt_domain for several guests, from their templates
version_added: 0.1.0
author: The apiary.bhyve developers (!UNKNOWN)
description:
  - Renders the domain template of each guest, and adds what its entry in C(bhyve_guests) says of state, start and waiting.
  - A template is one of the role C(guest), or one in C(templates/domains) beside the playbook, by its name; or a file, by a path with a
    slash in it. It sees C(guest), the guest's dictionary with its name; C(guest_disk), the device of its volume; C(guest_disks),
    its data disks, each with C(name), C(device), C(bus) and C(target); C(guest_seed), the path
    of its seed or an empty text; C(guest_console_log); and all variables of the play.
notes:
  - It is for the roles and playbooks of this collection alone, and no part of what stays the same until the next major version.
options:
  _terms:
    description: What the templates are given by guest, as the filter P(apiary.bhyve.deployment_options#filter) makes it for C(domains).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = """
- name: Define and start the domains of a host
  apiary.bhyve.libvirt_domain:
    guests: "{{ lookup('apiary.bhyve.guest_domains', deployment | apiary.bhyve.deployment_options('domains')) }}"
"""

RETURN = """
_raw:
  description: Options of M(apiary.bhyve.libvirt_domain) by guest.
  type: list
  elements: dict
"""

from ansible.errors import AnsibleError, AnsibleLookupError  # noqa: E402
from ansible.plugins.loader import lookup_loader  # noqa: E402
from ansible.plugins.lookup import LookupBase  # noqa: E402
from ansible_collections.apiary.bhyve.plugins.plugin_utils._guest import template_file  # noqa: E402
from jinja2.exceptions import TemplateError  # noqa: E402

# Keys of a guest that are options of libvirt_domain as they are.
AS_THEY_ARE = ("identity", "state", "autostart", "order", "delay", "restart", "force", "shutdown_timeout")


class _Shared(dict):
    """Variables of which Ansible's lookup need not copy all that is in them for each template: with many guests that takes longest of all."""

    def __deepcopy__(self, _memo):
        return dict(self)


class LookupModule(LookupBase):
    """Renders with Ansible's own lookup of templates."""

    def run(self, terms, variables=None, **kwargs):
        """One dictionary for each term."""
        self.set_options(var_options=variables, direct=kwargs)
        variables = _Shared(variables)
        return [{name: self._domain(name, given, variables) for name, given in term.items()} for term in terms]

    def _domain(self, name, given, variables):
        guest = given["guest"]
        domain = {key: guest[key] for key in AS_THEY_ARE if key in guest}
        if given.get("renamed_from"):
            domain["renamed_from"] = given["renamed_from"]
        if guest.get("wait_for") and guest.get("state", "running") == "running":
            domain["wait_for"] = {"timeout": variables_of(self, variables, "guest_wait_timeout"), **guest["wait_for"]}
        return dict(domain, name=name, xml=self._xml(name, given, variables))

    def _xml(self, name, given, variables):
        template = given["guest"].get("template") or variables_of(self, variables, "guest_template")
        log = "%s/%s.log" % (variables_of(self, variables, "guest_console_folder"), name)
        render = lookup_loader.get("ansible.builtin.template", loader=self._loader, templar=self._templar)
        try:
            # Since ansible-core 2.19 what nobody has defined is an error only where it is read.
            return str(render.run([template_file(template)], variables, template_vars=dict(given, guest_console_log=log))[0])
        except (AnsibleError, TemplateError) as error:
            raise AnsibleLookupError("rendering the domain template %s for guest %s: %s" % (template, name, error)) from error


def variables_of(lookup, variables, name):
    """The value of a variable of the play, with the templates in it resolved."""
    return lookup._templar.template(variables[name])
