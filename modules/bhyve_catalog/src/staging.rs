// SPDX-License-Identifier: GPL-3.0-or-later

//! Raw copies of packed disks: each goes with the run that made it, or with the next run if that one was killed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use ansible_module::files::if_there;
use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::kill;
use nix::unistd::{Pid, geteuid};
use tempfile::NamedTempFile;

/// First letters of the name of every raw copy; the number of its process follows.
const PREFIX: &str = ".staged-";

/// How long a copy may stay locked whose process has ended: far longer than a program takes to start.
const STARTING: Duration = Duration::from_secs(30);
const AGAIN: Duration = Duration::from_millis(10);

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
        let prefix = format!("{PREFIX}{}-", process::id());
        let named = tempfile::Builder::new().prefix(&prefix).tempfile_in(folder).with_context(making)?;
        named.as_file().lock().with_context(making)?;
        Ok(Self { named })
    }

    /// The file, to be written.
    pub fn file(&self) -> &File {
        self.named.as_file()
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
    if !is_left(&file, path)? {
        return Ok(());
    }
    if_there(fs::remove_file(path))?;
    Ok(())
}

/// Whether nobody holds the lock of a copy. A program that a run was starting when it was killed holds it for a moment more,
/// until it has become that program.
fn is_left(file: &File, path: &Path) -> Result<bool> {
    let end = Instant::now() + STARTING;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(error)) => return Err(error.into()),
            Err(TryLockError::WouldBlock) if !has_ended(path) || Instant::now() >= end => return Ok(false),
            Err(TryLockError::WouldBlock) => thread::sleep(AGAIN),
        }
    }
}

/// Whether the process that made a copy is no more, as far as this one can see.
fn has_ended(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()?.strip_prefix(PREFIX)?.split_once('-'));
    let pid = name.and_then(|(pid, _)| pid.parse().ok());
    pid.is_some_and(|pid| kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use test_support::{times_open, wait_for};

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

    #[test]
    fn a_copy_whose_process_has_ended_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        #[expect(clippy::disallowed_methods, reason = "any process that has ended")]
        let mut ended = Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        let copy = folder.path().join(format!("{PREFIX}{}-abcdef", ended.id()));
        let starting = File::create(&copy).unwrap();
        starting.lock().unwrap();
        thread::scope(|scope| {
            let sweeping = scope.spawn(|| sweep(folder.path()));
            wait_for("the sweep to open the copy", 30, || match times_open(process::id(), &copy) {
                2 => Ok(()),
                other => Err(other),
            });
            drop(starting);
            sweeping.join().unwrap().unwrap();
        });
        assert!(!copy.exists());
    }
}
