# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: zfs_swap
short_description: Exchange a guest's volume for a new one, or for the one before
version_added: 0.1.0
description:
  - Gives a volume that was made ready the name of a guest's volume, and keeps the one that had it under a dated name beside it; or
    brings the last one that was kept back in the same way. It is what the playbook C(apiary.bhyve.redeploy) does while a guest is off.
  - Nothing is destroyed and nothing is copied. An exchange is two renames, on ZFS and with raw files, however large the volume is.
  - An exchange that was cut is finished by the same call. What is to become the volume is marked before anything is renamed
    (C(apiary.bhyve:swap), on raw files the attribute C(user.apiary.bhyve.swap)), and keeps the mark until O(state=settled) takes it
    away, which is for when the guest has been started. Until then, the same O(state) again changes nothing; from then on it is asked
    for another exchange. A mark that nobody has taken away from a volume with its name counts for a day.
  - A volume and those that exchanges put aside for it share a number, C(apiary.bhyve:lineage) or C(user.apiary.bhyve.lineage). The volume
    of a guest that was removed and is there again has none, or another one.
author:
  - The apiary.bhyve developers (!UNKNOWN)
attributes:
  check_mode:
    description: Says what would be exchanged, also where O(state=new) has nothing to exchange for yet and the guest still runs.
    support: full
  diff_mode:
    description: Shows which volume has which name before and after.
    support: full
options:
  dataset:
    description:
      - Name of the guest's ZFS volume, C(POOL/FOLDER/NAME).
      - Exactly one of O(dataset) and O(path) is required.
    type: str
  path:
    description: Absolute path of the guest's raw file, on a host without ZFS.
    type: path
  guests:
    description:
      - Several guests in one call. The options of each by its name; those beside O(guests) go for all of them.
      - What goes wrong with one guest is its own affair. The others are done, and the task fails at the end. See RV(guests).
    type: dict
  state:
    description:
      - With V(new), the volume shall be the one that was made ready as C(NAME.redeploy), on hosts without ZFS C(FILE.redeploy).
        M(apiary.bhyve.zfs_receive) makes it. A guest that has no volume yet gets it all the same.
      - With V(back), it shall be the last one that an exchange of this volume has put aside as C(NAME.old-YYYYMMDDTHHMMSSZ). The present
        one is kept in its turn, so that V(back) once more, after V(settled), comes back to it. One that was put aside for another guest,
        which had the same name before, or by M(apiary.bhyve.zfs_receive) with O(apiary.bhyve.zfs_receive#module:replace), is never
        brought back.
      - With V(noted), it stays the one that it is, and it is noted that its guest runs (C(apiary.bhyve:ran),
        C(user.apiary.bhyve.ran)). That is for the moment before the guest is stopped, so that a call after one that was cut knows whether
        to start it. M(apiary.bhyve.zfs_receive_info) tells it for a day, or as long as no volume has the guest's name.
      - With V(settled), the exchange is over, and the marks of it are taken away.
      - With V(renamed), it shall be the one that was called O(from), with all that is kept of it or made ready for it, and its snapshots and
        marks. What has the new name already, because a call was cut, stays. A volume at a name that is needed is refused, and
        so is a call where neither name has a volume.
    type: str
    choices: [new, back, noted, settled, renamed]
    default: new
  from:
    description:
      - What the volume was called, a name in the same place. Required with O(state=renamed), and only used there.
    type: str
  keep_days:
    description:
      - For how many days the volume that is put aside is kept. Nothing removes it by itself; the playbook C(apiary.bhyve.prune) does,
        after that.
      - The date is the property C(apiary.bhyve:keep-until) of the volume, on raw files the attribute C(user.apiary.bhyve.keep-until).
    type: int
    default: 7
notes:
  - The guest must be off. A ZFS volume that somebody has open is refused.
seealso:
  - module: apiary.bhyve.zfs_receive
  - module: apiary.bhyve.zfs_receive_info
"""

EXAMPLES = r"""
- name: Make the new volume ready while the guest runs
  apiary.bhyve.zfs_receive:
    src: "{{ fetched.image.path }}"
    guid: "{{ fetched.image.guid }}"
    path: /var/lib/guests/web1.raw.redeploy

- name: Exchange it for the present one while the guest is off
  apiary.bhyve.zfs_swap:
    path: /var/lib/guests/web1.raw
    keep_days: 14

- name: The guest has been started
  apiary.bhyve.zfs_swap:
    path: /var/lib/guests/web1.raw
    state: settled

- name: The guest has another name
  apiary.bhyve.zfs_swap:
    path: /var/lib/guests/www1.raw
    from: /var/lib/guests/web1.raw
    state: renamed

- name: Bring the volume before back
  apiary.bhyve.zfs_swap:
    path: /var/lib/guests/web1.raw
    state: back
"""

RETURN = r"""
volume:
  description: What became of the volume.
  returned: success
  type: dict
  contains:
    device:
      description: What a guest is given as its disk.
      type: str
      sample: /dev/zvol/zroot/guests/web1
    from:
      description: What has become the volume, or null where nothing was exchanged.
      type: str
      sample: zroot/guests/web1.redeploy
    replaced:
      description: Where the volume that was there before is kept, or null.
      type: str
      sample: zroot/guests/web1.old-20261128T181500Z
    keep_until:
      description: Until when it is kept, or null.
      type: str
      sample: "2026-12-05T18:15:00Z"
guests:
  description:
    - What became of each guest, by its name; the keys are those that one guest alone is answered with, C(changed), C(failed) and
      C(msg) among them. Differences and warnings are the whole task's, with the guest's name in front.
  returned: with O(guests)
  type: dict
timings:
  description: Seconds of each phase.
  returned: always
  type: dict
  sample: {observe: {seconds: 0.02}, apply: {seconds: 0.05}, total: {seconds: 0.08}}
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402

RULES = {
    "mutually_exclusive": [["dataset", "path"]],
    "required_one_of": [["dataset", "path", "guests"]],
}


def main():
    run(DOCUMENTATION, **RULES)


if __name__ == "__main__":
    main()
