//! What is at the path, what the image says of itself, and what dead runs have left. Reads only.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use ansible_module::lock::Lock;
use ansible_module::moment;
use ansible_module::{State, files};
use anyhow::{Context, Result, bail};

use crate::image::Image;
use crate::params::Params;
use crate::raw_file::identity::Identity;

/// What is at the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Nothing,
    /// A volume that this module made.
    Ours(Disk),
    /// A regular file of unknown origin, and its size.
    Foreign(u64),
}

/// A raw file that this module made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    pub identity: Identity,
    /// Bytes of the file.
    pub size: u64,
    /// Nothing was written to it since it was received.
    pub pristine: bool,
}

/// Everything the plan depends on.
#[derive(Clone, Debug)]
pub struct Observed {
    pub found: Found,
    /// There is no folder yet to put the file into.
    pub folder_missing: bool,
    /// `None` where the source is not there (yet), which only check mode or a known guid can do without.
    pub image: Option<Image>,
    /// Unfinished files and a lock that nobody has removed.
    pub leftovers: Vec<PathBuf>,
    /// The name under which the present file would be kept.
    pub kept: PathBuf,
}

/// Looks at the path and the source. `lock_path` is left out by the holder of the lock.
pub fn observe(params: &Params, path: &Path, lock_path: Option<&Path>) -> Result<Observed> {
    let folder = path.parent().context("option `path` names no file")?;
    let doing = || format!("looking at {}", path.display());
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(doing),
    };
    let folder_missing = !folder.exists();
    let mut leftovers = if folder_missing { Vec::new() } else { files::leftovers_of(path)? };
    if let Some(lock) = lock_path.filter(|_| !folder_missing) {
        leftovers.extend(Lock::is_stale(lock)?.then(|| lock.to_owned()));
    }
    leftovers.sort();
    let found = match &metadata {
        None => Found::Nothing,
        Some(metadata) => found(path, metadata).with_context(doing)?,
    };
    let kept = match &metadata {
        Some(metadata) => kept_before(path, metadata)?.unwrap_or_else(|| kept_name(path)),
        None => kept_name(path),
    };
    Ok(Observed { image: image(params, &found)?, found, folder_missing, leftovers, kept })
}

fn found(path: &Path, metadata: &Metadata) -> Result<Found> {
    let kind = metadata.file_type();
    if !kind.is_file() {
        let what = match kind {
            kind if kind.is_dir() => "a folder",
            kind if kind.is_symlink() => "a symbolic link",
            kind if kind.is_block_device() || kind.is_char_device() => "a device",
            _ => "something else",
        };
        bail!("expected a raw file or nothing, found {what}; choose another path");
    }
    Ok(match Identity::of(path)? {
        Some(identity) => {
            Found::Ours(Disk { identity, size: metadata.len(), pristine: identity.is_pristine(metadata) })
        }
        None => Found::Foreign(metadata.len()),
    })
}

/// The source needs not be there where the guid asked for already is: images may have been cleaned up.
fn image(params: &Params, found: &Found) -> Result<Option<Image>> {
    if params.state == State::Absent {
        return Ok(None);
    }
    let src = params.src()?;
    let there = matches!(found, Found::Ours(disk) if Some(disk.identity.guid) == params.guid);
    let missing = src.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
    if there || (missing && params.guid.is_some()) {
        return Ok(None);
    }
    Image::of(src).map(Some)
}

fn kept_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".old-{}", moment::now()));
    path.with_file_name(name)
}

/// The name that a run which died in the middle of a replacement has already given to the file.
fn kept_before(path: &Path, metadata: &Metadata) -> Result<Option<PathBuf>> {
    if metadata.nlink() < 2 {
        return Ok(None);
    }
    let mut prefix = path.file_name().unwrap_or_default().to_owned();
    prefix.push(".old-");
    let folder = path.parent().unwrap_or(path);
    let doing = || format!("reading folder {}", folder.display());
    for entry in fs::read_dir(folder).with_context(doing)? {
        let entry = entry.with_context(doing)?;
        let same = entry
            .metadata()
            .is_ok_and(|other| (other.dev(), other.ino()) == (metadata.dev(), metadata.ino()));
        if same && entry.file_name().as_encoded_bytes().starts_with(prefix.as_encoded_bytes()) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}
