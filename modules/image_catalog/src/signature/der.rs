// SPDX-License-Identifier: GPL-3.0-or-later

//! Keys in DER: the kinds that sign and verify here, and object identifiers in those that do not.

use ::rsa::pkcs1::{DecodeRsaPrivateKey as _, DecodeRsaPublicKey as _};
use k256::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};

use super::eddsa::{self, PkgKey};

/// RSA with other padding than pkg's, in a key that is otherwise one of RSA.
pub(super) const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];

/// What verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PublicHalf {
    Rsa(::rsa::PublicKey),
    Ecdsa(k256::ecdsa::VerifyingKey),
    Eddsa(ed25519_dalek::VerifyingKey),
}

/// What signs.
pub(super) enum PrivateHalf {
    Rsa(Box<::rsa::PrivateKey>),
    Ecdsa(Box<k256::ecdsa::SigningKey>),
    Eddsa(Box<ed25519_dalek::SigningKey>),
}

/// The public key that these bytes are.
pub(super) fn public(bytes: &[u8]) -> Option<PublicHalf> {
    if is_pss(bytes) {
        return None;
    }
    ::rsa::PublicKey::from_public_key_der(bytes)
        .map(PublicHalf::Rsa)
        .ok()
        .or_else(|| ::rsa::PublicKey::from_pkcs1_der(bytes).map(PublicHalf::Rsa).ok())
        .or_else(|| k256::ecdsa::VerifyingKey::from_public_key_der(bytes).map(PublicHalf::Ecdsa).ok())
        .or_else(|| ed25519_dalek::VerifyingKey::from_public_key_der(bytes).map(PublicHalf::Eddsa).ok())
        .or_else(|| eddsa::decode(bytes).map(PublicHalf::Eddsa).ok())
}

/// The private key that these bytes are.
pub(super) fn private(bytes: &[u8]) -> Option<PrivateHalf> {
    if is_pss(bytes) {
        return None;
    }
    let rsa = ::rsa::PrivateKey::from_pkcs8_der(bytes)
        .ok()
        .or_else(|| ::rsa::PrivateKey::from_pkcs1_der(bytes).ok());
    let ecdsa = || k256::SecretKey::from_der(bytes).ok().map(|key| PrivateHalf::Ecdsa(Box::new(key.into())));
    let eddsa =
        || ed25519_dalek::SigningKey::from_pkcs8_der(bytes).ok().map(|key| PrivateHalf::Eddsa(Box::new(key)));
    rsa.map(|key| PrivateHalf::Rsa(Box::new(key))).or_else(ecdsa).or_else(eddsa).or_else(|| of_pkg(bytes))
}

/// pkg's own form of both kinds over elliptic curves.
fn of_pkg(bytes: &[u8]) -> Option<PrivateHalf> {
    let PkgKey { curve, public: false, bytes } = PkgKey::decode(bytes).ok()? else { return None };
    match curve.as_str() {
        "SECP256K1" if bytes.len() == 32 => {
            Some(PrivateHalf::Ecdsa(Box::new(k256::ecdsa::SigningKey::from_slice(&bytes).ok()?)))
        }
        "WEI25519" => {
            Some(PrivateHalf::Eddsa(Box::new(ed25519_dalek::SigningKey::from_bytes(&bytes.try_into().ok()?))))
        }
        _ => None,
    }
}

/// Whether a key of RSA may only be used with other padding than pkg's.
fn is_pss(der: &[u8]) -> bool {
    names(&der[..der.len().min(32)], RSA_PSS)
}

/// Whether an object identifier stands in these bytes: with its tag, and behind a length, for three bytes by themselves stand
/// somewhere in one of ten thousand keys.
pub(super) fn names(bytes: &[u8], oid: &[u8]) -> bool {
    bytes.windows(oid.len() + 2).any(|window| window[0] == 6 && window[2..] == *oid)
}
