// SPDX-License-Identifier: GPL-3.0-or-later

//! Files that are the very ones that were looked at before.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};

/// Tells a file from any other, and from itself before a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIdentity {
    inode: u64,
    size: u64,
    modified: i64,
    modified_nanoseconds: i64,
}

impl FileIdentity {
    /// The identity of a file by its metadata.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            size: metadata.size(),
            modified: metadata.mtime(),
            modified_nanoseconds: metadata.mtime_nsec(),
        }
    }
}
