# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filters of a deployment are told."""

from __future__ import annotations


class ModuleDocFragment:
    """The input of every filter whose name begins with C(deployment_)."""

    DOCUMENTATION = r"""
options:
  _input:
    description:
      - What the role C(guest) keeps as C(guest_deployment).
      - C(names) of guests, C(definitions) as in C(bhyve_guests), the C(place) of volumes and seeds, and what its tasks registered.
    type: dict
    required: true
"""
