# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role guest asks of its guests in one word: are they sound, what is their normal form, how large is a size."""

from __future__ import annotations

from collections.abc import Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.apiary.bhyve.plugins.plugin_utils._fleet import UNREADABLE, fleet_faults, fleet_problems
from ansible_collections.apiary.bhyve.plugins.plugin_utils._guest import definition, plain
from ansible_collections.apiary.bhyve.plugins.plugin_utils._networks import interfaces
from ansible_collections.apiary.bhyve.plugins.plugin_utils._size import size_in_bytes


def bytes_of(value):
    """Bytes of a size, for templates; what is no size is an error."""
    size = size_in_bytes(value)
    if size is None:
        raise AnsibleFilterError("reading a size: expected a number of bytes or a size such as 2G, found %r" % (value,))
    return size


def guest_definitions(guests):
    """The guests of a host in the form that the role works with; nothing of one whose description cannot be resolved, as the check says."""
    if isinstance(guests, Mapping):
        return {name: _resolved(guests, name) for name in guests}
    return {} if guests is None or guests == "" else guests


def _resolved(guests, name):
    try:
        # A look is what fails where a template in it cannot be resolved.
        return definition(plain(guests[name]))
    except UNREADABLE:
        return {}


class FilterModule:
    """Filters of the role guest."""

    def filters(self):
        """Names in playbooks."""
        return {
            "fleet_faults": fleet_faults,
            "fleet_problems": fleet_problems,
            "guest_definitions": guest_definitions,
            "guest_interfaces": interfaces,
            "size_in_bytes": bytes_of,
        }
