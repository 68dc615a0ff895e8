// SPDX-License-Identifier: GPL-3.0-or-later

//! Signatures of catalogues: which keys are trusted, and whether a member of a catalogue archive is theirs.
//!
//! pkg never signs the archive but the member in it, through its SHA-256 in hexadecimal or its BLAKE2b-512.

mod der;
mod ecdsa;
mod eddsa;
mod external;
mod fingerprints;
mod key_file;
mod named;
mod pem;
mod public_key;
mod rsa;
mod signed_by;
mod signing;
mod weierstrass;

use anyhow::{Result, bail};
use blake2::{Blake2b512, Digest};
use serde::{Deserialize, Serialize};

pub use external::{ExternalSignature, ExternalSigner, parse_answer};
pub use fingerprints::Fingerprints;
pub use key_file::{create_key, load_key, load_public_key};
pub use public_key::PublicKey;
pub use signed_by::SignedBy;
pub use signing::{PrivateKey, Signing};

use crate::digest::Sha256Hex;

/// The ways to sign, by pkg's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignatureType {
    /// For clients that know the key.
    #[default]
    Pubkey,
    /// For clients that know the fingerprint of the key, which comes along.
    Fingerprints,
    /// Not at all.
    None,
}

/// The kind of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyType {
    /// RSA with PKCS #1 v1.5 padding; what every pkg since 1.2 knows.
    Rsa,
    /// ECDSA over secp256k1.
    Ecdsa,
    /// Ed25519.
    Eddsa,
}

impl KeyType {
    /// pkg's name of the type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ecdsa => "ecdsa",
            Self::Eddsa => "eddsa",
        }
    }
}

/// How a catalogue must be signed to be believed.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Not at all.
    Anyone,
    /// By this key (`signature_type: pubkey`).
    PublicKey(Box<PublicKey>),
    /// By a key that brings itself along, with one of these fingerprints (`signature_type: fingerprints`).
    Fingerprints(Fingerprints),
}

/// What stood before a member in its archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signatures {
    /// The member `signature`.
    pub plain: Option<Vec<u8>>,
    /// The members `NAME.sig` and `NAME.pub`.
    pub pairs: Vec<KeyAndSignature>,
}

/// A signature with the key that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAndSignature {
    /// The name both members share.
    pub name: String,
    /// The content of `NAME.pub`.
    pub public_key: Vec<u8>,
    /// The content of `NAME.sig`.
    pub signature: Vec<u8>,
}

impl Trust {
    /// Judges the signatures of a member's content, and says whose signature was right.
    pub fn verify(&self, content: &[u8], signatures: &Signatures) -> Result<SignedBy> {
        match self {
            Self::Anyone => Ok(SignedBy::None),
            Self::PublicKey(key) => match &signatures.plain {
                Some(signature) => {
                    key.verify(&Message::for_pubkey(key.key_type(), content), signature)?;
                    Ok(SignedBy::Pubkey { key: key.fingerprint()? })
                }
                None if signatures.pairs.is_empty() => bail!("the catalogue is not signed"),
                None => bail!("the catalogue is signed for signature_type fingerprints, not pubkey"),
            },
            Self::Fingerprints(fingerprints) => fingerprints.verify(content, signatures),
        }
    }
}

/// What is handed to the signature algorithm for a member's content.
pub(crate) struct Message(Vec<u8>);

impl Message {
    /// With `pubkey`, RSA signs the SHA-256 in hexadecimal and the elliptic curves the raw BLAKE2b-512.
    pub(crate) fn for_pubkey(key_type: KeyType, content: &[u8]) -> Self {
        match key_type {
            KeyType::Rsa => Self::for_fingerprints(content),
            KeyType::Ecdsa | KeyType::Eddsa => Self(Blake2b512::digest(content).to_vec()),
        }
    }

    /// With `fingerprints`, every kind of key signs the SHA-256 in hexadecimal.
    pub(crate) fn for_fingerprints(content: &[u8]) -> Self {
        Self(Sha256Hex::of(content).as_str().as_bytes().to_vec())
    }
}

/// Splits pkg's `$PKGSIGN:TYPE$` head from a key or signature; without one it is RSA's.
fn split_head(bytes: &[u8]) -> Result<(KeyType, &[u8])> {
    const HEAD: &[u8] = b"$PKGSIGN:";
    let Some(behind) = bytes.strip_prefix(HEAD) else { return Ok((KeyType::Rsa, bytes)) };
    let end = behind.iter().take(16).position(|byte| *byte == b'$');
    let (name, rest) = match end {
        Some(end) => (&behind[..end], &behind[end + 1..]),
        None => bail!("a signature's head $PKGSIGN: has no end"),
    };
    match name {
        b"rsa" => Ok((KeyType::Rsa, rest)),
        b"ecdsa" => Ok((KeyType::Ecdsa, rest)),
        b"eddsa" | b"ecc" => Ok((KeyType::Eddsa, rest)),
        other => bail!("signatures of type {:?} are not known", String::from_utf8_lossy(other)),
    }
}

/// Puts pkg's `$PKGSIGN:TYPE$` head before a key or signature; RSA has none.
fn with_head(key_type: KeyType, bytes: &[u8]) -> Vec<u8> {
    match key_type {
        KeyType::Rsa => bytes.to_vec(),
        other => [b"$PKGSIGN:", other.as_str().as_bytes(), b"$", bytes].concat(),
    }
}
