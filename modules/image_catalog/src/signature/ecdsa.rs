// SPDX-License-Identifier: GPL-3.0-or-later

//! ECDSA signatures as pkg makes them: secp256k1 with SHA-256, in DER.

use anyhow::{Context, Result};
use k256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use k256::ecdsa::{Signature, SigningKey, VerifyingKey};
use k256::pkcs8::EncodePublicKey;
use sha2::{Digest, Sha256};

pub(super) fn encode(key: &VerifyingKey) -> Result<Vec<u8>> {
    let der = k256::PublicKey::from(key).to_public_key_der().context("writing an ECDSA public key")?;
    Ok(der.into_vec())
}

/// pkg does not keep to the lower of the two equivalent values of `s`, which this implementation insists on.
pub(super) fn verify(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> Result<()> {
    let signature = Signature::from_der(signature).context("reading an ECDSA signature")?;
    key.verify_prehash(&Sha256::digest(message), &signature.normalize_s())
        .context("verifying an ECDSA signature")
}

pub(super) fn sign(key: &SigningKey, message: &[u8]) -> Result<Vec<u8>> {
    let signature: Signature =
        key.sign_prehash(&Sha256::digest(message)).context("signing with an ECDSA key")?;
    Ok(signature.to_der().as_bytes().to_vec())
}
