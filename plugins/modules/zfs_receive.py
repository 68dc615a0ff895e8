# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: zfs_receive
short_description: Turn an image into a volume, or make an empty one
version_added: 0.1.0
description:
  - Makes a volume from a ZFS send stream of a volume, which may be compressed or packed in an image package.
  - The volume is a raw file (O(path)) on a host without ZFS, or a ZFS volume (O(dataset)).
  - With O(blank), it makes no volume from an image, but an empty one for a guest's data.
  - The whole stream is verified while it is received. The volume gets its name only when the checksums of the stream, its structure,
    the end of the file, the decompressor, the package and O(sha256) have all been judged. Streams that C(zfs receive) would take though
    they are wrong, some of which panic its kernel, are refused.
  - A volume is known by the guid of the snapshot it was made from, not by name, size or date. A volume with the wanted guid is left as
    it is, whatever its guest has written to it.
  - A run that was killed at any moment is put right by the next one.
author:
  - The apiary.bhyve developers (!UNKNOWN)
attributes:
  check_mode:
    description: Says what would be done. Where an image would be received, all of it is read and verified.
    support: full
  diff_mode:
    description: Shows guid and size of the volume before and after.
    support: full
  progress:
    description: A run of more than a few seconds is kept apart from the connection and watched.
    support: full
options:
  src:
    description:
      - The image on the host. A stream as C(zfs send) writes it, compressed with zstd, gzip or xz or not at all, or an image package
        as M(apiary.bhyve.bhyve_image) fetches it. Which of them it is is told by its content.
      - What was verified is what is received. A file that belongs to somebody else than root or the user of the module, or that group or
        others may write to, is copied through memory; one that nobody else may change is read a second time by the kernel, which is
        faster. Access lists that give more than the mode shows are not looked at.
      - Streams of one volume are accepted as C(zfs send) makes them with any of C(-c), C(-e), C(-L), C(-p), C(-R), C(-i) and C(-I).
        Encrypted raw, redacted, deduplicated and resumed streams, streams of file systems and of several datasets are refused.
      - An incremental stream goes onto the volume that has the guid it starts from, if nothing has been written to it since.
      - Decompressing takes at most what C(zstd -19 --long=25) and C(xz -8) need, and inside a package that is compressed itself what
        C(zstd -19) and C(xz -6) need; a stream that needs more memory is refused.
      - Required for O(state=present) without O(blank). Where O(guid) is given and a volume with that guid is there, the file needs not be there any more.
    type: path
  sha256:
    description:
      - SHA-256 of the file O(src) as it is stored, 64 lower-case hexadecimal digits. It is checked in the same pass.
    type: str
  guid:
    description:
      - Guid of the image's snapshot in decimal digits, as in RV(ignore:image.guid) of M(apiary.bhyve.bhyve_image). An image with
        another guid is refused.
      - Write it as text. It is a number of 64 bits, which not every tool keeps exactly.
    type: str
  path:
    description:
      - Absolute path of the raw file. Its folder is made where it is missing. The file has holes where the volume has them.
      - The file system must keep extended attributes, as ext4, xfs, btrfs, UFS and ZFS do. The image's guid is kept in the attribute
        C(user.apiary.bhyve.volume) of the file.
      - Exactly one of O(path), O(dataset) and O(volumes) is required; with O(golden) none of them.
    type: path
  dataset:
    description:
      - Name of the ZFS volume, C(POOL/FOLDER/NAME). Its parent must exist. Letters, digits and C(-_.:) are accepted, and 220 bytes.
      - It is known by the image's snapshot, which a copy has as C(NAME@image) and a clone as its origin, whatever they are called by now.
      - Exactly one of O(path), O(dataset) and O(volumes) is required; with O(golden) none of them.
      - An ordinary user needs C(zfs allow) of clone, create, destroy, mount, receive, refreservation, rename, userprop, volmode and
        volsize on the datasets above.
    type: str
  volumes:
    description:
      - Several ZFS volumes of the same image, made in one call.
    type: list
    elements: dict
    suboptions:
      dataset:
        description: Name of the ZFS volume, as in O(dataset).
        type: str
        required: true
      volsize:
        description: Its size where it is not O(volsize).
        type: str
      properties:
        description: Its own properties, on top of O(properties).
        type: dict
  guests:
    description:
      - Several guests in one call, which costs what one costs. The options of each by its name; those beside O(guests) go for all of
        them.
      - Guests whose volumes are made from the same image are looked at together, and the image is received once.
      - What goes wrong with one guest is its own affair. The others are done, and the task fails at the end. See RV(guests).
    type: dict
  blank:
    description:
      - Whether the volume is not made from an image, but empty, of the size O(volsize), which is required then. A new one takes no space
        until something is written to it.
      - Where a volume or a file is there already, it is the one that was asked for, whatever it holds and whoever made it. It is grown to
        O(volsize) where it is smaller, and never replaced. Only O(state=absent) removes it.
      - Goes with O(path), or with O(dataset) and O(properties), and in each of O(guests), whose empty volumes are looked at together. The
        options of an image (O(src), O(guid), O(sha256), O(golden), O(image), O(replace)) and O(volumes) are refused beside it.
      - It is false where it is not given.
    type: bool
  golden:
    description:
      - File system in which images are kept, C(POOL/images). The image is received once as C(POOL/images/NAME@image), and O(dataset)
        becomes a clone of it, which takes no time and almost no space. Runs at once for the same image wait for the one that receives it.
      - The golden volume has no device (C(volmode=none)); its clones do.
      - An incremental image becomes a clone of the golden volume that it applies to, which must be in here.
      - Without it, O(dataset) is an independent copy.
      - Goes with O(dataset) and O(volumes), or alone to bring an image to a host beforehand.
    type: str
  image:
    description:
      - Name of the golden volume in O(golden). By default that of the file O(src) without C(.pkg), C(.zfs) and suffixes of compressors.
    type: str
  properties:
    description:
      - ZFS properties that the volumes have, such as C(compression), C(volmode), C(reservation) or properties of one's own. Those named
        here are compared and put right on every run, others are left alone.
      - A volume is made with C(refreservation=none), and on FreeBSD with C(volmode=dev), unless these are given here.
      - Goes with O(dataset) and O(volumes) only.
    type: dict
  volsize:
    description:
      - Size of the volume in bytes, or with a unit of 1024 as in V(40G). A smaller volume is grown to it, whether it is new or not.
      - A size below that of the image or of the present volume is refused.
      - Of an empty ZFS volume, it is rounded up to whole blocks, by ZFS itself.
      - By default the volume has the image's size, or the one it has.
    type: str
  state:
    description:
      - With V(present), the volume shall be there with the image O(src). One that is missing because an exchange of
        M(apiary.bhyve.zfs_swap) was cut is not made anew, which would hide what its guest has; the message says how to finish the exchange.
      - With V(absent), it shall not. A file that this module has not made is not removed without O(force).
      - A ZFS volume goes with its own snapshots, but not while anybody has it open, holds a snapshot of it or has clones of it, as of a
        golden volume that is used. Who does is named.
    type: str
    choices: [present, absent]
    default: present
  replace:
    description:
      - Whether a volume with another image may be replaced. The old one is kept as C(NAME.old-YYYYMMDDTHHMMSSZ) beside it, and can be
        removed with O(state=absent).
    type: bool
    default: false
  force:
    description:
      - Whether a file at O(path) that this module has not made may be removed, or with O(replace=true) be kept under a dated name to
        make way.
    type: bool
    default: false
  mode:
    description:
      - Permissions that the raw file gets when it is made, in octal digits. A disk holds secrets.
    type: str
    default: '0600'
seealso:
  - module: apiary.bhyve.bhyve_image
  - module: apiary.bhyve.libvirt_domain
"""

EXAMPLES = r"""
- name: Make a guest's disk on a host without ZFS
  apiary.bhyve.zfs_receive:
    src: "{{ fetched.image.path }}"
    guid: "{{ fetched.image.guid }}"
    path: /var/lib/guests/web1.raw
    volsize: 40G

- name: Clone a guest's disk from the golden volume, which is received first where it is missing
  apiary.bhyve.zfs_receive:
    src: "{{ fetched.image.path }}"
    guid: "{{ fetched.image.guid }}"
    dataset: tank/vm/web1
    golden: tank/images
    volsize: 40G

- name: Make the disks of several guests at once
  apiary.bhyve.zfs_receive:
    src: "{{ fetched.image.path }}"
    guid: "{{ fetched.image.guid }}"
    golden: tank/images
    properties:
      compression: zstd
    volumes:
      - dataset: tank/vm/web1
      - dataset: tank/vm/db1
        volsize: 200G
        properties:
          reservation: 200G

- name: Make the disks of guests that have images of their own, each with its own failure
  apiary.bhyve.zfs_receive:
    golden: tank/images
    guests:
      web2:
        src: "{{ fetched.guests.web2.image.path }}"
        guid: "{{ fetched.guests.web2.image.guid }}"
        dataset: tank/vm/web2
      db2:
        src: "{{ fetched.guests.db2.image.path }}"
        guid: "{{ fetched.guests.db2.image.guid }}"
        dataset: tank/vm/db2
        volsize: 40G

- name: Make an empty disk for the data of a guest, which stays when the guest is deployed anew
  apiary.bhyve.zfs_receive:
    dataset: tank/vm/db1:data
    blank: true
    volsize: 100G
    properties:
      compression: zstd

- name: Make a guest's disk and an empty one on a host without ZFS, in one call
  apiary.bhyve.zfs_receive:
    guests:
      mail1:
        src: "{{ fetched.image.path }}"
        guid: "{{ fetched.image.guid }}"
        path: /var/lib/guests/mail1.raw
      mail1:data:
        path: /var/lib/guests/mail1:data.raw
        blank: true
        volsize: 10G

- name: Make a disk from a compressed stream that zfs send has written
  apiary.bhyve.zfs_receive:
    src: /var/tmp/web1-20260101.zfs.zst
    sha256: 51ef7a2f2f3b7ba9f96d6d47a6d94e4a7b0d2b2b8b1f5d3a2a5f1f4f8c7d6e5b
    path: /var/lib/guests/web1.raw

- name: Bring the disk up to date, and keep the old one beside it
  apiary.bhyve.zfs_receive:
    src: /var/tmp/web1-20260201.zfs.zst
    path: /var/lib/guests/web1.raw
    replace: true

- name: Remove the disk
  apiary.bhyve.zfs_receive:
    path: /var/lib/guests/web1.raw
    state: absent
"""

RETURN = r"""
volume:
  description: The volume; with O(state=absent) the one that was there.
  returned: success
  type: dict
  contains:
    device:
      description: What a guest is given as its disk; it is there and can be opened. Null with C(volmode=none).
      type: str
      sample: /var/lib/guests/web1.raw
    dataset:
      description: Name of a ZFS volume.
      type: str
      sample: tank/vm/web1
    origin:
      description: The snapshot that a ZFS volume is a clone of, or null.
      type: str
      sample: tank/images/FreeBSD-14.2-RELEASE-ZFS-20G-20250515@image
    guid:
      description: Guid of the image's snapshot in decimal digits. Null of an empty volume.
      type: str
      sample: "7119270074782723516"
    size:
      description: Bytes of the volume. In check mode it is null where the image is not there to be read.
      type: int
      sample: 42949672960
    volblocksize:
      description: Bytes of one block of the image's volume. Of an empty one it is known once it is there.
      type: int
      sample: 16384
    replaced:
      description: Where the volume that was there before is kept, or null.
      type: str
      sample: /var/lib/guests/web1.raw.old-20261122T181500Z
volumes:
  description: All ZFS volumes that were asked for, each as in RV(volume).
  returned: with O(dataset), O(volumes) or O(golden)
  type: list
  elements: dict
golden:
  description: The golden volume.
  returned: with O(golden)
  type: dict
  contains:
    snapshot:
      description: The snapshot that volumes are clones of.
      type: str
      sample: tank/images/FreeBSD-14.2-RELEASE-ZFS-20G-20250515@image
    guid:
      description: Guid of that snapshot in decimal digits.
      type: str
      sample: "7119270074782723516"
    replaced:
      description: Where the golden volume that was there before is kept, or null.
      type: str
      sample: tank/images/FreeBSD-14.2-RELEASE-ZFS-20G-20250515.old-20261122T181500Z
guests:
  description:
    - What became of each guest, by its name; the keys are those that one guest alone is answered with, C(changed), C(failed) and
      C(msg) among them. Differences and warnings are the whole task's, with the guest's name in front.
  returned: with O(guests)
  type: dict
timings:
  description:
    - Seconds of each phase, and bytes where they are counted. C(timings.apply.bytes) (of a raw file) or C(timings.receive.bytes)
      (of a dataset), or C(timings.verify.bytes) in check mode, are those of the stream.
  returned: always
  type: dict
  sample: {observe: {seconds: 0.002}, apply: {seconds: 1.55, bytes: 1094212656}, total: {seconds: 1.56}}
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402

# What the documentation has no words for.
RULES = {
    "mutually_exclusive": [["path", "dataset", "volumes"], ["path", "golden"], ["path", "image"], ["path", "properties"]],
    "required_one_of": [["path", "dataset", "volumes", "golden", "guests"]],
    "required_by": {"image": ["golden"]},
    "required_if": [["state", "present", ["src", "guests", "blank"], True]],
}


def main():
    run(DOCUMENTATION, **RULES)


if __name__ == "__main__":
    main()
