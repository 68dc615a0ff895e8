# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: zfs_receive_info
short_description: List the volumes of guests on a host, and those that are kept of them
version_added: 0.1.0
description:
  - Lists the volumes directly in a ZFS file system, or the raw files in a folder that M(apiary.bhyve.zfs_receive) has made, with the
    image that each was made from, what it takes, until when it is kept, and what would keep it from being removed.
  - Changes nothing. A look that fails is an error, never an empty list.
author:
  - The apiary.bhyve developers (!UNKNOWN)
attributes:
  check_mode:
    description: Nothing is ever changed.
    support: full
  diff_mode:
    description: Nothing is ever changed.
    support: none
options:
  dataset:
    description:
      - ZFS file system that the volumes are in, such as V(zroot/guests).
      - Exactly one of O(dataset) and O(path) is required.
    type: str
  path:
    description: Folder that raw files are in, on a host without ZFS. One that does not exist holds none.
    type: path
seealso:
  - module: apiary.bhyve.zfs_receive
  - module: apiary.bhyve.zfs_swap
  - module: apiary.bhyve.bhyve_image_info
"""

EXAMPLES = r"""
- name: Look which volumes there are
  apiary.bhyve.zfs_receive_info:
    path: /var/lib/guests
  register: found

- name: Show those that are kept, and until when
  ansible.builtin.debug:
    msg: "{{ found.volumes | selectattr('part', 'equalto', 'kept') | items2dict(key_name='name', value_name='keep_until') }}"
"""

RETURN = r"""
volumes:
  description: The volumes, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name in the file system or folder.
      type: str
      sample: web1.old-20261128T181500Z
    dataset:
      description: Whole name of a ZFS volume, else null.
      type: str
      sample: zroot/guests/web1.old-20261128T181500Z
    path:
      description: Path of a raw file, else null.
      type: str
    device:
      description: What a guest has it as.
      type: str
      sample: /dev/zvol/zroot/guests/web1.old-20261128T181500Z
    part:
      description: V(kept) for one that was put aside, V(staged) for one that was made ready for an exchange, V(arriving) for one of which
        a move to this host has brought a part, else V(own).
      type: str
      sample: kept
    of:
      description: Name of the volume that it is kept of, made ready for or on its way to be, or null.
      type: str
      sample: web1
    guid:
      description: Guid of the image that it was made from in decimal digits, or null where it was not made from one.
      type: str
      sample: "7119270074782723516"
    origin:
      description: The snapshot that a ZFS volume is a clone of, or null.
      type: str
      sample: zroot/images/FreeBSD-14.2-RELEASE-ZFS-20G-20250515@image
    size:
      description: Bytes of the volume.
      type: int
      sample: 42949672960
    used:
      description: Bytes that it takes, its snapshots included.
      type: int
      sample: 1073741824
    swap:
      description: V(new) or V(back) while an exchange of M(apiary.bhyve.zfs_swap) is not settled, else null.
      type: str
    ran:
      description: Whether its guest was noted to run, and the exchange that it was then stopped for is not settled.
      type: bool
    lineage:
      description: A number that a volume shares with those that exchanges have put aside for it, or null where there was none.
      type: str
      sample: "1795371300000000000"
    keep_until:
      description: Until when it is kept, or null.
      type: str
      sample: "2026-12-05T18:15:00Z"
    expired:
      description: Whether it is kept beyond that date, by the clock of the host.
      type: bool
    clones:
      description: Volumes that are clones of its snapshots.
      type: list
      elements: str
    held:
      description: Snapshots of it that are held.
      type: list
      elements: str
timings:
  description: Seconds of each phase.
  returned: always
  type: dict
  sample: {observe: {seconds: 0.02}, total: {seconds: 0.03}}
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402

RULES = {
    "mutually_exclusive": [["dataset", "path"]],
    "required_one_of": [["dataset", "path"]],
}


def main():
    run(DOCUMENTATION, **RULES)


if __name__ == "__main__":
    main()
