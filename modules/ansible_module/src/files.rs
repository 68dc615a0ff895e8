// SPDX-License-Identifier: GPL-3.0-or-later

//! Files that are either whole or not there, and that it is no error not to find.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tempfile::{Builder, NamedTempFile};

use crate::open::kind_of;

/// First letters of the name of everything that is not finished yet.
const UNFINISHED: &str = ".new-";

/// Letters that tell two unfinished files of one name apart.
const RANDOM: usize = 6;

/// What was found, or `None` where nothing is there.
///
/// # Errors
/// Where that cannot be found out.
pub fn if_there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes a folder with this mode, unless it is there. Those above it are everybody's: others keep things there, too.
///
/// # Errors
/// Where one of them cannot be made.
pub fn make_folder(folder: &Path, mode: u32) -> Result<()> {
    let above = folder.parent().map_or(Ok(()), fs::create_dir_all);
    let made = above.and_then(|()| DirBuilder::new().recursive(true).mode(mode).create(folder));
    made.with_context(|| format!("making folder {}", folder.display()))
}

/// Removes a file that may be gone already.
///
/// # Errors
/// Where it cannot be removed.
pub fn remove_if_there(path: &Path) -> Result<()> {
    if_there(fs::remove_file(path)).with_context(|| format!("removing {}", path.display()))?;
    Ok(())
}

/// Removes what dead runs left in `folder`, if it is there: everything that is called as unfinished files are, and what `is_left`
/// says. The caller holds the lock of the folder.
///
/// # Errors
/// Where the folder cannot be read or a leftover cannot be removed.
pub fn sweep_folder(folder: &Path, is_left: impl Fn(&[u8]) -> bool) -> Result<()> {
    let doing = || format!("removing leftovers from {}", folder.display());
    for entry in if_there(fs::read_dir(folder)).with_context(doing)?.into_iter().flatten() {
        let entry = entry.with_context(doing)?;
        let name = entry.file_name();
        if name.as_bytes().starts_with(UNFINISHED.as_bytes()) || is_left(name.as_bytes()) {
            if_there(fs::remove_file(entry.path())).with_context(doing)?;
        }
    }
    Ok(())
}

/// A temporary file beside `path`, named `.new-XXXXXX-NAME`; removed when dropped.
/// [`publish`] gives it its final name.
///
/// # Errors
/// Where `path` has no file name or is something else than a file already, or its folder cannot be written.
pub fn temporary_for(path: &Path) -> Result<NamedTempFile> {
    require_file_or_nothing(path)?;
    let name = path.file_name().with_context(|| format!("{} names no file", path.display()))?;
    let mut suffix = OsString::from("-");
    suffix.push(name);
    Builder::new()
        .prefix(UNFINISHED)
        .suffix(&suffix)
        .rand_bytes(RANDOM)
        .tempfile_in(folder_of(path))
        .with_context(|| format!("creating a temporary file in {}", folder_of(path).display()))
}

/// Syncs `file`, gives it `mode` and the name `path` in one step, and syncs the folder.
///
/// # Errors
/// Where any of the steps fails, or `path` is something else than a file already; the temporary file is gone then.
pub fn publish(file: NamedTempFile, path: &Path, mode: u32) -> Result<()> {
    let doing = || format!("putting {} in its place", path.display());
    require_file_or_nothing(path)?;
    file.as_file().set_permissions(Permissions::from_mode(mode)).with_context(doing)?;
    file.as_file().sync_all().with_context(doing)?;
    file.persist(path).with_context(doing)?;
    sync_folder(folder_of(path))
}

/// Replaces the file at `path` by `contents`: a reader sees the old or the new text, never a part.
///
/// # Errors
/// Where the folder cannot be written or is full; the old file is untouched then.
pub fn write_atomically(path: &Path, mode: u32, contents: &[u8]) -> Result<()> {
    let mut file = temporary_for(path)?;
    file.write_all(contents).with_context(|| format!("writing {}", path.display()))?;
    publish(file, path, mode)
}

/// Removes what dead runs left of `path`, and says how many files that were.
/// The caller holds the lock of `path`.
///
/// # Errors
/// Where the folder cannot be read or a leftover cannot be removed.
pub fn sweep_for(path: &Path) -> Result<usize> {
    let leftovers = leftovers_of(path)?;
    for left in &leftovers {
        fs::remove_file(left).with_context(|| format!("removing leftover {}", left.display()))?;
    }
    Ok(leftovers.len())
}

/// The unfinished files of `path`: left by dead runs, or being written by one that is alive and holds the lock.
///
/// # Errors
/// Where the folder cannot be read.
pub fn leftovers_of(path: &Path) -> Result<Vec<PathBuf>> {
    let folder = folder_of(path);
    let doing = || format!("looking for leftovers in {}", folder.display());
    let name = path.file_name().with_context(|| format!("{} names no file", path.display()))?;
    let mut leftovers = Vec::new();
    for entry in if_there(fs::read_dir(folder)).with_context(doing)?.into_iter().flatten() {
        let entry = entry.with_context(doing)?;
        if is_unfinished(&entry.file_name(), name) {
            leftovers.push(entry.path());
        }
    }
    Ok(leftovers)
}

/// Makes names created, changed or removed in `folder` survive a power cut.
///
/// # Errors
/// Where the folder cannot be opened or synced.
pub fn sync_folder(folder: &Path) -> Result<()> {
    let doing = || format!("syncing folder {}", folder.display());
    File::open(folder).with_context(doing)?.sync_all().with_context(doing)
}

/// Refuses a file that holds a secret but can be read by others than its owner.
///
/// # Errors
/// Where the file is not there, or its mode has any bit for group or others.
pub fn require_private(path: &Path) -> Result<()> {
    let mode =
        fs::metadata(path).with_context(|| format!("reading {}", path.display()))?.permissions().mode();
    ensure!(
        mode & 0o077 == 0,
        "reading {}: expected a file that only its owner can read, found mode {:04o}; run chmod 600 on it",
        path.display(),
        mode & 0o7777
    );
    Ok(())
}

/// Refuses what is neither a file nor nothing: to root, `/dev/null` would be one as good as any to replace.
///
/// # Errors
/// Where something else stands there, or that cannot be found out.
pub fn require_file_or_nothing(path: &Path) -> Result<()> {
    let doing = || format!("writing {}", path.display());
    if let Some(found) = if_there(fs::symlink_metadata(path)).with_context(doing)? {
        let kind = kind_of(found.file_type());
        ensure!(found.is_file(), "{}: it is {kind}, expected a file or nothing yet", doing());
    }
    Ok(())
}

fn is_unfinished(entry: &OsStr, name: &OsStr) -> bool {
    let rest = entry.as_bytes().strip_prefix(UNFINISHED.as_bytes());
    rest.and_then(|rest| rest.get(RANDOM..)).and_then(|rest| rest.strip_prefix(b"-")) == Some(name.as_bytes())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != PathBuf::new() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_with_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "old").unwrap();
        write_atomically(&path, 0o600, b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        require_private(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_keeps_its_mode_for_itself() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (plain, own) = (folder.path().join("plain"), folder.path().join("above/between/own"));
        fs::create_dir(&plain).unwrap();
        for _ in 0..2 {
            make_folder(&own, 0o700).unwrap();
            let modes: Vec<_> = own.ancestors().take(3).map(mode).collect();
            assert_eq!(modes, [0o700, mode(&plain), mode(&plain)]);
        }
        fs::write(folder.path().join("file"), "").unwrap();
        let error = make_folder(&folder.path().join("file"), 0o700).unwrap_err().to_string();
        assert!(error.starts_with("making folder "), "{error}");
    }

    #[test]
    fn what_dead_runs_left_in_a_folder_goes() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".new-abcdef-key", ".x.part", "key", "new-key"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        sweep_folder(folder.path(), |name| name.ends_with(b".part")).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["key", "new-key"]);
        sweep_folder(&folder.path().join("missing"), |_| true).unwrap();
        sweep_folder(&folder.path().join("key"), |_| true).unwrap_err();
        remove_if_there(&folder.path().join("missing")).unwrap();
        remove_if_there(&folder.path().join("key/below")).unwrap_err();
    }

    #[test]
    fn only_a_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        std::os::unix::fs::symlink("elsewhere", at("link")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        for (name, kind) in [("pipe", "a named pipe"), ("link", "a link"), ("folder", "a folder")] {
            let error = write_atomically(&at(name), 0o600, b"new").unwrap_err().to_string();
            let path = at(name).display().to_string();
            assert_eq!(error, format!("writing {path}: it is {kind}, expected a file or nothing yet"));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        write_atomically(Path::new("/dev/null"), 0o600, b"new").unwrap_err();
    }

    #[test]
    fn only_leftovers_of_the_same_name_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in [".new-abcdef-web", ".new-abcdef-web-2", ".new-ab-web", "web", ".new-abcdef-"] {
            fs::write(at(name), "").unwrap();
        }
        assert_eq!(sweep_for(&at("web")).unwrap(), 1);
        assert!(!at(".new-abcdef-web").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_atomically(&path, 0o640, b"secret").unwrap();
        assert_eq!(
            require_private(&path).unwrap_err().to_string(),
            format!(
                "reading {}: expected a file that only its owner can read, found mode 0640; run chmod 600 on it",
                path.display()
            )
        );
    }
}
