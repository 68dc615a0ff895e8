// SPDX-License-Identifier: GPL-3.0-or-later

//! Raw files: those that bear our mark.

use std::fs::{self, DirEntry};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Volume, marks};
use crate::made_from::{Place, made_from};

/// `st_blocks` counts these, whatever a block of the file system has.
const BLOCK: u64 = 512;

/// The volumes in a folder; none where there is no folder yet.
pub fn volumes(folder: &Path) -> Result<Vec<Volume>> {
    let doing = || format!("reading folder {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(doing)?,
    };
    let mut volumes = Vec::new();
    for entry in entries {
        volumes.extend(volume(&entry.with_context(doing)?)?);
    }
    Ok(volumes)
}

fn volume(entry: &DirEntry) -> Result<Option<Volume>> {
    let (path, name) = (entry.path(), entry.file_name());
    let doing = || format!("looking at {}", path.display());
    let metadata = match fs::symlink_metadata(&path) {
        // What another run takes away meanwhile is not there.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        metadata => metadata.with_context(doing)?,
    };
    let Some(name) = name.to_str().filter(|_| metadata.is_file()) else { return Ok(None) };
    let read = |mark: &str| -> Result<Option<String>> {
        match xattr::get(&path, marks::attribute(mark)) {
            Ok(value) => Ok(value.map(|value| String::from_utf8_lossy(&value).into_owned())),
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(None),
            Err(error) => Err(error).with_context(doing),
        }
    };
    // An unfinished one has a mark that tells nothing of an image.
    if read(marks::VOLUME)?.is_none() || name.starts_with('.') {
        return Ok(None);
    }
    let image = made_from(&[Place::RawFile(path.clone())])?.into_iter().flatten().next();
    let shown = path.display().to_string();
    let volume = Volume {
        path: Some(shown.clone()),
        guid: image.map(|image| image.guid),
        size: Some(metadata.len()),
        used: Some(metadata.blocks() * BLOCK),
        ..Volume::called(name, shown)
    };
    volume.marked(read).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_with_our_mark_are_ours() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["web1.raw", "web1.raw.old-20261101T000000Z", "foreign.raw", ".new-web2.raw"] {
            fs::write(at(name), "x").unwrap();
            if name != "foreign.raw" {
                xattr::set(at(name), marks::attribute(marks::VOLUME), b"{}").unwrap();
            }
        }
        xattr::set(
            at("web1.raw.old-20261101T000000Z"),
            marks::attribute(marks::KEEP_UNTIL),
            b"2026-11-08T00:00:00Z",
        )
        .unwrap();
        fs::create_dir(at("folder")).unwrap();
        let mut found = volumes(folder.path()).unwrap();
        found.iter_mut().for_each(|volume| volume.expire("2026-11-22T18:15:00Z"));
        found.sort_by(|a, b| a.name.cmp(&b.name));
        let told: Vec<_> = found
            .iter()
            .map(|volume| (volume.name.as_str(), volume.part, volume.of.as_deref(), volume.expired))
            .collect();
        assert_eq!(
            told,
            [
                ("web1.raw", "own", None, false),
                ("web1.raw.old-20261101T000000Z", "kept", Some("web1.raw"), true)
            ]
        );
        assert!(volumes(&at("none")).unwrap().is_empty());
    }
}
