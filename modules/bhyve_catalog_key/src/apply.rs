//! Writes the key and the files made from it; the private one first, since the others can be made again. What can be
//! in the way of any of them shows before: their folders are made.

use std::fs;

use ansible_module::files::write_atomically;
use anyhow::{Context, Result};
use image_catalog::digest::Sha256Hex;
use image_catalog::signature::{PrivateKey, create_key};

use crate::plan::{Key, Plan, fingerprint_file};

/// Does what was planned and returns the key's fingerprint.
pub fn apply(plan: &Plan<'_>) -> Result<Sha256Hex> {
    let files = [Some(&plan.path), plan.public_key.as_ref(), plan.fingerprint.as_ref()];
    for folder in files.into_iter().flatten().filter_map(|file| file.parent()) {
        fs::create_dir_all(folder).with_context(|| format!("making folder {}", folder.display()))?;
    }
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
