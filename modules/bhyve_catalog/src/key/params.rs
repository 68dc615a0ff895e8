// SPDX-License-Identifier: GPL-3.0-or-later

//! The options of `bhyve_catalog_key`.

use std::ffi::OsString;
use std::path::PathBuf;

use image_catalog::digest::Sha256Hex;
use image_catalog::signature::KeyType;
use serde::{Deserialize, Serialize};

/// What the caller wants.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The private key.
    pub path: PathBuf,
    /// The public key, beside the private one where it is not named.
    #[serde(default)]
    pub pubkey: Option<PathBuf>,
    /// A file for the clients' folder `trusted`, where one is wanted.
    #[serde(default)]
    pub fingerprint: Option<PathBuf>,
    /// The kind of the key.
    #[serde(default, rename = "type")]
    pub key_type: Option<KeyType>,
}

/// The key as it is returned.
#[derive(Debug, Serialize)]
pub struct Described {
    path: PathBuf,
    pubkey: PathBuf,
    #[serde(rename = "type")]
    key_type: KeyType,
    fingerprint: Option<Sha256Hex>,
}

impl Params {
    /// The kind of a key that is made.
    pub fn key_type(&self) -> KeyType {
        self.key_type.unwrap_or(KeyType::Rsa)
    }

    /// Where the public key goes.
    pub fn public_path(&self) -> PathBuf {
        self.pubkey.clone().unwrap_or_else(|| {
            let mut path = OsString::from(&self.path);
            path.push(".pub");
            path.into()
        })
    }

    /// What to return; the fingerprint is not known before the key is made.
    pub fn describe(&self, fingerprint: Option<Sha256Hex>) -> Described {
        let (path, pubkey) = (self.path.clone(), self.public_path());
        Described { path, pubkey, key_type: self.key_type(), fingerprint }
    }
}
