# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a guest is: the name from which its UUID, its MAC addresses and its instance id follow."""

from __future__ import annotations

import uuid

# As in modules/ansible_module/src/identity.rs: never to be changed.
_NAMESPACE = uuid.UUID("5c0f3e0a-8d1b-4b62-9c55-7f2e61d0a9b4")


def uuid_of(name):
    """The UUID of the guest that was made under this name."""
    return str(uuid.uuid5(_NAMESPACE, str(name)))


def identity_of(name, guest):
    """The name under which a guest was made: its own, unless its dictionary says another."""
    said = guest.get("identity") if isinstance(guest, dict) else None
    return str(said or name)
