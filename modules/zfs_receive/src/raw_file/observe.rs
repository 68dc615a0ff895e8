// SPDX-License-Identifier: GPL-3.0-or-later

//! What is at the path, and what the image says of itself. Reads only.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ansible_module::moment;
use ansible_module::open::kind_of;
use anyhow::{Context, Result, ensure};

use crate::cut::Beside;
use crate::image::Image;
use crate::job::{Content, RawFile};
use crate::marks;
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
    /// Files that are kept of a missing one that is to be there, or made ready for it.
    pub beside: Vec<Beside>,
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
    let folder_missing = !folder.exists();
    let looked_for = found == Found::Nothing && job.content.is_some() && !folder_missing;
    let beside = if looked_for { beside(path, folder)? } else { Vec::new() };
    Ok(Observed { image: image(job, &found)?, found, folder_missing, beside, kept })
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

/// What an exchange may have left of a file that is missing.
fn beside(path: &Path, folder: &Path) -> Result<Vec<Beside>> {
    let doing = || format!("reading folder {}", folder.display());
    // Of a name that is no text there is no exchange.
    let (Some(whole), Some(name)) = (path.to_str(), path.file_name().and_then(OsStr::to_str)) else {
        return Ok(Vec::new());
    };
    let before = whole.strip_suffix(name).unwrap_or_default();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(doing)? {
        let entry = entry.with_context(doing)?;
        if let Some(other) = entry.file_name().to_str().filter(|other| marks::is_beside(other, name)) {
            found.push(Beside { name: format!("{before}{other}"), mark: mark(&entry.path())? });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn mark(file: &Path) -> Result<Option<String>> {
    match xattr::get(file, marks::attribute(marks::SWAP)) {
        Ok(mark) => Ok(mark.map(|mark| String::from_utf8_lossy(&mark).into_owned())),
        // What another run takes away meanwhile is not there.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("looking at {}", file.display())),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::BlankContent;
    use crate::raw_file::plan;

    fn plan_of(path: &Path) -> Result<plan::Plan> {
        let content = Some(Content::Blank(BlankContent { volsize: 1 << 20, mode: 0o600 }));
        let job = RawFile { path: path.to_owned(), force: false, content };
        plan::plan(&job, &observe(&job)?)
    }

    #[test]
    fn a_file_that_an_exchange_has_taken_away_is_not_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (web, doubled) = (at("web.raw"), PathBuf::from(format!("{}//web.raw", folder.path().display())));
        for name in ["web.raw.old-20261122T181500Z", "web.raw.redeploy", "web2.raw.redeploy"] {
            fs::write(at(name), name).unwrap();
        }
        xattr::set(at("web2.raw.redeploy"), marks::attribute(marks::SWAP), b"new 2026-11-22T18:15:00Z")
            .unwrap();
        assert!(plan_of(&web).unwrap().changed());
        xattr::set(at("web.raw.redeploy"), marks::attribute(marks::SWAP), b"new 2026-11-22T18:15:00Z")
            .unwrap();
        for path in [&web, &doubled] {
            let told = plan_of(path).unwrap_err().to_string();
            assert!(
                told.contains("web.raw.redeploy, chosen on") && told.contains("guest_names=web`"),
                "{told}"
            );
        }
        // What is there stays as it is.
        fs::write(&web, vec![0; 1 << 20]).unwrap();
        assert!(!plan_of(&web).unwrap().changed());
    }
}
