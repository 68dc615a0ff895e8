# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bhyve_catalog_mirror
short_description: Keep a copy of another catalogue of virtual-machine images, and copy only what has changed
version_added: 0.1.0
description:
  - Copies a whole catalogue (a pkg(8) repository, as M(apiary.bhyve.bhyve_catalog) writes it) into a folder, for the hosts next to it. The
    lists are copied with their signatures, so clients of a mirror trust the same key as those of its origin.
  - Nothing is taken before the signature of both lists is right. Size and checksum of each package are verified while it is copied. One
    that is there is neither fetched nor read again.
  - Packages come first, the lists that name them after all of them, each at once. What is not listed any more is removed last. Clients
    see the old or the new catalogue, and a run that is killed is completed by the next one; over http and from a path it continues in
    the middle of a package.
  - The page for people is not signed, and therefore not copied.
  - The program works by itself, too, from cron for example, as C(bhyve_catalog_mirror FILE) with these options as JSON in a file. It ends
    with exit status 0 unless it has failed. The role P(apiary.bhyve.image_repository#role) sets that up.
author:
  - The apiary.bhyve developers (!UNKNOWN)
requirements:
  - ssh(1) on the host for C(ssh://) repositories
extends_documentation_fragment:
  - apiary.bhyve.catalogue
attributes:
  check_mode:
    description: Reads the lists, and says what would be copied and removed.
    support: full
  diff_mode:
    description: Shows which package files come and go.
    support: full
  progress:
    description: A run of more than a few seconds is kept apart from the connection and watched.
    support: full
options:
  path:
    description:
      - The folder of the mirror. It is made where it does not exist.
      - A folder that holds a catalogue of its own, not a mirror, is refused.
    type: path
    required: true
  repository:
    description:
      - The catalogue to copy, one place or several mirrors, as for M(apiary.bhyve.bhyve_image).
      - Its lists must have their usual names, C(data.pkg) and C(packagesite.pkg).
    type: list
    elements: str
    required: true
  allow_older:
    description: Copies, in this call, a catalogue that was replaced by a newer one before, as for M(apiary.bhyve.bhyve_image).
    type: bool
    default: false
  lock_timeout:
    description: Seconds to wait for another run.
    type: float
    default: 3600
seealso:
  - module: apiary.bhyve.bhyve_catalog
  - module: apiary.bhyve.bhyve_image
"""

EXAMPLES = r"""
- name: Keep the images in the second site, too
  apiary.bhyve.bhyve_catalog_mirror:
    path: /var/db/apiary/catalog
    repository: ssh://images@repo.example.org
    pubkey: /usr/local/etc/apiary/images.pub
    ssh_key: /root/.ssh/images
    ssh_known_hosts: /usr/local/etc/apiary/known_hosts
"""

RETURN = r"""
path:
  description: The folder of the mirror.
  returned: success
  type: str
  sample: /var/db/apiary/catalog
packages:
  description: All that the mirror has after the run, by C(NAME-VERSION).
  returned: success
  type: list
  elements: str
  sample: [FreeBSD-14.2-RELEASE-ZFS-20G-20250515]
fetched:
  description: The packages that were copied, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [FreeBSD-14.2-RELEASE-ZFS-20G-20250515]
removed:
  description: The package files that were removed, or would be in check mode, by their path in the folder.
  returned: success
  type: list
  elements: str
  sample: [All/FreeBSD-13.2-RELEASE-ZFS-20G-20230701.pkg]
timings:
  description: Seconds and bytes per phase.
  returned: always
  type: dict
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402


def main():
    run(DOCUMENTATION)


if __name__ == "__main__":
    main()
