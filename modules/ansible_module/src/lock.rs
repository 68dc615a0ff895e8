//! Locks between runs of our programs on one host.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, OFlag};

/// How often a waiting run looks again.
const AGAIN: Duration = Duration::from_millis(50);

/// An exclusive lock on a file; held until dropped, and by the kernel's own hand when the process dies.
/// The file stays: removing it would let two runs hold "the" lock.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held for its Drop")] Flock<File>);

impl Lock {
    /// Takes the lock at `path`, waiting for at most `limit`.
    ///
    /// # Errors
    /// Where the file cannot be opened, or another run holds it beyond the limit.
    pub fn acquire(path: &Path, limit: Duration) -> Result<Lock> {
        let doing = || format!("locking {}", path.display());
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(OFlag::O_NOFOLLOW.bits())
            .open(path)
            .with_context(doing)?;
        let deadline = Instant::now() + limit;
        loop {
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => return Ok(Lock(lock)),
                Err((back, Errno::EWOULDBLOCK | Errno::EINTR)) => file = back,
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("lock");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &link).unwrap();
        assert!(Lock::acquire(&link, Duration::ZERO).is_err());
        assert!(!folder.path().join("elsewhere").exists());
    }
}
