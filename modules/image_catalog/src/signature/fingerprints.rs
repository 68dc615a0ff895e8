// SPDX-License-Identifier: GPL-3.0-or-later

//! Trust by fingerprint: the SHA-256 of a public key that the catalogue brings along, as in pkg's folders
//! `trusted` and `revoked`.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::{KeyAndSignature, Message, PublicKey, Signatures, SignedBy, split_head};
use crate::digest::Sha256Hex;
use crate::{regular, ucl};

/// The largest fingerprint file that is read, in bytes.
const FILE_LIMIT: u64 = 64 << 10;

/// Fingerprints of the keys that are trusted, and of those that no longer are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprints {
    trusted: BTreeSet<Sha256Hex>,
    revoked: BTreeSet<Sha256Hex>,
}

impl Fingerprints {
    /// Trusts one key.
    pub fn trusting(fingerprint: Sha256Hex) -> Self {
        Self { trusted: BTreeSet::from([fingerprint]), revoked: BTreeSet::new() }
    }

    /// Reads the files of `FOLDER/trusted` and, where there is one, `FOLDER/revoked`.
    pub fn load(folder: &Path) -> Result<Self> {
        let trusted = load_folder(&folder.join("trusted"))?;
        ensure!(
            !trusted.is_empty(),
            "{} holds no fingerprint of a trusted key",
            folder.join("trusted").display()
        );
        Ok(Self { trusted, revoked: load_if_there(&folder.join("revoked"))? })
    }

    /// One trusted key with a right signature is enough; one revoked key spoils all.
    pub(super) fn verify(&self, content: &[u8], signatures: &Signatures) -> Result<SignedBy> {
        if signatures.pairs.is_empty() {
            match signatures.plain {
                Some(_) => bail!("the catalogue is signed for signature_type pubkey, not fingerprints"),
                None => bail!("the catalogue is not signed"),
            }
        }
        let found = signatures.pairs.iter().map(fingerprint).collect::<Result<Vec<_>>>()?;
        if let Some(revoked) = found.iter().find(|fingerprint| self.revokes(fingerprint)) {
            bail!("the catalogue is signed by the revoked key {revoked}");
        }
        let message = Message::for_fingerprints(content);
        let mut refusal = None;
        for (pair, key) in signatures.pairs.iter().zip(&found).filter(|(_, found)| self.trusts(found)) {
            match verify(pair, &message) {
                Ok(()) => return Ok(SignedBy::Fingerprints { key: key.clone(), signers: found }),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(refusal.unwrap_or_else(|| {
            let found: Vec<_> = found.iter().map(Sha256Hex::as_str).collect();
            anyhow!("the catalogue is signed by {}, which is not trusted", found.join(" and "))
        }))
    }

    pub(super) fn trusts(&self, key: &Sha256Hex) -> bool {
        self.trusted.contains(key)
    }

    pub(super) fn revokes(&self, key: &Sha256Hex) -> bool {
        self.revoked.contains(key)
    }
}

/// The fingerprint of a public key as it stands in an archive: without its head.
pub(super) fn fingerprint(pair: &KeyAndSignature) -> Result<Sha256Hex> {
    Ok(Sha256Hex::of(split_head(&pair.public_key)?.1))
}

fn verify(pair: &KeyAndSignature, message: &Message) -> Result<()> {
    let (key_type, bytes) = split_head(&pair.public_key)?;
    let key = PublicKey::parse(bytes)
        .with_context(|| format!("reading the key {}.pub of the catalogue", pair.name))?;
    ensure!(
        key.key_type() == key_type,
        "{}.pub claims a key of type {} and holds one of type {}",
        pair.name,
        key_type.as_str(),
        key.key_type().as_str()
    );
    key.verify(message, &pair.signature)
}

/// No folder at all names no key; one that cannot be looked into, as behind a dangling link, may name any.
fn load_if_there(folder: &Path) -> Result<BTreeSet<Sha256Hex>> {
    match folder.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeSet::new()),
        _ => load_folder(folder),
    }
}

fn load_folder(folder: &Path) -> Result<BTreeSet<Sha256Hex>> {
    let reading = || format!("reading fingerprints from {}", folder.display());
    let mut fingerprints = BTreeSet::new();
    for entry in std::fs::read_dir(folder).with_context(reading)? {
        let path = entry.with_context(reading)?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden {
            let loaded =
                load_file(&path).with_context(|| format!("reading fingerprint {}", path.display()))?;
            fingerprints.insert(loaded);
        }
    }
    Ok(fingerprints)
}

fn load_file(path: &Path) -> Result<Sha256Hex> {
    let mut text = String::new();
    let size = regular::open(path)?.take(FILE_LIMIT + 1).read_to_string(&mut text)? as u64;
    ensure!(size <= FILE_LIMIT, "it is larger than {FILE_LIMIT} bytes");
    let values = ucl::parse(&text)?;
    let function = values.get("function").context("the key function is missing")?;
    ensure!(function.eq_ignore_ascii_case("sha256"), "function is {function:?}, expected \"sha256\"");
    let fingerprint = values.get("fingerprint").context("the key fingerprint is missing")?;
    Sha256Hex::try_from(fingerprint.to_ascii_lowercase())
}
