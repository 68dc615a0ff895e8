# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: zfs_snapshot
short_description: Take, destroy and go back to snapshots of a guest's volumes
version_added: 0.1.0
description:
  - Takes one snapshot of all volumes of a guest, at one moment. Together they are what the guest would find after a power cut.
  - A snapshot that was taken here has the user property C(apiary.bhyve:snapshot), which is its name.
  - A run that was killed at any moment is put right by the same run again. Snapshots of several volumes are taken all or none. They are
    destroyed, and volumes rolled back, one after the other, and the next run does the rest. Do not start the guest in between.
author:
  - The apiary.bhyve developers (!UNKNOWN)
requirements:
  - ZFS on the host
attributes:
  check_mode:
    description: Says what would be done, and refuses what would be refused.
    support: full
  diff_mode:
    description: Shows the snapshots of each volume, and for a rollback what was written since, before and after.
    support: full
options:
  name:
    description:
      - Name of the snapshot, which comes after the C(@). Letters, digits and C(-_.:) are accepted, a letter or digit first. One of O(name)
        and O(guests) is required.
      - V(image) is the name of the snapshot that a volume was made from. It can only be gone back to.
    type: str
  datasets:
    description:
      - The ZFS volumes of one guest, C(POOL/FOLDER/NAME), all of which have to exist.
      - An ordinary user needs C(zfs allow) of destroy, mount, rollback, send, snapshot and userprop on the datasets above. Without C(send),
        a rollback is done again, and is a change, where nothing was written since the last one.
    type: list
    elements: str
  path:
    description:
      - The volume of a guest on a host without ZFS, a raw file. It is refused, because snapshots need ZFS.
    type: path
  guests:
    description:
      - Several guests in one call, which costs what one costs. The options of each by its name; those beside O(guests) go for all of
        them.
      - What goes wrong with one guest is its own affair. The others are done, and the task fails at the end. See RV(guests).
    type: dict
  state:
    description:
      - With V(present), all volumes shall have the snapshot. Where all have one of this name, it is left as it is, whoever has taken it.
        Where only some have it, because a volume came later, a new one would be of another moment, and is refused.
      - With V(absent), no volume shall have it. One that is held or has clones is not destroyed; they are named.
      - With V(rolled_back), all volumes shall be what they were in it. What was written since is lost. Refused where a volume does not have it,
        and while anybody has a volume open that has to change; who does is named.
      - A volume to which nothing was written since is left as it is. ZFS itself is asked what it would send (C(zfs send -i)), because a rollback alone
        leaves some bytes as C(written). A volume that is open may be written to at any moment, and is never taken for what it was.
    type: str
    choices: [present, absent, rolled_back]
    default: present
  lose_newer:
    description:
      - Whether a rollback may destroy the snapshots that are newer than O(name), whoever has taken them. Without it, a rollback that would
        is refused, and says which.
      - Those that are held or have clones are never destroyed.
    type: bool
    default: false
  stopped_before:
    description:
      - Whether check mode goes on as if those who have the volumes open had been stopped before, as the task before this one would do.
      - Without check mode they are minded in any case.
    type: bool
    default: false
seealso:
  - module: apiary.bhyve.zfs_snapshot_info
  - module: apiary.bhyve.zfs_receive
"""

EXAMPLES = r"""
- name: Take a snapshot of a guest's volumes
  apiary.bhyve.zfs_snapshot:
    datasets: [tank/vm/web1]
    name: before-upgrade

- name: Take a snapshot of each of several guests
  apiary.bhyve.zfs_snapshot:
    name: before-audit
    guests:
      web1:
        datasets: [tank/vm/web1]
      db1:
        datasets: [tank/vm/db1]

- name: Go back to a snapshot, and lose those that are newer
  apiary.bhyve.zfs_snapshot:
    datasets: [tank/vm/web1]
    name: before-upgrade
    state: rolled_back
    lose_newer: true

- name: Destroy a snapshot
  apiary.bhyve.zfs_snapshot:
    datasets: [tank/vm/web1]
    name: before-upgrade
    state: absent
"""

RETURN = r"""
snapshots:
  description: The snapshots that the volumes have afterwards, or in check mode would have, oldest first.
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
rolled_back:
  description: The volumes that were rolled back; empty where they were what they should be.
  returned: success
  type: list
  elements: str
  sample: [tank/vm/web1]
lost:
  description: Newer snapshots that a rollback has destroyed.
  returned: success
  type: list
  elements: str
  sample: [tank/vm/web1@nightly]
guests:
  description:
    - What became of each guest, by its name; the keys are those that one guest alone is answered with, C(changed), C(failed) and
      C(msg) among them. Differences and warnings are the whole task's, with the guest's name in front.
  returned: with O(guests)
  type: dict
timings:
  description: Seconds per phase (C(wait), C(observe), C(apply)) and in total.
  returned: always
  type: dict
  sample: {observe: {seconds: 0.002}, total: {seconds: 0.003}}
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402

# What the documentation has no words for.
RULES = {
    "mutually_exclusive": [["datasets", "path"]],
    "required_one_of": [["name", "guests"], ["datasets", "path", "guests"]],
}


def main():
    run(DOCUMENTATION, **RULES)


if __name__ == "__main__":
    main()
