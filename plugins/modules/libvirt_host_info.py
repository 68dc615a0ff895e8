# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_host_info
short_description: Look at domains, images and volumes of a host in one exchange
version_added: 0.1.0
description:
  - Does what several modules do that look, side by side, in one exchange with the host. With many hosts, exchanges are what takes time.
  - A look that fails says so in its own answer, RV(looks). The others are done, and the task does not fail.
author:
  - The apiary.bhyve developers (!UNKNOWN)
attributes:
  check_mode:
    description: Nothing is ever changed.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
options:
  looks:
    description:
      - What to look at, by names of your choice. Each is a dictionary with C(module) and the C(options) of that module.
      - The modules are M(apiary.bhyve.bhyve_image), as in check mode, M(apiary.bhyve.bhyve_image_info),
        M(apiary.bhyve.libvirt_domain_info), M(apiary.bhyve.zfs_receive_info) and M(apiary.bhyve.zfs_snapshot_info), without the collection's name.
    type: dict
    required: true
seealso:
  - module: apiary.bhyve.libvirt_domain_info
  - module: apiary.bhyve.zfs_receive_info
  - module: apiary.bhyve.zfs_snapshot_info
"""

EXAMPLES = r"""
- name: Look at the domains and the volumes of a host
  apiary.bhyve.libvirt_host_info:
    looks:
      domains:
        module: libvirt_domain_info
        options: {}
      volumes:
        module: zfs_receive_info
        options:
          path: /var/lib/guests
  register: found

- name: Show the names of both
  ansible.builtin.debug:
    msg: "{{ (found.looks.domains.domains + found.looks.volumes.volumes) | map(attribute='name') }}"
"""

RETURN = r"""
looks:
  description: What each module would have returned, by the names that were chosen, C(failed) and C(msg) among it.
  returned: success
  type: dict
timings:
  description: Seconds per phase (C(observe)) and in total.
  returned: always
  type: dict
  sample: {"observe": {"seconds": 0.02}, "total": {"seconds": 0.02}}
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402


def main():
    run(DOCUMENTATION)


if __name__ == "__main__":
    main()
