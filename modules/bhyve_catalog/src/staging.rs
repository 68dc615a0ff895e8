//! Raw copies of packed disks: each goes with the run that made it, or with the next run if that one was killed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail};
use nix::fcntl::OFlag;
use nix::unistd::geteuid;
use tempfile::NamedTempFile;

/// First letters of the name of every raw copy.
const PREFIX: &str = ".staged-";

/// A raw copy being made. Its run holds a lock on it, which the kernel takes away with the run.
pub struct Staged {
    named: NamedTempFile,
}

impl Staged {
    /// An empty file in `folder`, which is rid of the copies of dead runs first.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn new(folder: &Path) -> Result<Self> {
        sweep(folder)?;
        let making = || format!("making a temporary file in {}", folder.display());
        let named = tempfile::Builder::new().prefix(PREFIX).tempfile_in(folder).with_context(making)?;
        named.as_file().lock().with_context(making)?;
        Ok(Self { named })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.named.path()
    }

    /// The file, to be read from its start.
    ///
    /// # Errors
    /// Where it is gone.
    pub fn reopen(&self) -> Result<File> {
        self.named.reopen().context("opening the raw disk")
    }
}

/// Removes copies in `folder` that no run holds any more.
///
/// # Errors
/// Where the folder cannot be read or a copy cannot be removed.
pub fn sweep(folder: &Path) -> Result<()> {
    let sweeping = || format!("removing raw copies of dead runs from {}", folder.display());
    for entry in fs::read_dir(folder).with_context(sweeping)? {
        let entry = entry.with_context(sweeping)?;
        if entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
            remove_if_dead(&entry.path()).with_context(sweeping)?;
        }
    }
    Ok(())
}

/// In a folder for everybody's temporary files, only one's own are of interest.
fn remove_if_dead(path: &Path) -> Result<()> {
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        // Gone by now, somebody else's, or a link: nothing that this user left.
        Err(_) => return Ok(()),
    };
    let found = file.metadata()?;
    if !found.is_file() || found.uid() != geteuid().as_raw() {
        return Ok(());
    }
    match file.try_lock() {
        Ok(()) => match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => bail!(error),
            _ => Ok(()),
        },
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_dead_runs_go_and_those_of_live_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at(".staged-dead"), "").unwrap();
        fs::write(at("disk"), "").unwrap();
        std::os::unix::fs::symlink(at("disk"), at(".staged-link")).unwrap();
        let living = Staged::new(folder.path()).unwrap();
        sweep(folder.path()).unwrap();
        assert!(living.path().exists() && at("disk").exists() && !at(".staged-dead").exists());
        drop(living);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
