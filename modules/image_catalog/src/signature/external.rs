// SPDX-License-Identifier: GPL-3.0-or-later

//! Signing by a command of one's own (pkg's `signing_command`), for keys that are not in a file.

use anyhow::{Context, Result, ensure};

use super::{KeyType, PublicKey, split_head};
use crate::digest::Sha256Hex;

/// Something that signs the SHA-256 of a member, given as 64 hexadecimal digits, and names its key.
pub trait ExternalSigner {
    /// Signs the digest's text, which is what pkg(8) hands to a signing command.
    fn sign(&self, digest: &Sha256Hex) -> Result<ExternalSignature>;
}

/// What a signing command answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalSignature {
    /// The kind of the key.
    pub key_type: KeyType,
    /// The signature, without pkg's mark of its kind.
    pub signature: Vec<u8>,
    /// The public key, as it will stand in the archive.
    pub public_key: Vec<u8>,
}

/// Reads the answer of a signing command: `[TYPE\n<type>\n]SIGNATURE\n<raw>\nCERT\n<key>\nEND\n`.
pub fn parse_answer(answer: &[u8]) -> Result<ExternalSignature> {
    let expected =
        "expected [TYPE, type,] SIGNATURE, signature, CERT, public key and END, each on lines of its own";
    let (key_type, rest) = match answer.strip_prefix(b"TYPE\n") {
        Some(rest) => {
            let end = rest.iter().position(|byte| *byte == b'\n').context(expected)?;
            let head = [b"$PKGSIGN:", &rest[..end], b"$"].concat();
            (split_head(&head)?.0, &rest[end + 1..])
        }
        None => (KeyType::Rsa, answer),
    };
    let rest = rest.strip_prefix(b"SIGNATURE\n").context(expected)?;
    let rest = rest.strip_suffix(b"END\n").or_else(|| rest.strip_suffix(b"END")).context(expected)?;
    const MIDDLE: &[u8] = b"\nCERT\n";
    // A raw signature may contain anything, a key may not contain the separator.
    let split = rest.windows(MIDDLE.len()).rposition(|window| window == MIDDLE).context(expected)?;
    let (signature, public_key) = (&rest[..split], &rest[split + MIDDLE.len()..]);
    let without_end = public_key.strip_suffix(b"\n").context(expected)?;
    // The newline belongs to a key in PEM, and so to its fingerprint.
    let public_key = if public_key.starts_with(b"-----BEGIN") { public_key } else { without_end };
    let found = PublicKey::parse(public_key).context("reading the key after CERT")?.key_type();
    ensure!(
        found == key_type,
        "the key after CERT is of type {}, the answer's TYPE is {}",
        found.as_str(),
        key_type.as_str()
    );
    Ok(ExternalSignature { key_type, signature: signature.to_vec(), public_key: public_key.to_vec() })
}
