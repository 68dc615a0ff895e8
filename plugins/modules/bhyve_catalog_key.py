# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bhyve_catalog_key
short_description: Make the key that signs an image catalogue, and the files its clients need
version_added: 0.1.0
description:
  - Makes a private key where there is none, with mode 0600, and keeps the public key and the fingerprint made from it in step.
  - A key that is there is never replaced. A private key that others can read is refused.
  - Folders that are missing are made.
author:
  - The apiary.bhyve developers (!UNKNOWN)
attributes:
  check_mode:
    description: Says which files would be written.
    support: full
  diff_mode:
    description: Shows the names of the files that would be written, never what is in them.
    support: full
options:
  path:
    description: File with the private key, in PKCS 8 as PEM. It stays where it is made; clients need the public key only.
    type: path
    required: true
  pubkey:
    description:
      - File with the public key, as C(pkg key --public) writes it. This is what clients name as O(apiary.bhyve.bhyve_image#module:pubkey).
      - O(path) followed by C(.pub) where it is not given.
    type: path
  fingerprint:
    description: File for the folder C(trusted) of clients that use O(apiary.bhyve.bhyve_image#module:signature_type=fingerprints).
    type: path
  type:
    description:
      - The kind of the key. Every pkg(8) knows V(rsa) (of 3072 bits here), only recent ones know V(ecdsa) (secp256k1) and V(eddsa) (Ed25519).
        The modules of this collection know all three.
      - A key of another type that is there already is an error.
    type: str
    choices: [rsa, ecdsa, eddsa]
    default: rsa
seealso:
  - module: apiary.bhyve.bhyve_catalog
  - module: apiary.bhyve.bhyve_image
"""

EXAMPLES = r"""
- name: Make a signing key
  apiary.bhyve.bhyve_catalog_key:
    path: /usr/local/etc/apiary/images.key
    pubkey: /usr/local/etc/apiary/images.pub

- name: Make a signing key for clients that trust fingerprints
  apiary.bhyve.bhyve_catalog_key:
    path: /usr/local/etc/apiary/images-eddsa.key
    fingerprint: /usr/local/etc/apiary/images-eddsa.fingerprint
    type: eddsa
"""

RETURN = r"""
key:
  description: The key.
  returned: success
  type: dict
  contains:
    path:
      description: File with the private key.
      type: str
      returned: always
      sample: /usr/local/etc/apiary/images.key
    pubkey:
      description: File with the public key.
      type: str
      returned: always
      sample: /usr/local/etc/apiary/images.pub
    type:
      description: The kind of the key.
      type: str
      returned: always
      sample: rsa
    fingerprint:
      description: SHA-256 of the public key's file. Null in check mode where the key is not there yet.
      type: str
      returned: always
      sample: 955400917cffb342941eddc02909e5c083db91a44189a2d7a6ab7641d308127f
timings:
  description: Seconds per phase.
  returned: always
  type: dict
  sample: {observe: {seconds: 0.0001}, apply: {seconds: 0.8}, total: {seconds: 0.8}}
"""

from ansible_collections.apiary.bhyve.plugins.module_utils._documented import run  # noqa: E402


def main():
    run(DOCUMENTATION)


if __name__ == "__main__":
    main()
