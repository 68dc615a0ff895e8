# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bhyve_image
short_description: Fetch virtual-machine images from a signed catalogue into a host's store, verified
version_added: 0.1.0
description:
  - Sees to it that images are in the store of a host, or are not. A catalogue is a pkg(8) repository whose packages carry one
    ZFS send stream each, as M(apiary.bhyve.bhyve_catalog) writes it.
  - Verified, in one pass while fetching, are the signature of the catalogue, size and checksum of the package, that the package
    describes itself as the catalogue does, and the checksum of the stream in it. Whether the stream is fit for ZFS is judged by
    M(apiary.bhyve.zfs_receive). Nothing is unpacked; the store keeps the package.
  - A package that breaks off, is larger or smaller than promised or has one wrong byte is refused and leaves nothing behind.
    A run that is killed leaves a partial file, which is never taken for a whole one; the next run completes it over http, from a
    path, and over ssh from C(bhyve_catalog_server). From C(pkg ssh), which cannot begin within a file, it starts over.
  - Several runs at once fetch an image once; the others wait.
  - A silent server, and one that sends less than 8 KiB per second, is given up. See O(timeout).
  - The store remembers which catalogues a repository has shown. One that was replaced by a newer one is refused, because an
    old signature is still a right signature. O(allow_older) takes it even so, if the publisher has really gone back.
  - The store remembers as well which catalogue vouched for an image, and with whose signature. Asked for it by another
    O(repository), O(signature_type) or key, or after the key was revoked, the catalogue is read again and has to vouch for the very
    same package; otherwise it is fetched anew or refused. An image once taken with O(signature_type=none) is not trusted for ever.
author:
  - The apiary.bhyve developers (!UNKNOWN)
requirements:
  - ssh(1) on the host for C(ssh://) repositories
extends_documentation_fragment:
  - apiary.bhyve.catalogue
attributes:
  check_mode:
    description: Reads the catalogue where the store cannot answer, and says what would be fetched or removed.
    support: full
  diff_mode:
    description: Shows which images come and go.
    support: full
  progress:
    description: A run of more than a few seconds is kept apart from the connection and watched.
    support: full
options:
  name:
    description:
      - The images, each either exactly as C(NAME-VERSION) or by its C(NAME) for the newest version.
      - What is exactly a C(NAME-VERSION) is never taken for a C(NAME).
      - As strict as ZFS and file systems together, a name has up to 128 letters, digits, dots, underscores and hyphens, and
        starts with a letter or digit.
      - One of O(name) and O(guests) is required.
    type: list
    elements: str
  guests:
    description:
      - Several guests in one call, which costs what one costs. The options of each by its name; those beside O(guests) go for all of
        them. O(name) is the one image of a guest.
      - Guests that ask for the same image share one look at the catalogue. A C(NAME) without a version means the catalogue's newest here,
        whatever the store has, because a guest whose volume is there is known by O(dataset) or O(path).
      - What goes wrong with one guest is its own affair. The others are done, and the task fails at the end. See RV(guests).
    type: dict
  dataset:
    description:
      - The ZFS volume of the guest that the image is for.
      - Where it is there, nothing is fetched. The answer is what is known of the image it was made from, which may be gone from store
        and catalogue; another image than O(name) asks for is refused. A guest keeps its version of a C(NAME), and is told of a newer one.
    type: str
  path:
    description: The raw file of the guest that the image is for, as O(dataset) on a host without ZFS.
    type: path
  state:
    description:
      - V(present) asks the catalogue only where the store has no image of that name, in any version, that this catalogue vouched for.
      - V(latest) asks the catalogue always, and fetches its newest version of a C(NAME). Older versions stay in the store.
        A package that was replaced under the same version is fetched again.
      - V(absent) removes the very C(NAME-VERSION), or all versions of a C(NAME). No catalogue is needed.
    type: str
    choices: [present, latest, absent]
    default: present
  repository:
    description:
      - Where the catalogue is.
      - An absolute path or C(file://) is a folder of the host.
      - C(http://) and C(https://) are resumed where a connection breaks, if the server proves that the file is the same.
        Proxies are taken from the environment. There must be no login, and so no C(@), in it.
      - C(ssh://[user@]host[:port]/folder) speaks pkg's own protocol with C(pkg ssh) or C(bhyve_catalog_server) on the
        other side, as the role P(apiary.bhyve.image_repository#role) installs them.
      - A single word is the name of a repository that pkg(8) on the host is configured for. URL, keys and ssh arguments are
        taken from there. Fetching is not left to pkg, which takes a wrong signature or a corrupt file with exit status 0.
      - Several places are mirrors of one catalogue, tried in this order. One that does not answer, is not signed as it must be, or lags behind is left
        for the next, with a warning. What was seen at one counts for all, and a package that one breaks off is completed by the next.
      - Needed unless everything asked for is in the store, or O(state=absent).
    type: list
    elements: str
  allow_older:
    description:
      - Takes, in this call, a catalogue that was replaced by a newer one before, and remembers it as the newest.
      - For a publisher who has withdrawn an image with pkg(8), whose lists have no number, or has begun anew.
    type: bool
    default: false
  store:
    description:
      - The folder that keeps images. It is made where it does not exist.
      - It is below C(/var/db) because it is not a mere cache. It also keeps in mind which catalogues were seen.
    type: path
    default: /var/db/apiary/images
seealso:
  - module: apiary.bhyve.bhyve_image_info
  - module: apiary.bhyve.bhyve_catalog
  - module: apiary.bhyve.zfs_receive
"""

EXAMPLES = r"""
- name: Fetch one image over ssh
  apiary.bhyve.bhyve_image:
    name: FreeBSD-14.2-RELEASE-ZFS-20G-20250515
    repository: ssh://images@repo.example.org
    pubkey: /usr/local/etc/apiary/images.pub
    ssh_key: /root/.ssh/images
  register: fetched

- name: Receive it as the volume of a guest
  apiary.bhyve.zfs_receive:
    src: "{{ fetched.image.path }}"
    guid: "{{ fetched.image.guid }}"
    dataset: zroot/guests/web1

- name: Keep the newest of two images, signed by any of several keys
  apiary.bhyve.bhyve_image:
    name: [FreeBSD-14.2-RELEASE-ZFS-20G, debian-12-ZFS-10G]
    state: latest
    repository: https://repo.example.org
    signature_type: fingerprints
    fingerprints: /usr/local/etc/pkg/fingerprints/images

- name: Fetch what new guests are made from; guests that are there keep what they have
  apiary.bhyve.bhyve_image:
    repository: ssh://images@repo.example.org
    pubkey: /usr/local/etc/apiary/images.pub
    guests:
      web1:
        name: FreeBSD-14.2-RELEASE-ZFS-20G
        dataset: zroot/guests/web1
      db1:
        name: FreeBSD-14.2-RELEASE-ZFS-20G-20250515
        dataset: zroot/guests/db1

- name: Make room
  apiary.bhyve.bhyve_image:
    name: FreeBSD-13.2-RELEASE-ZFS-20G
    state: absent
"""

RETURN = r"""
image:
  description:
    - The image, where exactly one was asked for and is not O(state=absent).
    - In check mode, what it would be; RV(image.sha256) is null where the catalogue does not tell it.
  returned: success, for one name
  type: dict
  contains: &image
    name:
      description: Name without the version.
      type: str
      returned: always
      sample: FreeBSD-14.2-RELEASE-ZFS-20G
    version:
      description: The version.
      type: str
      returned: always
      sample: "20250515"
    path:
      description: The package in the store.
      type: str
      returned: always
      sample: /var/db/apiary/images/FreeBSD-14.2-RELEASE-ZFS-20G-20250515.pkg
    sha256:
      description: SHA-256 of the package.
      type: str
      returned: always
    size:
      description: Bytes of the package.
      type: int
      returned: always
      sample: 612368384
    volsize:
      description: Bytes of the volume in it.
      type: int
      returned: always
      sample: 21474836480
    volblocksize:
      description: Bytes of a block of that volume.
      type: int
      returned: always
      sample: 65536
    guid:
      description:
        - The guid of the snapshot in it, which is the identity of the image, in decimal digits.
        - Text, because not every reader of JSON keeps a number of 64 bits.
      type: str
      returned: always
      sample: "746768402527732875"
    fromguid:
      description: For an incremental image, the guid that it builds on.
      type: str
      returned: always
    parent:
      description: For an incremental image, the image with that guid.
      type: str
      returned: always
    os:
      description: The system in it, as its publisher calls it.
      type: str
      returned: always
      sample: freebsd
    arch:
      description: The machines it is for, V(amd64) or V(aarch64). Null where it does not say so.
      type: str
      returned: always
      sample: amd64
    min_memory:
      description: Bytes of memory that a guest needs.
      type: int
      returned: always
    loader:
      description: What boots it.
      type: str
      returned: always
      sample: uefi
    disk_driver:
      description: The disk device that it has a driver for.
      type: str
      returned: always
      sample: virtio-blk
    network_driver:
      description: The network device that it has a driver for.
      type: str
      returned: always
      sample: virtio-net
    comment:
      description: One line about it.
      type: str
      returned: always
      sample: FreeBSD 14.2 with ZFS
    date:
      description: The day that its version begins with, if it does.
      type: str
      returned: always
      sample: "2025-05-15"
    labels:
      description: Labels of the publisher's own.
      type: dict
      returned: always
      sample: {team: web}
images:
  description: All images asked for, in the order of O(name). Empty with O(state=absent).
  returned: success
  type: list
  elements: dict
  contains: *image
newer:
  description:
    - The newest version of the C(NAME) that was asked for, where the guest has an older one; else null.
    - Null as well, with a warning, where the catalogue cannot be read.
  returned: for a guest whose volume is there
  type: str
  sample: "20260601"
guests:
  description:
    - What became of each guest, by its name; the keys are those that one guest alone is answered with, C(changed), C(failed) and
      C(msg) among them. Differences and warnings are the whole task's, with the guest's name in front.
  returned: with O(guests)
  type: dict
timings:
  description: Seconds and bytes per phase.
  returned: always
  type: dict
  sample: {observe: {seconds: 0.0001}, catalogue: {seconds: 0.2}, apply: {seconds: 9.1, bytes: 612368384}, total: {seconds: 9.4}}
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402

RULES = {
    "required_one_of": [["name", "guests"]],
    "mutually_exclusive": [["name", "guests"], ["dataset", "path"]],
    "required_if": [
        ("state", "latest", ["repository"]),
    ],
}


def main():
    run(DOCUMENTATION, **RULES)


if __name__ == "__main__":
    main()
