// SPDX-License-Identifier: GPL-3.0-or-later

//! Work on what a host has but once: one run at a time, at things that have a path or the name of a dataset.
//!
//! All locks lie in one folder that only this user can write to, so that nothing stays beside what was worked on. Users are told
//! apart by that: who works on what is another user's has to be kept from it by its permissions.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::unistd::Uid;
use uuid::Uuid;

use crate::lock::Lock;

/// What fits into a file name with room to spare; a longer one is told by its digest.
const LONGEST: usize = 200;

/// Takes the lock of the file at `path`, which need not be there.
///
/// # Errors
/// Where the lock cannot be taken, or another run holds it beyond `limit`.
pub fn alone_at(path: &Path, limit: Duration) -> Result<Lock> {
    let name = path.file_name().with_context(|| format!("{} names no file", path.display()))?;
    // A folder may have two names. One that is not there yet has this one.
    let folder = path.parent().unwrap_or(Path::new("/"));
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    Lock::acquire(&lock_of(&folder.join(name).to_string_lossy())?, limit)
}

/// Takes the locks of several datasets, always in the same order, so that two runs cannot wait for each other.
///
/// # Errors
/// As for [`alone_at`].
pub fn alone_with<'a>(datasets: impl Iterator<Item = &'a str>, limit: Duration) -> Result<Vec<Lock>> {
    let mut files = datasets.map(lock_of).collect::<Result<Vec<PathBuf>>>()?;
    files.sort();
    files.dedup();
    files.iter().map(|file| Lock::acquire(file, limit)).collect()
}

/// Paths begin with '/', names of datasets do not. Of two paths that differ in a `+` for a '/', one waits for the other: that costs a
/// moment and nothing else.
fn lock_of(subject: &str) -> Result<PathBuf> {
    let name = subject.replace('/', "+");
    let name = match name.len() <= LONGEST {
        true => name,
        false => Uuid::new_v5(&Uuid::NAMESPACE_URL, subject.as_bytes()).to_string(),
    };
    Ok(folder()?.join(name))
}

/// Only its owner may write there: a lock of somebody else's making could be held for ever.
fn folder() -> Result<PathBuf> {
    let user = Uid::effective();
    let folder = match user.is_root() {
        true => PathBuf::from("/var/run/apiary.bhyve"),
        false => std::env::temp_dir().join(format!("apiary.bhyve-{user}")),
    };
    let doing = || format!("making folder {} for locks", folder.display());
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(error).with_context(doing);
        }
        _ => {}
    }
    let found = fs::symlink_metadata(&folder).with_context(doing)?;
    ensure!(
        found.is_dir() && found.uid() == user.as_raw() && found.mode() & 0o022 == 0,
        "{}: expected a folder that only user {user} can write to, found another; remove it",
        doing()
    );
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_has_one_lock_by_whatever_path() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let held = alone_at(&real.join("web1"), Duration::ZERO).unwrap();
        alone_at(&link.join("web1"), Duration::ZERO).unwrap_err();
        drop(alone_at(&link.join("web2"), Duration::ZERO).unwrap());
        drop(held);
        drop(alone_at(&link.join("web1"), Duration::ZERO).unwrap());
        assert_eq!(fs::read_dir(&real).unwrap().count(), 0, "nothing lies beside the file");
    }

    #[test]
    fn long_paths_have_locks_of_their_own() {
        let (one, other) = ("/a".repeat(150) + "1", "/a".repeat(150) + "2");
        assert_ne!(lock_of(&one).unwrap(), lock_of(&other).unwrap());
        drop(alone_at(Path::new(&one), Duration::ZERO).unwrap());
        alone_at(Path::new("/"), Duration::ZERO).unwrap_err();
    }

    #[test]
    fn datasets_are_locked_once_each() {
        let names = ["tank/lock-test/b", "tank/lock-test/a", "tank/lock-test/b"];
        assert_eq!(alone_with(names.into_iter(), Duration::ZERO).unwrap().len(), 2);
    }
}
