// SPDX-License-Identifier: GPL-3.0-or-later

//! RSA signatures as pkg makes them: PKCS #1 v1.5 over the SHA-256 of a member's SHA-256 in hexadecimal.

use anyhow::{Context, Result, ensure};
use getrandom::SysRng;
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use rsa::traits::PublicKeyParts;
use rsa::{Pkcs1v15Sign, PrivateKey, PublicKey};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The smallest key that is still trusted.
const MIN_BITS: u32 = 2048;
/// DigestInfo heads of RFC 8017, section 9.2.
const SHA256_HEAD: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0, 0x04,
    0x20,
];
const SHA1_HEAD: [u8; 15] =
    [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0, 0x04, 0x14];

pub(super) fn check_size(key: &PublicKey) -> Result<()> {
    let bits = key.n().bit_width();
    ensure!(bits >= MIN_BITS, "this RSA key has {bits} bits, expected at least {MIN_BITS}");
    Ok(())
}

pub(super) fn encode(key: &PublicKey) -> Result<Vec<u8>> {
    let pem = key.to_public_key_pem(LineEnding::LF).context("writing an RSA public key")?;
    Ok(pem.into_bytes())
}

/// With `signature_type: pubkey` pkg writes one NUL after the signature.
pub(super) fn verify(key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<()> {
    let signature = match signature.strip_suffix(&[0]) {
        Some(front) if signature.len() == key.size() + 1 => front,
        _ => signature,
    };
    let made_today = key.verify(padding(&SHA256_HEAD, 32), &Sha256::digest(message), signature);
    made_today.or_else(|error| verify_old(key, message, signature).map_err(|_| error))?;
    Ok(())
}

/// Old pkg signed the SHA-1 of the same digits, their closing NUL included, and today's still takes that.
fn verify_old(key: &PublicKey, message: &[u8], signature: &[u8]) -> rsa::Result<()> {
    let digest = Sha1::new().chain_update(message).chain_update([0]).finalize();
    key.verify(padding(&SHA1_HEAD, 20), &digest, signature)
}

pub(super) fn sign(key: &PrivateKey, message: &[u8]) -> Result<Vec<u8>> {
    key.sign_with_rng(&mut SysRng, padding(&SHA256_HEAD, 32), &Sha256::digest(message))
        .context("signing with an RSA key")
}

fn padding(head: &[u8], length: usize) -> Pkcs1v15Sign {
    Pkcs1v15Sign { hash_len: Some(length), prefix: head.into() }
}
