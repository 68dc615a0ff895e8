// SPDX-License-Identifier: GPL-3.0-or-later

//! Which image a raw file was made from, or that it was made empty: an extended attribute of the file itself, so that the mark comes
//! and goes with the file in one rename, follows it when it is moved, and is absent from whatever else takes its place.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use xattr::FileExt;
use zfs_command::Guid;
use zfs_stream::Summary;

const NAME: &str = "user.apiary.bhyve.volume";

/// What this module has left on a whole volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Mark {
    /// It was made from an image.
    Image(Identity),
    /// It was made empty.
    Blank(Blank),
}

/// The mark of a volume that was made empty. It holds no time: what is in the volume is its guest's from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blank {
    /// Bytes it was made with.
    blank: u64,
}

/// The mark of a volume that was made from an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Guid of the image.
    pub guid: Guid,
    /// Bytes of the image; the file may have been grown.
    pub volsize: u64,
    /// Bytes of a block of the image.
    pub volblocksize: u32,
    /// When the file was last written, in seconds and nanoseconds: later means that a guest has used it.
    mtime: (i64, i64),
}

/// What a stream says of the volume in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Bytes of the image.
    pub volsize: u64,
    /// Bytes of a block of it.
    pub volblocksize: u32,
}

impl Extent {
    /// Refuses a summary without sizes, which the reader does not give out for a full stream or a known base.
    pub fn of(summary: &Summary) -> Result<Extent> {
        let known = summary.volsize.zip(summary.volblocksize);
        let (volsize, volblocksize) = known.context("the stream does not say the volume's size")?;
        Ok(Extent { volsize, volblocksize })
    }
}

impl Mark {
    /// The mark of the file at `path`, if it has a whole one. Does not follow links.
    pub fn of(path: &Path) -> Result<Option<Mark>> {
        let doing = || format!("reading attribute {NAME} of {}", path.display());
        match xattr::get(path, NAME) {
            Ok(Some(mark)) => Ok(serde_json::from_slice(&mark).ok()),
            Ok(None) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
            Err(error) => Err(error).with_context(doing),
        }
    }

    /// Marks a new file as unfinished, and finds out early whether the file system keeps such marks.
    pub fn reserve(file: &File) -> Result<()> {
        file.set_xattr(NAME, b"unfinished").context(
            "marking the new file: its file system must keep extended attributes, as ext4, xfs, btrfs, UFS and ZFS do",
        )
    }

    /// Marks a new file as one that was made empty, with this size.
    pub fn blank(file: &File, size: u64) -> Result<()> {
        let mark = Mark::Blank(Blank { blank: size });
        file.set_xattr(NAME, &serde_json::to_vec(&mark)?).context("marking the file as made empty")
    }
}

impl Identity {
    /// Marks a file with its image; to be called after the last write.
    pub fn mark(file: &File, guid: Guid, image: Extent) -> Result<()> {
        let Extent { volsize, volblocksize } = image;
        let doing = "marking the file with its image";
        let mtime = mtime(&file.metadata().context(doing)?);
        let mark = Identity { guid, volsize, volblocksize, mtime };
        file.set_xattr(NAME, &serde_json::to_vec(&mark)?).context(doing)
    }

    /// The image as its stream described it.
    pub fn extent(&self) -> Extent {
        Extent { volsize: self.volsize, volblocksize: self.volblocksize }
    }

    /// Whether the file still holds what was received.
    pub fn is_pristine(&self, metadata: &Metadata) -> bool {
        self.mtime == mtime(metadata)
    }
}

fn mtime(metadata: &Metadata) -> (i64, i64) {
    (metadata.mtime(), metadata.mtime_nsec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_mark_goes_with_the_file_and_says_whether_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("web1"), folder.path().join("web2"));
        let mut file = File::create(&path).unwrap();
        assert_eq!(Mark::of(&path).unwrap(), None);
        Mark::reserve(&file).unwrap();
        assert_eq!(Mark::of(&path).unwrap(), None);
        file.write_all(b"data").unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
        Identity::mark(&file, Guid(u64::MAX), Extent { volsize: 1 << 20, volblocksize: 4096 }).unwrap();
        std::fs::rename(&path, &moved).unwrap();
        let Some(Mark::Image(identity)) = Mark::of(&moved).unwrap() else { panic!("no image") };
        assert_eq!((identity.guid, identity.volsize, identity.volblocksize), (Guid(u64::MAX), 1 << 20, 4096));
        assert!(identity.is_pristine(&file.metadata().unwrap()));
        file.write_all(b"more").unwrap();
        assert!(!identity.is_pristine(&file.metadata().unwrap()));
        std::fs::copy(&moved, &path).unwrap();
        std::os::unix::fs::symlink(&moved, folder.path().join("link")).unwrap();
        assert_eq!(Mark::of(&folder.path().join("link")).unwrap(), None);
    }

    #[test]
    fn an_empty_file_is_known_whatever_is_written_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web1:data");
        let mut file = File::create(&path).unwrap();
        Mark::blank(&file, 1 << 20).unwrap();
        file.write_all(b"data").unwrap();
        assert_eq!(Mark::of(&path).unwrap(), Some(Mark::Blank(Blank { blank: 1 << 20 })));
    }
}
