// SPDX-License-Identifier: GPL-3.0-or-later

//! What is at the path, and what the image says of itself. Reads only.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ansible_module::moment;
use ansible_module::open::kind_of;
use anyhow::{Context, Result, ensure};

use crate::image::Image;
use crate::job::{Content, RawFile};
use crate::raw_file::identity::{Identity, Mark};

/// What is at the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Nothing,
    /// A volume that this module made from an image.
    Ours(Disk),
    /// A volume that this module made empty, and its size.
    Blank(u64),
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
    /// The name under which the present file would be kept.
    pub kept: PathBuf,
}

/// Looks at the path and the image.
pub fn observe(job: &RawFile) -> Result<Observed> {
    let path = &job.path;
    let folder = path.parent().context("option `path` names no file")?;
    let doing = || format!("looking at {}", path.display());
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(doing),
    };
    let found = match &metadata {
        None => Found::Nothing,
        Some(metadata) => found(path, metadata).with_context(doing)?,
    };
    let kept = match &metadata {
        Some(metadata) => kept_before(path, metadata)?.unwrap_or_else(|| kept_name(path)),
        None => kept_name(path),
    };
    Ok(Observed { image: image(job, &found)?, found, folder_missing: !folder.exists(), kept })
}

fn found(path: &Path, metadata: &Metadata) -> Result<Found> {
    let kind = metadata.file_type();
    ensure!(kind.is_file(), "expected a raw file or nothing, found {}; choose another path", kind_of(kind));
    Ok(match Mark::of(path)? {
        Some(Mark::Blank(_)) => Found::Blank(metadata.len()),
        Some(Mark::Image(identity)) => {
            Found::Ours(Disk { identity, size: metadata.len(), pristine: identity.is_pristine(metadata) })
        }
        None => Found::Foreign(metadata.len()),
    })
}

/// The source needs not be there where the guid asked for already is: images may have been cleaned up.
fn image(job: &RawFile, found: &Found) -> Result<Option<Image>> {
    let Some(Content::Image(content)) = &job.content else { return Ok(None) };
    let file = &content.image;
    let there = matches!(found, Found::Ours(disk) if Some(disk.identity.guid) == file.guid);
    let missing = file.src.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
    if there || (missing && file.guid.is_some()) {
        return Ok(None);
    }
    Image::of(file).map(Some)
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
