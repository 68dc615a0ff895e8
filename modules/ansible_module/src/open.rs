// SPDX-License-Identifier: GPL-3.0-or-later

//! Opening what somebody else names: what it is, is known before a byte of it is read, and nothing waits for the writer of a
//! pipe.

use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use nix::fcntl::OFlag;
use nix::unistd::geteuid;

/// Opens a file for reading.
///
/// # Errors
/// Where it cannot be opened, or is not a regular file.
pub fn open_file(path: &Path) -> Result<File> {
    open(path, FileType::is_file, "a file")
}

/// Opens a file or a disk for reading. Disks are block devices on Linux and character devices on FreeBSD.
///
/// # Errors
/// Where it cannot be opened, or is neither.
pub fn open_file_or_disk(path: &Path) -> Result<File> {
    open(path, |found| found.is_file() || is_disk(*found), "a file or a disk device")
}

/// Whether that is the device of a disk.
pub fn is_disk(found: FileType) -> bool {
    found.is_block_device() || cfg!(target_os = "freebsd") && found.is_char_device()
}

/// Whether nobody else may write to this file: it is root's or one's own, and its mode lets neither group nor others write.
///
/// # Errors
/// Where the file cannot be looked at.
pub fn is_ours_alone(file: &File) -> Result<bool> {
    let found = file.metadata().context("looking at an open file")?;
    let owned = found.uid() == 0 || found.uid() == geteuid().as_raw();
    Ok(owned && found.mode() & 0o022 == 0)
}

/// What a file is, in the words of a message.
pub fn kind_of(found: FileType) -> &'static str {
    match found {
        _ if found.is_file() => "a file",
        _ if found.is_dir() => "a folder",
        _ if found.is_symlink() => "a link",
        _ if found.is_fifo() => "a named pipe",
        _ if found.is_socket() => "a socket",
        _ => "a device",
    }
}

fn open(path: &Path, may_be_read: fn(&FileType) -> bool, expected: &str) -> Result<File> {
    let opening = || format!("opening {}", path.display());
    let judge = |found: Metadata| {
        let kind = found.file_type();
        ensure!(may_be_read(&kind), "{}: it is {}, expected {expected}", opening(), kind_of(kind));
        Ok(())
    };
    judge(fs::metadata(path).with_context(opening)?)?;
    // By now it may be another one, and a pipe without a writer would hold us for ever.
    let flags = OFlag::O_NONBLOCK.bits();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).with_context(opening)?;
    judge(file.metadata().with_context(opening)?)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;

    use super::*;
    use nix::sys::stat::Mode;

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        nix::unistd::mkfifo(&at("pipe"), Mode::S_IRWXU).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        fs::write(at("file"), "content").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        for (name, kind) in [("pipe", "a named pipe"), ("socket", "a socket"), (".", "a folder")] {
            let path = at(name);
            let expected = format!("opening {}: it is {kind}, expected a file", path.display());
            assert_eq!(open_file(&path).unwrap_err().to_string(), expected);
            let error = open_file_or_disk(&path).unwrap_err().to_string();
            assert_eq!(error, format!("{expected} or a disk device"));
        }
        open_file(&at("link")).unwrap();
        open_file_or_disk(&at("file")).unwrap();
        open_file(Path::new("/dev/null")).unwrap_err();
    }

    #[test]
    fn a_file_that_others_may_write_to_is_not_ours_alone() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (mode, expected) in [(0o600, true), (0o644, true), (0o664, false), (0o646, false)] {
            fs::set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_ours_alone(file.as_file()).unwrap(), expected, "{mode:o}");
        }
    }
}
