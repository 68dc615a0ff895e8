# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filters of a removal are told."""

from __future__ import annotations


class ModuleDocFragment:
    """The input of every filter whose name begins with C(removal_)."""

    DOCUMENTATION = r"""
options:
  _input:
    description:
      - What the role C(guest) keeps as C(guest_removal).
      - C(names) of guests, the C(definitions) and C(domains_found) of the host, the data disks to go with them (C(remove_disks)), the C(place) of
        volumes and seeds, the C(disks) that are there, whether it is a C(check) only, and what its tasks registered.
    type: dict
    required: true
"""
