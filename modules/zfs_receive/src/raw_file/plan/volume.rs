// SPDX-License-Identifier: GPL-3.0-or-later

//! A raw file as it is told to whoever asked for it.

use std::path::{Path, PathBuf};

use serde::Serialize;
use zfs_command::Guid;

use crate::raw_file::observe::Disk;

/// The volume as the reply describes it; what only the image can tell is `None` until it has been read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Volume {
    pub device: PathBuf,
    pub guid: Option<Guid>,
    pub size: Option<u64>,
    pub volblocksize: Option<u32>,
    /// Where the volume that was replaced is kept.
    pub replaced: Option<PathBuf>,
}

impl Volume {
    /// Nothing at `path`.
    pub(super) fn nothing(path: &Path) -> Volume {
        Volume { device: path.to_owned(), guid: None, size: None, volblocksize: None, replaced: None }
    }

    /// What is at `path`, made from an image.
    pub(super) fn of(path: &Path, disk: &Disk) -> Volume {
        Volume {
            guid: Some(disk.identity.guid),
            size: Some(disk.size),
            volblocksize: Some(disk.identity.volblocksize),
            ..Volume::nothing(path)
        }
    }
}
