// SPDX-License-Identifier: GPL-3.0-or-later

//! Private keys, and the signatures they put before a member of a catalogue archive.

use anyhow::{Context, Result, bail};
use ed25519_dalek::SigningKey as EddsaKey;
use ed25519_dalek::pkcs8::KeypairBytes;
use getrandom::SysRng;
use k256::ecdsa::SigningKey as EcdsaKey;
use k256::pkcs8::{EncodePrivateKey as _, LineEnding};
use rsa::PrivateKey as RsaKey;

use super::der::{self, PrivateHalf as Key};
use super::fingerprints::Fingerprints;
use super::named::{self, Wanted};
use super::pem;
use super::public_key::PublicKey;
use super::{
    ExternalSigner, KeyAndSignature, KeyType, Message, Signatures, Trust, ecdsa, eddsa, rsa as rsa_signature,
    with_head,
};
use crate::digest::Sha256Hex;

/// Bits of a new RSA key.
const RSA_BITS: usize = 3072;

/// A key that signs. It is never shown.
pub struct PrivateKey(Key);

impl PrivateKey {
    /// Makes a new key from the system's random numbers.
    pub fn generate(key_type: KeyType) -> Result<Self> {
        Ok(Self(match key_type {
            KeyType::Rsa => {
                Key::Rsa(Box::new(RsaKey::new(&mut SysRng, RSA_BITS).context("making an RSA key")?))
            }
            KeyType::Ecdsa => loop {
                // Fails for zero and for numbers beyond the curve's order, once in 2^127.
                if let Ok(key) = EcdsaKey::from_slice(&random_bytes()?) {
                    break Key::Ecdsa(Box::new(key));
                }
            },
            KeyType::Eddsa => Key::Eddsa(Box::new(EddsaKey::from_bytes(&random_bytes()?))),
        }))
    }

    /// Reads PKCS #8, PKCS #1 or SEC 1, as PEM or DER, or what `pkg key --create` writes.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let blocks = pem::blocks(bytes);
        let key = match blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")) {
            Some(block) => block.der().and_then(|der| der::private(&der)),
            None => der::private(bytes),
        };
        let Some(key) = key else {
            bail!("this is not a private key that can sign: {}", named::describe(bytes, Wanted::Private))
        };
        let key = Self(key);
        if let Key::Rsa(rsa) = &key.0 {
            rsa_signature::check_size(&rsa.to_public_key())?;
        }
        Ok(key)
    }

    /// The key as PKCS #8 in PEM. Secret.
    pub fn encode(&self) -> Result<String> {
        let pem = match &self.0 {
            Key::Rsa(key) => {
                key.to_pkcs8_pem(LineEnding::LF).map(|pem| pem.to_string()).map_err(anyhow::Error::from)
            }
            Key::Ecdsa(key) => k256::SecretKey::from(key.as_ref())
                .to_pkcs8_pem(LineEnding::LF)
                .map(|pem| pem.to_string())
                .map_err(anyhow::Error::from),
            Key::Eddsa(key) => {
                // Without the public key, which openssl does not expect there.
                let bytes = KeypairBytes { secret_key: key.to_bytes(), public_key: None };
                bytes.to_pkcs8_pem(LineEnding::LF).map(|pem| pem.to_string()).map_err(anyhow::Error::from)
            }
        };
        pem.context("writing a private key")
    }

    /// The key that verifies.
    pub fn public_key(&self) -> PublicKey {
        match &self.0 {
            Key::Rsa(key) => PublicKey::from_rsa(key.to_public_key()),
            Key::Ecdsa(key) => PublicKey::from_ecdsa(*key.verifying_key()),
            Key::Eddsa(key) => PublicKey::from_eddsa(key.verifying_key()),
        }
    }

    fn sign(&self, message: &Message) -> Result<Vec<u8>> {
        match &self.0 {
            Key::Rsa(key) => rsa_signature::sign(key, &message.0),
            Key::Ecdsa(key) => ecdsa::sign(key, &message.0),
            Key::Eddsa(key) => eddsa::sign(key, &message.0),
        }
    }
}

/// How a catalogue gets signed.
pub enum Signing {
    /// Not at all.
    Unsigned,
    /// For clients that have the public key (`signature_type: pubkey`).
    Pubkey(PrivateKey),
    /// For clients that have its fingerprint (`signature_type: fingerprints`).
    Fingerprints(PrivateKey),
    /// The same, signed by somebody else (`signing_command`).
    External(Box<dyn ExternalSigner>),
}

impl Signing {
    /// Signs a member's content. `member` names the files that go before it.
    pub fn sign(&self, member: &str, content: &[u8]) -> Result<Signatures> {
        let pair = |public_key, signature| Signatures {
            plain: None,
            pairs: vec![KeyAndSignature { name: member.to_owned(), public_key, signature }],
        };
        match self {
            Self::Unsigned => Ok(Signatures::default()),
            Self::Pubkey(key) => {
                let key_type = key.public_key().key_type();
                let mut signature = with_head(key_type, &key.sign(&Message::for_pubkey(key_type, content))?);
                if key_type == KeyType::Rsa {
                    // pkg's reader cuts off one byte.
                    signature.push(0);
                }
                Ok(Signatures { plain: Some(signature), pairs: Vec::new() })
            }
            Self::Fingerprints(key) => {
                let public_key = key.public_key();
                let signature = key.sign(&Message::for_fingerprints(content))?;
                let key_type = public_key.key_type();
                Ok(pair(with_head(key_type, &public_key.encode()?), with_head(key_type, &signature)))
            }
            Self::External(signer) => {
                let answer = signer.sign(&Sha256Hex::of(content))?;
                let signatures = pair(
                    with_head(answer.key_type, &answer.public_key),
                    with_head(answer.key_type, &answer.signature),
                );
                Fingerprints::trusting(Sha256Hex::of(&answer.public_key))
                    .verify(content, &signatures)
                    .context("verifying what the signing command answered")?;
                Ok(signatures)
            }
        }
    }

    /// What a client must trust to believe this signature; `None` where only the signer knows.
    pub fn trust(&self) -> Result<Option<Trust>> {
        Ok(match self {
            Self::Unsigned => Some(Trust::Anyone),
            Self::Pubkey(key) => Some(Trust::PublicKey(Box::new(key.public_key()))),
            Self::Fingerprints(key) => {
                let fingerprint = Sha256Hex::of(&key.public_key().encode()?);
                Some(Trust::Fingerprints(Fingerprints::trusting(fingerprint)))
            }
            Self::External(_) => None,
        })
    }
}

fn random_bytes() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("reading random numbers")?;
    Ok(bytes)
}
