// SPDX-License-Identifier: GPL-3.0-or-later

//! Reads the key and the files made from it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};
use image_catalog::signature::{PrivateKey, load_key};

use super::params::Params;

/// What is there.
pub struct Observed {
    /// The private key.
    pub key: Option<PrivateKey>,
    /// The content of the public key's file.
    pub public_key: Option<Vec<u8>>,
    /// The content of the fingerprint's file.
    pub fingerprint: Option<Vec<u8>>,
}

/// Looks.
pub fn observe(params: &Params) -> Result<Observed> {
    let key = match params.path.symlink_metadata() {
        Ok(_) => Some(load_key(&params.path)?),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("looking for {}", params.path.display())),
    };
    let fingerprint = match &params.fingerprint {
        Some(path) => content(path)?,
        None => None,
    };
    Ok(Observed { key, public_key: content(&params.public_path())?, fingerprint })
}

fn content(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}
