# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: zfs_snapshot_info
short_description: Tell which snapshots a guest's volumes have
version_added: 0.1.0
description:
  - Reads the snapshots of the volumes of one guest or of several, whoever has taken them.
  - A volume that does not exist has none, and neither has a raw file.
author:
  - The apiary.bhyve developers (!UNKNOWN)
attributes:
  check_mode:
    description: Changes nothing in any mode.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
options:
  datasets:
    description:
      - The ZFS volumes of one guest, C(POOL/FOLDER/NAME), as in M(apiary.bhyve.zfs_snapshot).
      - One of O(datasets), O(path) and O(guests) is required.
    type: list
    elements: str
  path:
    description:
      - The volume of a guest on a host without ZFS, a raw file. It has no snapshots, and no ZFS is needed to say so.
    type: path
  guests:
    description:
      - Several guests in one call, which costs what one costs. The options of each by its name; those beside O(guests) go for all of
        them.
      - What goes wrong with one guest is its own affair. The others are done, and the task fails at the end. See RV(guests).
    type: dict
seealso:
  - module: apiary.bhyve.zfs_snapshot
"""

EXAMPLES = r"""
- name: Look at the snapshots of a guest's volumes
  apiary.bhyve.zfs_snapshot_info:
    datasets: [tank/vm/web1]
  register: found
"""

RETURN = r"""
snapshots:
  description: The snapshots that the volumes have, oldest first.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: What comes after the C(@).
      type: str
      sample: before-upgrade
    created:
      description: When it was taken, in UTC. Null where check mode would take it.
      type: str
      sample: "2026-11-22T18:15:00Z"
    used:
      description: Bytes that would be free without it, of all volumes together.
      type: int
      sample: 1048576
    own:
      description: Whether M(apiary.bhyve.zfs_snapshot) has taken it.
      type: bool
    datasets:
      description: The volumes that have it.
      type: list
      elements: str
      sample: [tank/vm/web1, "tank/vm/web1:data"]
guests:
  description:
    - What became of each guest, by its name; the keys are those that one guest alone is answered with, C(changed), C(failed) and
      C(msg) among them. Differences and warnings are the whole task's, with the guest's name in front.
  returned: with O(guests)
  type: dict
timings:
  description: Seconds per phase (C(observe)) and in total.
  returned: always
  type: dict
  sample: {observe: {seconds: 0.002}, total: {seconds: 0.003}}
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402

# What the documentation has no words for.
RULES = {
    "mutually_exclusive": [["datasets", "path"]],
    "required_one_of": [["datasets", "path", "guests"]],
}


def main():
    run(DOCUMENTATION, **RULES)


if __name__ == "__main__":
    main()
