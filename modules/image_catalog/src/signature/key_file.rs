// SPDX-License-Identifier: GPL-3.0-or-later

//! Key files: private ones only its owner may read, public ones of a bounded size.

use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::{PrivateKey, PublicKey};
use crate::regular;

/// The largest key file that is read, in bytes.
const KEY_LIMIT: u64 = 64 << 10;

/// Reads a private key, which nobody but its owner may have access to.
pub fn load_key(path: &Path) -> Result<PrivateKey> {
    let read = || {
        let mut file = regular::open(path)?;
        let mode = file.metadata()?.mode() & 0o7777;
        ensure!(
            mode & 0o077 == 0,
            "its mode is {mode:04o}, so others can use it: run chmod 0600 {} once you are sure that nobody has",
            path.display()
        );
        PrivateKey::parse(&read_bounded(&mut file)?)
    };
    read().with_context(|| format!("reading signing key {}", path.display()))
}

/// Reads a public key.
pub fn load_public_key(path: &Path) -> Result<PublicKey> {
    let read = || PublicKey::parse(&read_bounded(&mut regular::open(path)?)?);
    read().with_context(|| format!("reading public key {}", path.display()))
}

/// Writes a private key to a new file with mode 0600; a file that is there is left alone and an error. Until it is whole it is
/// called `.new-XXXXXX-NAME`, so that one left by a killed run is found again.
pub fn create_key(path: &Path, key: &PrivateKey) -> Result<()> {
    let create = || {
        let folder = path.parent().context("it has no parent folder")?;
        let mut suffix = OsString::from("-");
        suffix.push(path.file_name().context("it names no file")?);
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .suffix(&suffix)
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?;
        file.write_all(key.encode()?.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path).map_err(|error| error.error)?;
        anyhow::Ok(())
    };
    create().with_context(|| format!("writing signing key {}", path.display()))
}

fn read_bounded(file: &mut File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(KEY_LIMIT + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= KEY_LIMIT, "it is larger than {KEY_LIMIT} bytes");
    Ok(bytes)
}
