// SPDX-License-Identifier: GPL-3.0-or-later

//! Opening regular files only.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

/// Opens a file for reading; what is not a regular file is refused at once.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // O_NONBLOCK: a pipe without a writer would hold us for ever.
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is not a file")),
    }
}
