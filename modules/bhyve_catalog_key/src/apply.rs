//! Writes the key and the files made from it; the private one first, since the others can be made again.

use ansible_module::files::write_atomically;
use anyhow::Result;
use image_catalog::digest::Sha256Hex;
use image_catalog::signature::{PrivateKey, create_key};

use crate::plan::{Key, Plan, fingerprint_file};

/// Does what was planned and returns the key's fingerprint.
pub fn apply(plan: &Plan<'_>) -> Result<Sha256Hex> {
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
