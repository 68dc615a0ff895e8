// SPDX-License-Identifier: GPL-3.0-or-later

//! Writes the key and the files made from it; the private one first, since the others can be made again. What can be
//! in the way of any of them shows before: their folders are made.

use std::fs;

use ansible_module::files::{sweep_for, write_atomically};
use anyhow::{Context, Result};
use image_catalog::digest::Sha256Hex;
use image_catalog::signature::{PrivateKey, create_key};

use super::plan::{Key, Plan, fingerprint_file};

/// Does what was planned, removes what dead runs left of it, and returns the key's fingerprint. The caller holds the lock of the
/// key.
pub fn apply(plan: &Plan<'_>) -> Result<Sha256Hex> {
    let files = [Some(&plan.path), plan.public_key.as_ref(), plan.fingerprint.as_ref()];
    files.into_iter().flatten().try_for_each(|file| sweep_for(file).map(drop))?;
    match plan.fingerprint()?.filter(|_| !plan.changed()) {
        Some(fingerprint) => Ok(fingerprint),
        None => {
            let folders = files.into_iter().flatten().filter_map(|file| file.parent());
            for folder in folders {
                fs::create_dir_all(folder).with_context(|| format!("making folder {}", folder.display()))?;
            }
            write(plan)
        }
    }
}

fn write(plan: &Plan<'_>) -> Result<Sha256Hex> {
    let public = match plan.key {
        Key::Existing(key) => key.public_key(),
        Key::New(key_type) => {
            let key = PrivateKey::generate(key_type)?;
            create_key(&plan.path, &key)?;
            key.public_key()
        }
    };
    let encoded = public.encode()?;
    let fingerprint = Sha256Hex::of(&encoded);
    if let Some(path) = &plan.public_key {
        write_atomically(path, 0o644, &encoded)?;
    }
    if let Some(path) = &plan.fingerprint {
        write_atomically(path, 0o644, fingerprint_file(&fingerprint).as_bytes())?;
    }
    Ok(fingerprint)
}
