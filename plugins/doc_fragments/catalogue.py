# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a catalogue is reached and what makes it believable: the options of every module that reads one."""

from __future__ import annotations


class ModuleDocFragment:
    """A module may word an option in its own way; its type, choices and default stay those of all."""

    DOCUMENTATION = r"""
options:
  signature_type:
    description:
      - What must have signed the catalogue, as in pkg's repository configuration.
      - V(none) takes it from anyone and must be asked for. Checksums are verified even so.
      - For a repository of pkg(8) its configuration says what is needed. If that is nothing, V(none) must be asked for here, too.
    type: str
    choices: [pubkey, fingerprints, none]
    default: pubkey
  pubkey:
    description: File on the host with the public key (RSA, ECDSA or Ed25519). Needed with O(signature_type=pubkey).
    type: path
  fingerprints:
    description:
      - Folder on the host with pkg's folders C(trusted) and C(revoked). Needed with O(signature_type=fingerprints).
      - A catalogue signed by a revoked key is refused whoever else has signed it.
    type: path
  ssh_key:
    description: File on the host with the private key for C(ssh://). Without it ssh chooses, as it is configured.
    type: path
  ssh_known_hosts:
    description:
      - File on the host with the host keys to accept for C(ssh://). Without it ssh's own files count.
      - A host key that is not known is always refused.
    type: path
  ssh_args:
    description: More arguments for ssh(1).
    type: list
    elements: str
  ca_path:
    description:
      - PEM file on the host with the authorities to trust for C(https://), instead of the host's own.
      - A certificate that a server has signed itself will do if it does not claim to be an authority (C(basicConstraints=CA:false)).
    type: path
  timeout:
    description: Seconds after which a server that does not answer, or sends next to nothing, is given up.
    type: float
    default: 30
"""
