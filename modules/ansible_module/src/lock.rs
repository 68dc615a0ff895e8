//! Locks between runs of our programs on one host.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, Flock, FlockArg, OFlag, fcntl};

/// How often a waiting run looks again.
const AGAIN: Duration = Duration::from_millis(50);

/// An exclusive lock on a file; held until dropped, and by the kernel's own hand when the process dies.
/// The file stays unless [`Lock::remove`] takes it away.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: Flock<File>,
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
            match Flock::lock(open(path).with_context(doing)?, FlockArg::LockExclusiveNonblock) {
                Ok(file) if is_at(&file, path) => return Ok(Lock { path: path.to_owned(), file }),
                // The run that held it has removed it: the next one locks another file.
                Ok(_) => continue,
                Err((_, Errno::EWOULDBLOCK | Errno::EINTR)) => {}
                Err((_, error)) => return Err(error).with_context(doing),
            }
            if Instant::now() >= deadline {
                bail!(
                    "{}: another run has held it for {} s; wait for it or end it",
                    doing(),
                    limit.as_secs()
                );
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
        fcntl(&*self.file, FcntlArg::F_SETFD(FdFlag::empty()))
            .with_context(|| format!("passing on lock {}", self.path.display()))?;
        Ok(())
    }

    /// Whether there is a lock file at `path` that no run holds: one that died has left it.
    ///
    /// # Errors
    /// Where the file cannot be opened.
    pub fn is_stale(path: &Path) -> Result<bool> {
        let doing = || format!("looking at lock {}", path.display());
        match OpenOptions::new().read(true).custom_flags(OFlag::O_NOFOLLOW.bits()).open(path) {
            Ok(file) => match Flock::lock(file, FlockArg::LockSharedNonblock) {
                Ok(_) => Ok(true),
                Err((_, Errno::EWOULDBLOCK | Errno::EINTR)) => Ok(false),
                Err((_, error)) => Err(error).with_context(doing),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(doing),
        }
    }

    /// Releases the lock and leaves no file behind.
    ///
    /// # Errors
    /// Where the file cannot be removed.
    pub fn remove(self) -> Result<()> {
        fs::remove_file(&self.path).with_context(|| format!("removing lock {}", self.path.display()))
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)
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

    #[test]
    fn a_second_run_waits_and_then_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Lock::acquire(&path, Duration::ZERO).unwrap();
        let error = Lock::acquire(&path, Duration::from_millis(60)).unwrap_err();
        let expected =
            format!("locking {}: another run has held it for 0 s; wait for it or end it", path.display());
        assert_eq!(error.to_string(), expected);
        drop(held);
        Lock::acquire(&path, Duration::ZERO).unwrap();
    }

    #[test]
    fn a_removed_lock_keeps_nobody_out_and_lets_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert!(!Lock::is_stale(&path).unwrap());
        drop(Lock::acquire(&path, Duration::ZERO).unwrap());
        assert!(Lock::is_stale(&path).unwrap());
        let held = Lock::acquire(&path, Duration::ZERO).unwrap();
        assert!(!Lock::is_stale(&path).unwrap());
        let waiting = {
            let path = path.clone();
            thread::spawn(move || Lock::acquire(&path, Duration::from_secs(60)).unwrap())
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
