// SPDX-License-Identifier: GPL-3.0-or-later

//! Whose signature a list was believed for: kept beside what was taken from it, so that it can be asked again.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{PublicKey, Trust};
use crate::digest::Sha256Hex;

/// Who vouched for a list of packages. Keys are named by their fingerprint: SHA-256 of the public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "signature_type", rename_all = "lowercase")]
pub enum SignedBy {
    /// Nobody was asked for a signature.
    None,
    /// The key that the host knows.
    Pubkey {
        /// That key.
        key: Sha256Hex,
    },
    /// A key that came along and whose fingerprint the host knows.
    Fingerprints {
        /// That key.
        key: Sha256Hex,
        /// All keys that came along, of which none may be revoked.
        signers: Vec<Sha256Hex>,
    },
}

impl Trust {
    /// Whether a list that was believed for `signed_by` would be believed now, by the same way of signing.
    pub fn believes(&self, signed_by: &SignedBy) -> bool {
        match (self, signed_by) {
            (Self::Anyone, _) => true,
            (Self::PublicKey(trusted), SignedBy::Pubkey { key }) => {
                trusted.fingerprint().is_ok_and(|trusted| trusted == *key)
            }
            (Self::Fingerprints(known), SignedBy::Fingerprints { key, signers }) => {
                known.trusts(key) && !signers.iter().any(|signer| known.revokes(signer))
            }
            _ => false,
        }
    }
}

impl PublicKey {
    /// SHA-256 of the key as a catalogue carries it.
    ///
    /// # Errors
    /// Where it cannot be encoded.
    pub fn fingerprint(&self) -> Result<Sha256Hex> {
        Ok(Sha256Hex::of(&self.encode()?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Fingerprints, KeyType, PrivateKey};
    use super::*;

    #[test]
    fn the_same_key_asked_for_in_the_same_way_is_believed() {
        let [ours, other] = [(); 2].map(|()| PrivateKey::generate(KeyType::Eddsa).unwrap().public_key());
        let [key, another] = [&ours, &other].map(|key| key.fingerprint().unwrap());
        let pubkey = |key: &PublicKey| Trust::PublicKey(Box::new(key.clone()));
        let fingerprints = |key: &Sha256Hex| Trust::Fingerprints(Fingerprints::trusting(key.clone()));
        let by_pubkey = SignedBy::Pubkey { key: key.clone() };
        let by_fingerprint = SignedBy::Fingerprints { key: key.clone(), signers: vec![key.clone()] };
        let table = [
            (pubkey(&ours), &by_pubkey, true),
            (pubkey(&other), &by_pubkey, false),
            (fingerprints(&key), &by_pubkey, false),
            (fingerprints(&key), &by_fingerprint, true),
            (fingerprints(&another), &by_fingerprint, false),
            (pubkey(&ours), &SignedBy::None, false),
            (fingerprints(&key), &SignedBy::None, false),
            (Trust::Anyone, &SignedBy::None, true),
            (Trust::Anyone, &by_pubkey, true),
        ];
        for (trust, signed_by, expected) in table {
            assert_eq!(trust.believes(signed_by), expected, "{trust:?} {signed_by:?}");
        }
    }
}
