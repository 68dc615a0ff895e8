// SPDX-License-Identifier: GPL-3.0-or-later

//! Public keys in the forms pkg writes them, and in the common ones of openssl.

use anyhow::{Context, Result, bail, ensure};

use super::der::{self, PublicHalf as Key};
use super::named::{self, Wanted};
use super::{KeyType, Message, ecdsa, eddsa, pem, rsa, split_head};

/// A key that signatures are verified with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(Key);

impl PublicKey {
    /// Reads a key file: PEM or DER of any of the three kinds, or pkg's own DER for Ed25519.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let blocks = pem::blocks(bytes);
        let key = match blocks.iter().find(|block| block.label.ends_with("PUBLIC KEY")) {
            Some(block) => block.der().and_then(|der| der::public(&der)),
            None => der::public(bytes),
        };
        let Some(key) = key else {
            bail!("this is not a public key that can verify: {}", named::describe(bytes, Wanted::Public))
        };
        if let Key::Rsa(key) = &key {
            rsa::check_size(key)?;
        }
        Ok(Self(key))
    }

    pub(super) fn from_rsa(key: ::rsa::PublicKey) -> Self {
        Self(Key::Rsa(key))
    }

    pub(super) fn from_ecdsa(key: k256::ecdsa::VerifyingKey) -> Self {
        Self(Key::Ecdsa(key))
    }

    pub(super) fn from_eddsa(key: ed25519_dalek::VerifyingKey) -> Self {
        Self(Key::Eddsa(key))
    }

    /// The kind of the key.
    pub fn key_type(&self) -> KeyType {
        match &self.0 {
            Key::Rsa(_) => KeyType::Rsa,
            Key::Ecdsa(_) => KeyType::Ecdsa,
            Key::Eddsa(_) => KeyType::Eddsa,
        }
    }

    /// The key as `pkg key --public` writes it: PEM for RSA, DER for the others.
    pub fn encode(&self) -> Result<Vec<u8>> {
        match &self.0 {
            Key::Rsa(key) => rsa::encode(key),
            Key::Ecdsa(key) => ecdsa::encode(key),
            Key::Eddsa(key) => eddsa::encode(key),
        }
    }

    /// Judges a signature as it stands in an archive, with or without its head.
    pub(crate) fn verify(&self, message: &Message, signature: &[u8]) -> Result<()> {
        let (found, signature) = split_head(signature)?;
        let own = self.key_type();
        ensure!(
            found == own,
            "the catalogue is signed by a key of type {}, the trusted key is of type {}",
            found.as_str(),
            own.as_str()
        );
        let verified = match &self.0 {
            Key::Rsa(key) => rsa::verify(key, &message.0, signature),
            Key::Ecdsa(key) => ecdsa::verify(key, &message.0, signature),
            Key::Eddsa(key) => eddsa::verify(key, &message.0, signature),
        };
        verified.context(
            "the catalogue's signature was not made by the trusted key, or the catalogue was changed",
        )
    }
}
