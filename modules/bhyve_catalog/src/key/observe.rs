// SPDX-License-Identifier: GPL-3.0-or-later

//! Reads the key and the files made from it.

use std::fs;
use std::path::Path;

use ansible_module::files::if_there;
use anyhow::{Context, Result};
use image_catalog::signature::{PrivateKey, load_key};

use super::params::Params;

pub struct Observed {
    pub key: Option<PrivateKey>,
    /// The content of the public key's file.
    pub public_key: Option<Vec<u8>>,
    /// The content of the fingerprint's file.
    pub fingerprint: Option<Vec<u8>>,
}

pub fn observe(params: &Params) -> Result<Observed> {
    let there = if_there(params.path.symlink_metadata());
    let there = there.with_context(|| format!("looking for {}", params.path.display()))?;
    let key = there.map(|_| load_key(&params.path)).transpose()?;
    let fingerprint = match &params.fingerprint {
        Some(path) => content(path)?,
        None => None,
    };
    Ok(Observed { key, public_key: content(&params.public_path())?, fingerprint })
}

fn content(path: &Path) -> Result<Option<Vec<u8>>> {
    if_there(fs::read(path)).with_context(|| format!("reading {}", path.display()))
}
