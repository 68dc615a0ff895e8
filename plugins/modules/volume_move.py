# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_move
short_description: Move volumes of guests from another host to this one
version_added: 0.1.0
description:
  - Brings volumes that another host of the inventory has to the host of the task, ZFS volumes as such and raw files as such. It is what the
    playbook C(apiary.bhyve.move) does between stopping a guest on one host and starting it on another.
  - The bytes go by way of the controller, over the two connections that Ansible has anyway. Neither host needs a way to the other, or
    anything to log in with, and nothing has to be installed.
  - All that is received is verified while it comes, by this collection's own reader, and a stream of ZFS is committed only when all of it
    has been judged and its sender has said that it was all. The guid of what was received is compared with what was promised.
  - A ZFS volume comes with its snapshots, in the order in which they were taken, and with the properties that are set on itself. One that
    is a clone of a golden volume becomes a clone again, for which O(golden) has to have that image. Snapshots are taken for the move
    (C(apiary-move-MOMENT)), and destroyed at its end.
  - What has come is not sent again. A volume is C(NAME.move) until it is whole, and no other module makes a volume of its name until then. On
    ZFS a call that was cut goes on behind the last snapshot that has come; a raw file is sent from its beginning.
author:
  - The apiary.bhyve developers (!UNKNOWN)
attributes:
  check_mode:
    description: Looks at both hosts and says what would be moved; nothing is sent.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
options:
  source:
    description: The host that has the volumes, by its name in the inventory.
    type: str
  dataset:
    description: ZFS volume to be made on the host of the task. Exactly one of O(dataset) and O(path) is required.
    type: str
  path:
    description: Absolute path of the raw file to be made there.
    type: path
  from_dataset:
    description: The ZFS volume on O(source), by default O(dataset).
    type: str
  from_path:
    description: The raw file on O(source), by default O(path).
    type: path
  golden:
    description: ZFS file system on the host of the task that golden volumes are in.
    type: str
  guests:
    description:
      - Several volumes in one call. The options of each by a name for it; those beside O(guests) go for all of them.
      - What goes wrong with one of them is its own affair. The others are done, and the task fails at the end. See RV(guests).
    type: dict
  since:
    description:
      - What a call with V(copied) has returned of this volume as RV(volume.since). With it, V(moved) is one exchange with each host, in which
        a snapshot is taken, sent and received, and the volume gets its name. It is for the time in which a guest is off.
      - Where somebody has taken a snapshot meanwhile, or anything else is in the way, the volume is brought as without it. The snapshots of
        the move are left on the volume until V(given).
    type: dict
  state:
    description:
      - V(copied) does what can be done while the guest runs. On ZFS it takes a snapshot and brings everything up to it; of a raw file it only takes the
        place. It checks that there is room.
      - V(moved) is for when the guest is off. It brings what has been written since, and gives the volume its name.
      - V(given) destroys the volume on O(source), where it has come whole and has not been written to since, and snapshots of the move that
        are left.
    type: str
    choices: [copied, moved, given]
    default: moved
notes:
  - The connections of both hosts have to be C(ssh) or C(local), without a password to log in or to become root with.
  - The guest has to be off with V(moved), on O(source). What is written in spite of that is found by V(given), which then refuses.
seealso:
  - module: apiary.bhyve.zfs_receive
  - module: apiary.bhyve.libvirt_domain
"""

EXAMPLES = r"""
- name: Bring most of it while the guest runs on hv1
  apiary.bhyve.volume_move:
    source: hv1
    dataset: zroot/guests/web1
    golden: zroot/images
    state: copied
  register: copied

- name: Shut the guest down there
  apiary.bhyve.libvirt_domain:
    name: web1
    state: shutoff
    autostart: false
  delegate_to: hv1

- name: Bring the rest
  apiary.bhyve.volume_move:
    source: hv1
    dataset: zroot/guests/web1
    golden: zroot/images
    since: "{{ copied.volume.since }}"

- name: Take it away from hv1, when the guest runs here
  apiary.bhyve.volume_move:
    source: hv1
    dataset: zroot/guests/web1
    state: given
"""

RETURN = r"""
volume:
  description: What became of the volume.
  returned: success
  type: dict
  contains:
    sent:
      description: Bytes that went over in this call.
      type: int
    streams:
      description: How many streams that were.
      type: int
    seconds:
      description: How long that took.
      type: float
    name:
      description: What it is called until it is whole, or its own name where it is that already.
      returned: with O(state=copied), but in check mode
      type: str
      sample: zroot/guests/web1.move
    since:
      description: What O(since) takes, or null where there is nothing that could go on from, as of a raw file.
      returned: with O(state=copied), but in check mode
      type: dict
guests:
  description:
    - What became of each volume, by its name; the keys are those that one volume alone is answered with, C(changed), C(failed) and
      C(msg) among them.
  returned: with O(guests)
  type: dict
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402

RULES = {
    "mutually_exclusive": [["dataset", "path"], ["from_dataset", "path"], ["from_path", "dataset"], ["golden", "path"]],
    "required_one_of": [["dataset", "path", "guests"]],
}


def main():
    run(DOCUMENTATION, **RULES)


if __name__ == "__main__":
    main()
