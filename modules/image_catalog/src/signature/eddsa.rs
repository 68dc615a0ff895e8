// SPDX-License-Identifier: GPL-3.0-or-later

//! Ed25519 signatures and keys as pkg writes them: its own DER, the key in the coordinates of another curve form.

use anyhow::{Context, Result, bail, ensure};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use k256::pkcs8::der::asn1::{BitStringRef, UintRef, Utf8StringRef};
use k256::pkcs8::der::{self, Decode, Encode, Reader, SliceReader};

use super::weierstrass;

/// A key over an elliptic curve as pkg writes it: `"pkg"`, 1, `"ecc"`, the curve, whether it is public, and its bytes after a 4.
pub(super) struct PkgKey {
    pub(super) curve: String,
    pub(super) public: bool,
    /// Of a public key the coordinates of its point, of a private one its number or seed.
    pub(super) bytes: Vec<u8>,
}

impl PkgKey {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        let reading = "reading pkg's DER of a key";
        let mut reader = SliceReader::new(bytes).context(reading)?;
        let (words, curve, public, point) = reader
            .sequence(|reader: &mut SliceReader<'_>| -> der::Result<_> {
                let application = Utf8StringRef::decode(reader)?;
                let version = u8::decode(reader)?;
                let kind = Utf8StringRef::decode(reader)?;
                let curve = Utf8StringRef::decode(reader)?.to_string();
                let public = bool::decode(reader)?;
                let point = BitStringRef::decode(reader)?;
                Ok(((application.to_string(), version, kind.to_string()), curve, public, point))
            })
            .context(reading)?;
        reader.finish().context("reading what follows pkg's DER of a key")?;
        ensure!(words == ("pkg".to_owned(), 1, "ecc".to_owned()), "{reading}: it is none");
        match point.as_bytes() {
            Some([4, bytes @ ..]) => Ok(Self { curve, public, bytes: bytes.to_vec() }),
            _ => bail!("{reading}: its bytes do not begin with a 4"),
        }
    }
}

/// Reads pkg's DER of a public key.
pub(super) fn decode(bytes: &[u8]) -> Result<VerifyingKey> {
    let PkgKey { curve, public, bytes } = PkgKey::decode(bytes)?;
    ensure!(curve == "WEI25519" && public && bytes.len() == 64, "pkg's DER holds no public Ed25519 key");
    let compressed = weierstrass::to_edwards(&bytes[..32], &bytes[32..])?;
    VerifyingKey::from_bytes(&compressed).context("reading the point of an Ed25519 key")
}

pub(super) fn encode(key: &VerifyingKey) -> Result<Vec<u8>> {
    let (x, y) = weierstrass::from_edwards(key.as_bytes())?;
    let point = [&[4][..], &x, &y].concat();
    encode_key(&point).context("writing an Ed25519 public key")
}

fn encode_key(point: &[u8]) -> der::Result<Vec<u8>> {
    let parts = [
        Utf8StringRef::new("pkg")?.to_der()?,
        1u8.to_der()?,
        Utf8StringRef::new("ecc")?.to_der()?,
        Utf8StringRef::new("WEI25519")?.to_der()?,
        true.to_der()?,
        BitStringRef::from_bytes(point)?.to_der()?,
    ];
    sequence(&parts.concat())
}

/// pkg writes the two halves of a signature as integers.
pub(super) fn verify(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> Result<()> {
    let (r, s) = halves(signature).context("reading an Ed25519 signature")?;
    let signature = Signature::from_components(half(&r)?, half(&s)?);
    key.verify_strict(message, &signature).context("verifying an Ed25519 signature")
}

fn halves(signature: &[u8]) -> der::Result<(Vec<u8>, Vec<u8>)> {
    let mut reader = SliceReader::new(signature)?;
    let halves = reader.sequence(|reader: &mut SliceReader<'_>| -> der::Result<_> {
        let r = UintRef::decode(reader)?.as_bytes().to_vec();
        let s = UintRef::decode(reader)?.as_bytes().to_vec();
        Ok((r, s))
    })?;
    reader.finish()?;
    Ok(halves)
}

/// An integer's bytes, which lack leading zeros, as one half of a signature.
fn half(bytes: &[u8]) -> Result<[u8; 32]> {
    ensure!(bytes.len() <= 32, "half of an Ed25519 signature has {} bytes, expected 32", bytes.len());
    let mut half = [0; 32];
    half[32 - bytes.len()..].copy_from_slice(bytes);
    Ok(half)
}

pub(super) fn sign(key: &SigningKey, message: &[u8]) -> Result<Vec<u8>> {
    let signature = key.sign(message);
    encode_signature(&signature).context("writing an Ed25519 signature")
}

fn encode_signature(signature: &Signature) -> der::Result<Vec<u8>> {
    let r = UintRef::new(signature.r_bytes())?.to_der()?;
    let s = UintRef::new(signature.s_bytes())?.to_der()?;
    sequence(&[r, s].concat())
}

fn sequence(content: &[u8]) -> der::Result<Vec<u8>> {
    der::asn1::AnyRef::new(der::Tag::Sequence, content)?.to_der()
}
