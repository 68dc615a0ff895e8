// SPDX-License-Identifier: GPL-3.0-or-later

//! What the options come to: one job, with all that it needs.

use std::path::PathBuf;

use image_catalog::digest::Sha256Hex;
use zfs_command::{DatasetName, Guid};

use crate::properties::Properties;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// A raw file is to hold an image, or to be gone.
    RawFile(RawFile),
    /// ZFS volumes are to be there.
    Volumes(Volumes),
    /// A ZFS volume is to be there, whatever it holds; a new one is empty.
    Blank(Blank),
    /// ZFS volumes are to be gone.
    NoVolumes(Vec<DatasetName>),
}

/// The file of an image, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFile {
    /// A stream, a compressed stream or an image package.
    pub src: PathBuf,
    /// SHA-256 of the file as it is stored.
    pub sha256: Option<Sha256Hex>,
    /// Guid of the image's snapshot.
    pub guid: Option<Guid>,
}

/// A volume on a host without ZFS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFile {
    /// Where it is.
    pub path: PathBuf,
    /// Whether a file that this module did not make may be replaced or removed.
    pub force: bool,
    /// What it is to hold; `None` where it is to be gone.
    pub content: Option<Content>,
}

/// What a raw file is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// An image.
    Image(ImageContent),
    /// Anything; a new one is empty.
    Blank(BlankContent),
}

/// A file that may hold anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlankContent {
    /// Bytes it should have.
    pub volsize: u64,
    /// Permissions of a new file.
    pub mode: u32,
}

/// The image that a raw file is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageContent {
    /// The image.
    pub image: ImageFile,
    /// Bytes it should have; the image's own size where not given.
    pub volsize: Option<u64>,
    /// Whether another image may be replaced, the old volume being kept under a dated name.
    pub replace: bool,
    /// Permissions of the file.
    pub mode: u32,
}

/// Volumes of one image, or its golden volume alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volumes {
    /// The image.
    pub image: ImageFile,
    /// Where its golden volume is; without one, each volume is a copy of its own.
    pub golden: Option<Golden>,
    /// The volumes.
    pub volumes: Vec<Wanted>,
    /// Whether a volume of another image may be put aside under a dated name.
    pub replace: bool,
}

/// Where a golden volume is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Golden {
    /// The file system that holds golden volumes.
    pub folder: DatasetName,
    /// Name of the volume in there; that of the image's file without its suffixes where not given.
    pub name: Option<String>,
}

/// One volume to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: DatasetName,
    /// Bytes it should have; the image's own size where not given.
    pub volsize: Option<u64>,
    /// Properties it should have.
    pub properties: Properties,
}

/// A volume that may hold anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blank {
    /// Its name.
    pub name: DatasetName,
    /// Bytes it should have.
    pub volsize: u64,
    /// Properties it should have.
    pub properties: Properties,
}
