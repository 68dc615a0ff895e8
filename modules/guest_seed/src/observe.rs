// SPDX-License-Identifier: GPL-3.0-or-later

//! What is at the seed's path. Reads only.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::documents::Documents;
use crate::image;

/// A seed that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it holds.
    pub documents: Documents,
    /// Its permission bits.
    pub mode: u32,
}

/// Looks at `path`.
///
/// # Errors
/// Where something is there that is not a seed of ours: it may be somebody's disk.
pub fn observe(path: &Path) -> Result<Option<Found>> {
    ensure!(
        path.is_absolute() && path.file_name().is_some(),
        "looking at seed {}: expected an absolute path that ends in a file name",
        path.display()
    );
    let doing = || format!("looking at seed {}", path.display());
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(doing),
    };
    ensure!(
        metadata.is_file(),
        "{}: expected a regular file or nothing, found something else; choose another path",
        doing()
    );
    let mut bytes = Vec::new();
    let limit = image::SIZE as u64 + 1;
    File::open(path).with_context(doing)?.take(limit).read_to_end(&mut bytes).with_context(doing)?;
    let documents = image::read(&bytes).with_context(|| {
        format!(
            "{}: the file there is not a seed of this module, so it stays; remove it or choose another path",
            doing()
        )
    })?;
    Ok(Some(Found { documents, mode: metadata.permissions().mode() & 0o7777 }))
}
