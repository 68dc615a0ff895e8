// SPDX-License-Identifier: GPL-3.0-or-later

//! What an image is known to be before it is received, and what receiving has shown it to be.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use zfs_command::Guid;
use zfs_stream::{Base, Expect, Reader, announced};

use crate::job::ImageFile;
use crate::source::Source;

/// What the beginning of a source says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Where it is.
    pub file: ImageFile,
    /// Name to call it by: that of its file without the suffixes.
    pub name: String,
    /// Guid of the snapshot it ends at.
    pub guid: Guid,
    /// Guid of the snapshot it applies to; none for a full stream.
    pub base: Option<Guid>,
    /// Bytes of the volume, where the package says so.
    pub volsize: Option<u64>,
    /// Bytes of one of its blocks, where the package says so.
    pub volblocksize: Option<u64>,
    /// Name of the image it applies to, where the package says so.
    pub parent: Option<String>,
    /// Bytes of the stream, where it stands in the file as it is.
    pub bytes: Option<u64>,
}

impl Image {
    /// Looks at the file; reads all of it only where nothing else says where it ends (`zfs send -I`).
    ///
    /// # Errors
    /// Where it cannot be read, or holds another image than the one that was asked for.
    pub fn of(file: &ImageFile) -> Result<Image> {
        let src = &file.src;
        let source = Source::open(src, None, None)?;
        let image = match source.facts() {
            Some(facts) => Image {
                base: facts.fromguid.map(Guid),
                volsize: Some(facts.volsize),
                volblocksize: Some(facts.volblocksize),
                parent: facts.parent.as_ref().map(ToString::to_string),
                ..Image::by_guid(file, Guid(facts.guid))
            },
            None => {
                let doing = || format!("reading {}", src.display());
                let bytes = source.plain_size().with_context(doing)?;
                let announced = announced(source).with_context(doing)?;
                let guid = announced.toguid.map_or_else(|| last_guid(src), Ok).with_context(doing)?;
                let base = Some(announced.first.fromguid).filter(|guid| *guid != 0).map(Guid);
                Image { base, bytes, ..Image::by_guid(file, Guid(guid)) }
            }
        };
        if let Some(expected) = file.guid {
            ensure!(
                expected == image.guid,
                "{} holds the image with guid {}, expected {expected}: another image",
                src.display(),
                image.guid
            );
        }
        Ok(image)
    }

    /// An image of which only its guid is known: enough to know a volume by.
    pub fn by_guid(file: &ImageFile, guid: Guid) -> Image {
        let (file, name) = (file.clone(), name_of(&file.src));
        Image { file, name, guid, base: None, parent: None, volsize: None, volblocksize: None, bytes: None }
    }
}

/// `FreeBSD-14.2-RELEASE-ZFS-20G-20250515.pkg` is an image of that name without `.pkg`.
fn name_of(src: &Path) -> String {
    let mut name = src.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for suffix in [".gz", ".xz", ".zst", ".pkg", ".zfs"] {
        name.truncate(name.strip_suffix(suffix).map_or(name.len(), str::len));
    }
    name
}

fn last_guid(src: &Path) -> Result<u64> {
    let expect = Expect { base: Base::Any, ..Expect::default() };
    Ok(zfs_stream::verify(Source::open(src, None, None)?, expect)?.toguid)
}

/// Starts verifying a source against what its package and the caller say.
pub fn reader(source: Source, guid: Guid, base: Base) -> Result<Reader<Source>> {
    let volsize = source.facts().map(|facts| facts.volsize);
    if let Some(facts) = source.facts() {
        ensure!(
            facts.guid == guid.0,
            "the package holds the image with guid {}, expected {guid}",
            facts.guid
        );
    }
    Reader::new(source, Expect { base, guid: Some(guid.0), volsize })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_called_by_their_file() {
        let cases = [
            ("/i/demo-1.0-20261122.pkg", "demo-1.0-20261122"),
            ("/i/FreeBSD-14.2.zfs.zst", "FreeBSD-14.2"),
            ("plain", "plain"),
            ("/i/a.zfs", "a"),
        ];
        for (src, name) in cases {
            assert_eq!(name_of(Path::new(src)), name);
        }
    }
}
