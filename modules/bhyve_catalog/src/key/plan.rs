// SPDX-License-Identifier: GPL-3.0-or-later

//! Decides what to write. A key that is there is never replaced.

use std::path::PathBuf;

use ansible_module::Diff;
use anyhow::{Result, ensure};
use image_catalog::digest::Sha256Hex;
use image_catalog::signature::{KeyType, PrivateKey};

use super::observe::Observed;
use super::params::Params;

pub struct Plan<'a> {
    /// The key that is there, or the kind of the one to make.
    pub key: Key<'a>,
    /// The private key's file.
    pub path: PathBuf,
    /// The public key's file, where it has to be written.
    pub public_key: Option<PathBuf>,
    /// The fingerprint's file, where it has to be written.
    pub fingerprint: Option<PathBuf>,
}

/// A key that exists or will.
pub enum Key<'a> {
    /// This one.
    Existing(&'a PrivateKey),
    /// A new one.
    New(KeyType),
}

/// Compares what is wanted with what is there.
pub fn plan<'a>(params: &Params, observed: &'a Observed) -> Result<Plan<'a>> {
    let (public_path, path) = (params.public_path(), params.path.clone());
    let paths = [Some(&path), Some(&public_path), params.fingerprint.as_ref()];
    for (index, one) in paths.iter().enumerate() {
        let same = one.is_some() && paths[index + 1..].contains(one);
        ensure!(
            !same,
            "path, pubkey and fingerprint name the same file {}",
            one.map_or("".into(), |p| p.display().to_string())
        );
    }
    let Some(key) = &observed.key else {
        ensure!(
            observed.public_key.is_none(),
            "public key {} is there but its private key {} is not: restore the private key, or remove the \
             public one if the key is lost for good",
            public_path.display(),
            path.display()
        );
        let fingerprint = params.fingerprint.clone();
        return Ok(Plan {
            key: Key::New(params.key_type()),
            path,
            public_key: Some(public_path),
            fingerprint,
        });
    };
    let (found, wanted) = (key.public_key().key_type(), params.key_type());
    ensure!(
        found == wanted,
        "key {} is of type {}, expected {}: keys are not replaced, choose another path to change to a new key",
        path.display(),
        found.as_str(),
        wanted.as_str()
    );
    let public = key.public_key().encode()?;
    let trusted = fingerprint_file(&Sha256Hex::of(&public));
    let stale = |content: &Option<Vec<u8>>, wanted: &[u8]| content.as_deref() != Some(wanted);
    Ok(Plan {
        key: Key::Existing(key),
        path,
        public_key: stale(&observed.public_key, &public).then_some(public_path),
        fingerprint: params.fingerprint.clone().filter(|_| stale(&observed.fingerprint, trusted.as_bytes())),
    })
}

impl Plan<'_> {
    /// Whether anything is to be written.
    pub fn changed(&self) -> bool {
        matches!(self.key, Key::New(_)) || self.public_key.is_some() || self.fingerprint.is_some()
    }

    /// The fingerprint, where the key is there.
    pub fn fingerprint(&self) -> Result<Option<Sha256Hex>> {
        match self.key {
            Key::Existing(key) => Ok(Some(key.public_key().fingerprint()?)),
            Key::New(_) => Ok(None),
        }
    }

    /// The files that will be written. What is in them stays out of it.
    pub fn diff(&self) -> Diff {
        let mut after = String::new();
        if let Key::New(key_type) = self.key {
            after.push_str(&format!("private key: {} ({})\n", self.path.display(), key_type.as_str()));
        }
        if let Some(path) = &self.public_key {
            after.push_str(&format!("public key: {}\n", path.display()));
        }
        if let Some(path) = &self.fingerprint {
            after.push_str(&format!("fingerprint: {}\n", path.display()));
        }
        Diff { before: String::new(), after, header: self.path.display().to_string() }
    }
}

/// A file of pkg's folder `trusted`.
pub fn fingerprint_file(fingerprint: &Sha256Hex) -> String {
    format!("function: \"sha256\"\nfingerprint: \"{fingerprint}\"\n")
}
