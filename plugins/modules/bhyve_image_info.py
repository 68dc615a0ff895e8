# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bhyve_image_info
short_description: List the images of a catalogue, of a host's store, and its golden volumes
version_added: 0.1.0
description:
  - Lists what a catalogue offers and what the store of a host holds, with the same keys as M(apiary.bhyve.bhyve_image).
  - Lists which golden volumes exist and which guests' volumes are cloned from them, so that unused ones can be found.
  - Changes nothing. An old catalogue is listed with a warning, which M(apiary.bhyve.bhyve_image) would refuse.
author:
  - The apiary.bhyve developers (!UNKNOWN)
requirements:
  - ssh(1) on the host for C(ssh://) repositories, zfs(8) for O(golden)
extends_documentation_fragment:
  - apiary.bhyve.catalogue
attributes:
  check_mode:
    description: Nothing is ever changed.
    support: full
  diff_mode:
    description: Nothing is ever changed.
    support: none
options:
  name:
    description: Only these images, each as C(NAME-VERSION) or C(NAME).
    type: list
    elements: str
  store:
    description: The folder that keeps images.
    type: path
    default: /var/db/apiary/images
  golden:
    description: The ZFS file system that golden volumes are below, such as V(zroot/images).
    type: str
  repository:
    description: Where the catalogue is, one place or several mirrors, as for M(apiary.bhyve.bhyve_image). Without it none is listed.
    type: list
    elements: str
  signature_type:
    description: What must have signed the catalogue.
  pubkey:
    description: File on the host with the public key.
  fingerprints:
    description: Folder on the host with pkg's folders C(trusted) and C(revoked).
  ssh_key:
    description: File on the host with the private key for C(ssh://).
  ssh_known_hosts:
    description: File on the host with the host keys to accept for C(ssh://).
  ca_path:
    description: PEM file on the host with the authorities to trust for C(https://), instead of the host's own.
seealso:
  - module: apiary.bhyve.bhyve_image
"""

EXAMPLES = r"""
- name: See what there is
  apiary.bhyve.bhyve_image_info:
    repository: ssh://images@repo.example.org
    pubkey: /usr/local/etc/apiary/images.pub
    golden: zroot/images
  register: images

- name: Show golden volumes that no guest lives on
  ansible.builtin.debug:
    msg: "{{ images.golden | selectattr('clones', 'equalto', []) | map(attribute='name') }}"

- name: Show what the store could still fetch
  ansible.builtin.debug:
    msg: "{{ item.name }}-{{ item.version }}"
  loop: "{{ images.catalogue | rejectattr('path') }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
catalogue:
  description:
    - The images of the catalogue, by name and version.
    - Keys are those of RV(apiary.bhyve.bhyve_image#module:image). Their V(path) is null where the store does not have them, and
      their V(sha256) is null then, too, if the catalogue was written by pkg 2.8 or later.
  returned: where O(repository) is given
  type: list
  elements: dict
unusable:
  description: Packages of the catalogue that are not images, each with its RV(ignore:name) and the RV(ignore:reason).
  returned: where O(repository) is given
  type: list
  elements: dict
store:
  description: The verified images of the store, with the same keys.
  returned: always
  type: list
  elements: dict
unverified:
  description: Packages in the store that nothing vouches for, by C(NAME-VERSION). They are verified when they are asked for.
  returned: always
  type: list
  elements: str
golden:
  description: Snapshots of volumes directly below O(golden).
  returned: where O(golden) is given
  type: list
  elements: dict
  contains:
    name:
      description: Name of the volume, which is that of its image.
      type: str
      returned: always
      sample: FreeBSD-14.2-RELEASE-ZFS-20G-20250515
    snapshot:
      description: The snapshot.
      type: str
      returned: always
      sample: zroot/images/FreeBSD-14.2-RELEASE-ZFS-20G-20250515@image
    guid:
      description: Its guid, in decimal digits.
      type: str
      returned: always
    clones:
      description: Volumes that are cloned from it.
      type: list
      elements: str
      returned: always
      sample: [zroot/guests/web1]
timings:
  description: Seconds per phase.
  returned: always
  type: dict
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402


def main():
    run(DOCUMENTATION)


if __name__ == "__main__":
    main()
