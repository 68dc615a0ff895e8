//! One run at a time per dataset: runs for the same image wait for the one that receives it.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::PathBuf;
use std::time::Duration;

use ansible_module::lock::Lock;
use anyhow::{Context, Result, ensure};
use nix::unistd::Uid;

use super::name::DatasetName;

/// As long as somebody else's receive of a large image may take.
const LIMIT: Duration = Duration::from_secs(3600);

/// Takes the locks of `names`, always in the same order, so that two runs cannot wait for each other.
///
/// The `zfs` commands of a run that is killed go on for a moment: they hold the locks as long as they do.
/// Runs of different users are told apart by ZFS alone: an unfinished volume has one name, which only one of them can make.
pub fn acquire(names: &[&DatasetName]) -> Result<Vec<Lock>> {
    let folder = folder()?;
    let mut files: Vec<PathBuf> = names.iter().map(|name| folder.join(file_name(name))).collect();
    files.sort();
    files.dedup();
    let locks = files.iter().map(|file| {
        let lock = Lock::acquire(file, LIMIT)?;
        lock.pass_on()?;
        Ok(lock)
    });
    locks.collect()
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

/// Names hold no `+`, so no two of them make the same file name.
fn file_name(name: &DatasetName) -> String {
    name.as_str().replace('/', "+")
}
