// SPDX-License-Identifier: GPL-3.0-or-later

//! The unfinished package of one image: it goes with its owner, unless it is published.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ansible_module::{Size, files};
use anyhow::{Context, Result, ensure};
use nix::fcntl::OFlag;
use nix::sys::statvfs::statvfs;

use crate::file_identity::FileIdentity;

/// An unfinished package, open for writing at its end. Dropping it removes it; only a killed run leaves one.
#[derive(Debug)]
pub struct Part {
    file: File,
    path: PathBuf,
    kept: u64,
    published: bool,
}

impl Part {
    /// Opens the unfinished package at `path`, which will have `size` bytes. What a killed run left of it counts as its
    /// beginning.
    ///
    /// # Errors
    /// Where it cannot be written or the disk has no room for the rest.
    pub fn open(path: PathBuf, size: u64) -> Result<Self> {
        let doing = || format!("opening {}", path.display());
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
            .open(&path)
            .with_context(doing)?;
        let found = file.metadata().with_context(doing)?;
        ensure!(found.is_file(), "{}: it is not a file; remove it", doing());
        let mut part = Self { file, path, kept: found.len(), published: false };
        if part.kept > size {
            part.start_over()?;
        }
        part.require_room(size - part.kept)?;
        part.file
            .seek(SeekFrom::Start(part.kept))
            .with_context(|| format!("opening {}", part.path.display()))?;
        Ok(part)
    }

    /// Counts what has come as the beginning that is there, for another attempt.
    ///
    /// # Errors
    /// Where the file cannot be looked at.
    pub fn keep(&mut self) -> Result<()> {
        let found = self.file.stream_position();
        self.kept = found.with_context(|| format!("reading {}", self.path.display()))?;
        Ok(())
    }

    /// Bytes that were there before this attempt.
    pub fn kept(&self) -> u64 {
        self.kept
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file, to be written at its end.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Reads what was there before this run.
    ///
    /// # Errors
    /// Where it cannot be opened once more.
    pub fn read_kept(&self) -> Result<impl Read + use<>> {
        let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NOFOLLOW.bits()).open(&self.path);
        Ok(file.with_context(|| format!("reading {}", self.path.display()))?.take(self.kept))
    }

    /// Forgets everything that is in it.
    ///
    /// # Errors
    /// Where the file cannot be cut.
    pub fn start_over(&mut self) -> Result<()> {
        self.kept = 0;
        let cut = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        cut.map(drop).with_context(|| format!("emptying {}", self.path.display()))
    }

    /// Gives the whole package its final name, for good, and says which file it is.
    ///
    /// # Errors
    /// Where a step fails.
    pub fn publish(mut self, path: &Path) -> Result<FileIdentity> {
        let doing = || format!("putting {} in its place", path.display());
        files::require_file_or_nothing(path)?;
        self.file.set_permissions(Permissions::from_mode(0o644)).with_context(doing)?;
        self.file.sync_all().with_context(doing)?;
        let identity = FileIdentity::of(&self.file.metadata().with_context(doing)?);
        fs::rename(&self.path, path).with_context(doing)?;
        self.published = true;
        files::sync_folder(path.parent().unwrap_or(Path::new("/")))?;
        Ok(identity)
    }

    /// A disk that is too full is better known before an hour of fetching than after it.
    fn require_room(&self, bytes: u64) -> Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let found = statvfs(folder).with_context(|| format!("measuring the disk of {}", folder.display()))?;
        let free = found.blocks_available().saturating_mul(found.fragment_size());
        ensure!(
            bytes <= free,
            "making room in {}: expected {} free, found {}; remove images that are not needed",
            folder.display(),
            Size(bytes),
            Size(free)
        );
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.published {
            // An error on the way matters more than one here, and the next run takes up what stays.
            let _ = fs::remove_file(&self.path);
        }
    }
}
