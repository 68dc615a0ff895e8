// SPDX-License-Identifier: GPL-3.0-or-later

//! Locks between runs of our programs on one host.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::signal::kill;
use nix::unistd::{Pid, gethostname};

use crate::moment;

/// How often a waiting run looks again.
const AGAIN: Duration = Duration::from_millis(50);

/// An exclusive lock on a file; held until dropped, and by the kernel's own hand when the process dies.
/// The file stays unless [`Lock::remove`] takes it away.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Takes the lock at `path`, waiting for at most `limit`.
    ///
    /// # Errors
    /// Where the file cannot be opened, or another run holds it beyond the limit.
    pub fn acquire(path: &Path, limit: Duration) -> Result<Lock> {
        let doing = || format!("locking {}", path.display());
        let deadline = Instant::now() + limit;
        loop {
            // Open as long as it waits, so that fuser(1) shows who does.
            let file = open(path).with_context(doing)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => {
                    sign(&file);
                    return Ok(Lock { path: path.to_owned(), file });
                }
                // The run that held it has removed it: the next one locks another file.
                Ok(()) => continue,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(TryLockError::Error(error)) => return Err(error).with_context(doing),
            }
            if Instant::now() >= deadline {
                bail!("{}: {}; wait for it or end it", doing(), holder(file));
            }
            thread::sleep(AGAIN);
        }
    }

    /// Lets commands that are started from now on hold the lock, too: where this run is killed, one of them may still be at
    /// work on what the lock protects, and the next run waits for it.
    ///
    /// # Errors
    /// Where the system does not let it.
    pub fn pass_on(&self) -> Result<()> {
        fcntl(&self.file, FcntlArg::F_SETFD(FdFlag::empty()))
            .with_context(|| format!("passing on lock {}", self.path.display()))?;
        Ok(())
    }

    /// Releases the lock and leaves no file behind.
    ///
    /// # Errors
    /// Where the file cannot be removed.
    pub fn remove(self) -> Result<()> {
        fs::remove_file(&self.path).with_context(|| format!("removing lock {}", self.path.display()))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Commands that were handed the lock may still have the file open. Where unlocking fails, it ends with them.
        let _ = self.file.unlock();
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)
}

/// Writes down who has taken a lock, and when: the time of the file's last change.
fn sign(mut file: &File) {
    let signed = file
        .set_len(0)
        .and_then(|()| writeln!(file, "{} {}", process::id(), host()))
        .and_then(|()| file.set_modified(SystemTime::now()));
    // A full disk, say: the lock holds all the same, and the message about it says less.
    drop(signed);
}

/// Who holds a lock, as far as its file says it.
fn holder(mut file: File) -> String {
    let mut text = String::new();
    let taken = file.read_to_string(&mut text).and_then(|_| file.metadata()?.modified());
    let signed = text.trim_end().split_once(' ').and_then(|(pid, host)| Some((pid.parse().ok()?, host)));
    let (Ok(taken), Some((pid, on))) = (taken, signed) else { return "another run holds it".to_owned() };
    let taken = moment::readable(taken);
    if on == host() && kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH) {
        return format!(
            "process {pid} on {on} took it at {taken} and has ended, but a program that it started may still run"
        );
    }
    format!("process {pid} on {on} has held it since {taken}")
}

fn host() -> String {
    gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether `path` still names this very file.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |found: fs::Metadata| (found.dev(), found.ino());
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(held), Ok(named)) => identity(held) == identity(named),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tool;
    use test_support::patience;

    #[test]
    fn a_run_that_has_waited_in_vain_says_for_whom() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Lock::acquire(&path, Duration::ZERO).unwrap();
        let refusal = || {
            let error = Lock::acquire(&path, Duration::ZERO).unwrap_err().to_string();
            error.replace(&format!("locking {}: ", path.display()), "").replace(&host(), "HOST")
        };
        let taken = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_371_300);
        held.file.set_modified(taken).unwrap();
        let own = process::id();
        assert_eq!(
            refusal(),
            format!("process {own} on HOST has held it since 2026-11-22T18:15:00Z; wait for it or end it")
        );
        #[expect(clippy::disallowed_methods, reason = "any process that has ended")]
        let mut ended = process::Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        for (signed, expected) in [
            (
                format!("{} {}\n", ended.id(), host()),
                format!(
                    "process {} on HOST took it at 2026-11-22T18:15:00Z and has ended, but a program that it started may still run",
                    ended.id()
                ),
            ),
            (
                format!("{} elsewhere\n", ended.id()),
                format!("process {} on elsewhere has held it since 2026-11-22T18:15:00Z", ended.id()),
            ),
            (String::new(), "another run holds it".to_owned()),
        ] {
            fs::write(&path, signed).unwrap();
            held.file.set_modified(taken).unwrap();
            assert_eq!(refusal(), format!("{expected}; wait for it or end it"));
        }
        drop(held);
        let again = Lock::acquire(&path, Duration::ZERO).unwrap();
        assert!(again.file.metadata().unwrap().modified().unwrap() > taken);
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{own} {}\n", host()));
    }

    #[test]
    fn a_removed_lock_keeps_nobody_out_and_lets_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Lock::acquire(&path, Duration::ZERO).unwrap();
        let waiting = {
            let path = path.clone();
            thread::spawn(move || Lock::acquire(&path, patience(30)).unwrap())
        };
        held.remove().unwrap();
        let next = waiting.join().unwrap();
        Lock::acquire(&path, Duration::ZERO).unwrap_err();
        next.remove().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn commands_hold_a_lock_that_is_passed_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = Lock::acquire(&path, Duration::ZERO).unwrap();
        let held_by_commands = || {
            let open = Tool::find("ls").unwrap().command().args(["-l", "/proc/self/fd"]).run().unwrap();
            open.stdout.contains(&path.display().to_string())
        };
        assert!(!held_by_commands());
        lock.pass_on().unwrap();
        assert!(held_by_commands());
        // The run that has started them lets go in any case.
        drop(lock);
        Lock::acquire(&path, Duration::ZERO).unwrap();
    }

    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("lock");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &link).unwrap();
        assert!(Lock::acquire(&link, Duration::ZERO).is_err());
        assert!(!folder.path().join("elsewhere").exists());
    }
}
