# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bhyve_catalog
short_description: Publish virtual-machine images in a signed catalogue, and withdraw them
version_added: 0.1.0
description:
  - Keeps a catalogue of images, which is a folder in the form of a pkg(8) repository. C(pkg install NAME) works with it, and so does
    M(apiary.bhyve.bhyve_image) on hosts without pkg.
  - An image is a package that carries one ZFS send stream of a volume. It is made from a disk in any common form without any ZFS, or
    from a stream or a snapshot.
  - A published image never changes. The same source under the same name and version changes nothing; another source, or other
    annotations, are an error that says what to do.
  - The guid of an image made from a disk is derived from its name, version, block size and content. The same input gives the same
    package, byte for byte.
  - The package is written first and the list that names it last, each at once; clients see the old or the new catalogue. Several
    publishers wait for each other. What a killed run has left is removed by the next one.
  - The list that is there must be signed by one's own key before it is signed again.
author:
  - The apiary.bhyve developers (!UNKNOWN)
requirements:
  - qemu-img(1) for all disks but raw ones
  - zfs(8) for snapshots
  - gpgv(1) for O(source_keyring)
attributes:
  check_mode:
    description: Reads catalogue and source, and says what would be published or withdrawn.
    support: full
  diff_mode:
    description: Shows the images that come and go with all that the catalogue says of them.
    support: full
  progress:
    description: A run of more than a few seconds is kept apart from the connection and watched.
    support: full
options:
  path:
    description: The folder of the catalogue. It is made where it does not exist.
    type: path
    required: true
  name:
    description:
      - The name of the image without its version. Letters, digits, dots, underscores and hyphens, 128 with the version.
      - With O(state=pruned), the only image to prune; all where it is not given.
    type: str
  version:
    description:
      - The version, of letters, digits, dots and underscores, with a digit in front. A date as in V(20260515) is a good one and gives the
        snapshot its time.
    type: str
  source:
    description:
      - A file or disk device on the host by its absolute path, or the name of a snapshot, as in V(zroot/build/vm@done). Pipes and
        sockets are refused.
      - Or a URL of http or https. It is checked, unpacked and written in one pass. A transfer that breaks goes on where it was, if the server can,
        and one that is busy is asked again. What follows a question mark is not shown. Check mode fetches it, too.
      - What a file is, is decided by what it holds. Raw, qcow2, VMDK, VHD, VHDX and VDI disks are taken, and an OVA that has one disk. Compressed
        with gzip, bzip2, xz or zstd (also in several parts, as by C(pzstd)), they are unpacked in one pass into the folder of the catalogue, and
        no further than there is room.
      - What is known to be something else is refused by name. A disk that was cut short is refused where its form shows that (C(qemu-img check)
        must find no damage), and warned of where a partition table speaks of a larger disk. A disk in which nothing is known, and one that another
        process has open for writing, are warned of, too.
      - It must not change meanwhile; one that does is noticed and refused.
    type: str
  source_host:
    description:
      - Another host of the inventory that has the source, which is the disk of a guest there. O(source) is then the name of a ZFS volume, as in
        V(zroot/guests/web1), or the absolute path of a raw file. It is what the playbook C(apiary.bhyve.capture) does.
      - The bytes go by way of the controller, over the two connections that Ansible has anyway, and are verified here as any stream is. Of a
        ZFS volume they are those of a snapshot (C(apiary-capture-MOMENT)), which is taken for that and destroyed at its end. The guest of a raw file
        has to be off.
      - It is kept as annotation C(image_captured_from). An image of this name, version and origin that is in the catalogue is not captured again, whatever
        its guest has written since.
      - Everything on the disk goes into the image, the guest's host keys, machine id, logs and passwords among it.
      - The connections have to be C(ssh) or C(local), without a password to log in or to become root with. O(format), O(parent) and
        O(source_checksum) are not for it, and neither is C(async).
    type: str
  format:
    description:
      - What the source is, when it is unpacked. V(auto) looks at it, takes a device for the disk that it is, and refuses a file that begins like a
        send stream. A guest may have written that into its disk, so V(stream) or V(raw) has to be said.
      - What is called as a disk of another form (C(.vhd), C(.vmdk), C(.vdi), C(.vhdx), C(.qcow2)) and holds none is refused by V(auto), as a
        fixed VHD is that has lost its footer.
      - V(raw) takes any file as it is, unless its name ends as that of a compressed one (C(.gz), C(.bz2), C(.xz), C(.zst)) and it is one.
      - A disk that refers to another file is refused, and so is a VMDK disk in several files.
      - V(snapshot) is sent with C(zfs send -L), and twice, first for its checksum.
    type: str
    choices: [auto, raw, qcow2, vmdk, vhd, vhdx, vdi, ova, stream, snapshot]
    default: auto
  source_checksum:
    description:
      - What the source must be, as it comes, before it is unpacked. V(sha256:DIGITS) or V(sha512:DIGITS), or the absolute path or URL of a list
        that has it, as vendors hand it out (C(SHA256SUMS), C(CHECKSUM.SHA512), as of C(sha256sum), C(sha256sum --tag) or FreeBSD's C(sha256)).
      - In a list, the source is looked for by the name of its file. Other kinds of checksums are not asked.
      - It is kept as annotation C(image_source). An image that was published from a file with this checksum is not fetched or read again.
    type: str
  source_signature:
    description:
      - The absolute path or URL of the signature of the list that O(source_checksum) names. Leave it out where the list has it in itself.
      - It is verified by the host's own gpgv(1).
    type: str
  source_keyring:
    description: File on the host with the keys of which one must have signed that list, as C(gpg --export) writes them, with C(--armor) or without.
    type: path
  ca_path:
    description: A PEM file with the certificate authorities that https trusts instead of the host's own.
    type: path
  volblocksize:
    description: Block size of a volume made from a disk, a power of two from 4K to 1M. All guests made from the image have it.
    type: str
    default: 64K
  os:
    description: The system in the image, as V(freebsd) or V(debian-12); annotation C(image_os).
    type: str
  arch:
    description:
      - The machines that the image is for; annotation C(image_arch). No host takes an image for others. One without it is for all.
      - The package has it as ABI as well, so that pkg(8) refuses to install it elsewhere. In the list every package is for all machines, because
        pkg refuses lists that have others. Images for both may be in one catalogue, by different names or versions.
    type: str
    choices: [amd64, aarch64]
  comment:
    description: One line about the image.
    type: str
  maintainer:
    description: Whom to write to, which pkg wants every package to name.
    type: str
  www:
    description: A page about the image, which pkg wants every package to have.
    type: str
  requirements:
    description: What a guest needs. The role P(apiary.bhyve.guest#role) refuses a guest with less memory or another loader.
    type: dict
    suboptions:
      memory:
        description: Memory, as in V(512M); annotation C(image_min_memory).
        type: str
      loader:
        description: What boots it, as V(uefi) or V(bhyveload); annotation C(image_loader).
        type: str
      disk_driver:
        description: The disk device that it has a driver for, as V(virtio-blk) or V(nvme); annotation C(image_disk_driver).
        type: str
      network_driver:
        description: The network device that it has a driver for, as V(virtio-net); annotation C(image_network_driver).
        type: str
  annotations:
    description:
      - Labels of your own. Names that start with C(image_) are made from the other options.
      - The catalogue itself adds C(image_format), C(image_volsize), C(image_volblocksize), C(image_guid), C(image_sha256) (of the stream),
        C(image_compression) (of the package), and for an incremental image C(image_fromguid) and C(image_parent).
    type: dict
  parent:
    description:
      - C(NAME-VERSION) of the image in the catalogue that an incremental stream builds on. The package depends on it.
      - A snapshot is then sent as the difference to the snapshot of the same dataset that has the parent's guid.
    type: str
  compression:
    description: How the package is compressed. V(none) is right for a stream whose blocks are compressed already.
    type: str
    choices: [zstd, none]
    default: zstd
  compression_level:
    description: Level of zstd, 1 to 19.
    type: int
    default: 3
  compression_threads:
    description: Compressing threads, V(0) for one per processor. The package is the same with any number.
    type: int
    default: 0
  signature_type:
    description:
      - For which clients to sign, those that have the public key or those that have its fingerprint.
      - V(none) leaves the catalogue unsigned, so that everybody who can write to it can change it unnoticed.
    type: str
    choices: [pubkey, fingerprints, none]
    default: pubkey
  signing_key:
    description:
      - File on the host with the private key (RSA, ECDSA over secp256k1 or Ed25519), as M(apiary.bhyve.bhyve_catalog_key) or C(pkg key --create)
        makes it. PKCS 8, PKCS 1 and SEC 1 are read, as PEM or DER.
      - Nobody but its owner may have access to it.
    type: path
  signing_command:
    description:
      - Command and arguments of a program that signs instead, in pkg's own protocol. It reads the SHA-256 in hexadecimal from its standard
        input and writes C(SIGNATURE), the signature, C(CERT), the public key and C(END), each on lines of its own, and C(TYPE) and the kind
        of the key before that if it is not RSA.
      - Needs O(signature_type=fingerprints) and O(pubkey).
    type: list
    elements: str
  pubkey:
    description:
      - File with the public key that O(signing_command) signs with.
      - With O(signing_key), the public key that the catalogue was signed with before. Needed once, to change the key.
    type: path
  lock_timeout:
    description: Seconds to wait for another publisher.
    type: float
    default: 3600
  keep:
    description: How many versions of each image O(state=pruned) keeps, the newest ones.
    type: int
  keep_days:
    description:
      - How many days O(state=pruned) keeps every image. Counted from the date in its version, or else from when its package was written.
    type: int
  keep_images:
    description: Images that O(state=pruned) never withdraws, each by C(NAME-VERSION). For those that another task publishes with every run.
    type: list
    elements: str
  state:
    description:
      - V(present) publishes the image.
      - V(absent) withdraws it, unless another one builds on it.
      - V(pruned) withdraws old versions, see O(keep) and O(keep_days), but none that a remaining one builds on. Check mode is the preview.
    type: str
    choices: [present, absent, pruned]
    default: present
seealso:
  - module: apiary.bhyve.bhyve_catalog_key
  - module: apiary.bhyve.bhyve_image
  - module: apiary.bhyve.bhyve_image_info
"""

EXAMPLES = r"""
- name: Publish a raw disk
  apiary.bhyve.bhyve_catalog:
    path: /repo/images
    name: FreeBSD-14.2-RELEASE-ZFS-20G
    version: "20260515"
    source: /build/FreeBSD-14.2-RELEASE-amd64-zfs.raw
    os: freebsd
    requirements:
      memory: 512M
      loader: uefi
      disk_driver: nvme
    annotations:
      team: web
    signing_key: /usr/local/etc/apiary/images.key

- name: Publish what a vendor hands out, as his signed list has it
  apiary.bhyve.bhyve_catalog:
    path: /repo/images
    name: debian-12
    version: "20260515"
    source: https://images.example.org/debian-12-genericcloud-amd64.qcow2
    source_checksum: https://images.example.org/SHA512SUMS
    source_signature: https://images.example.org/SHA512SUMS.sign
    source_keyring: /usr/local/etc/apiary/vendor.asc
    os: debian-12
    signing_key: /usr/local/etc/apiary/images.key

- name: Publish what has changed since as an image of its own
  apiary.bhyve.bhyve_catalog:
    path: /repo/images
    name: FreeBSD-14.2-web
    version: "20260601"
    source: zroot/build/freebsd@web
    parent: FreeBSD-14.2-RELEASE-ZFS-20G-20260515
    os: freebsd
    signing_key: /usr/local/etc/apiary/images.key

- name: Keep the three newest versions of every image, and all of the last month
  apiary.bhyve.bhyve_catalog:
    path: /repo/images
    state: pruned
    keep: 3
    keep_days: 30
    signing_key: /usr/local/etc/apiary/images.key

- name: Withdraw one image
  apiary.bhyve.bhyve_catalog:
    path: /repo/images
    name: FreeBSD-13.2-RELEASE-ZFS-20G
    version: "20230701"
    state: absent
    signing_key: /usr/local/etc/apiary/images.key
"""

RETURN = r"""
image:
  description: The published image.
  returned: success, with O(state=present), unless a check has announced what another host would send
  type: dict
  contains:
    name:
      description: Name without the version.
      type: str
      returned: always
      sample: FreeBSD-14.2-RELEASE-ZFS-20G
    version:
      description: The version.
      type: str
      returned: always
      sample: "20260515"
    path:
      description: The package. Null in check mode where it is not written yet, like the two that follow.
      type: str
      returned: always
      sample: /repo/images/All/FreeBSD-14.2-RELEASE-ZFS-20G-20260515.pkg
    sha256:
      description: SHA-256 of the package.
      type: str
      returned: always
      sample: 27b554ff2dc56a3dcc2a5eaad4e06ec45189e025e0c56a3d7c03cd20361e8ff4
    size:
      description: Bytes of the package.
      type: int
      returned: always
      sample: 612368384
    volsize:
      description: Bytes of the volume.
      type: int
      returned: always
      sample: 21474836480
    volblocksize:
      description: Bytes of a block of the volume.
      type: int
      returned: always
      sample: 65536
    guid:
      description:
        - The guid of the snapshot, which is the identity of the image, in decimal digits.
        - Text, because not every reader of JSON keeps a number of 64 bits.
      type: str
      returned: always
      sample: "746768402527732875"
    fromguid:
      description: For an incremental image, the guid that it builds on.
      type: str
      returned: always
    stream_sha256:
      description: SHA-256 of the stream in the package.
      type: str
      returned: always
      sample: b576575590d779979633c8f1e66ca7f59c61ee6a9e4ebbe0ca76c51514efb5f4
    stream_size:
      description: Bytes of the stream in the package.
      type: int
      returned: always
      sample: 1870659584
catalogue:
  description: The catalogue after the run.
  returned: success
  type: dict
  contains:
    path:
      description: Its folder.
      type: str
      returned: always
      sample: /repo/images
    images:
      description: The images in it.
      type: list
      elements: str
      returned: always
      sample: [FreeBSD-14.2-RELEASE-ZFS-20G-20260515]
    fingerprint:
      description: SHA-256 of the public key's file. Null for an unsigned catalogue.
      type: str
      returned: always
      sample: 955400917cffb342941eddc02909e5c083db91a44189a2d7a6ab7641d308127f
withdrawn:
  description: The images that were taken out, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: []
timings:
  description: Seconds and bytes per phase.
  returned: always
  type: dict
  sample: {observe: {seconds: 4.2}, apply: {seconds: 9.1}, pack: {seconds: 9.0, bytes: 1870659584}, total: {seconds: 13.4}}
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402

RULES = {
    "mutually_exclusive": [("signing_key", "signing_command"), ("source_host", "source_checksum"), ("source_host", "parent")],
    "required_if": [
        ("state", "present", ["name", "version", "source"]),
        ("state", "absent", ["name", "version"]),
        ("state", "pruned", ["keep"]),
    ],
    "required_by": {"signing_command": "pubkey"},
}


def main():
    run(DOCUMENTATION, **RULES)


if __name__ == "__main__":
    main()
