// SPDX-License-Identifier: GPL-3.0-or-later

//! Whether a folder is a repository of packages already, in whatever form: what cannot be read must not be written over.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};

/// What pkg(8) has ever called the archives beside the packages, and what it has ever packed them with.
const ARCHIVES: [&str; 4] = ["data", "packagesite", "digests", "meta"];
const PACKED: [&str; 6] = ["pkg", "tzst", "txz", "tbz", "tgz", "tar"];

/// The files in `folder` that describe or list packages, sorted; none where the folder is not there.
///
/// # Errors
/// Where the folder cannot be read: that says nothing about what is in it.
pub fn signs(folder: &Path) -> Result<Vec<String>> {
    let reading = || format!("reading folder {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(reading),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.with_context(reading)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_list(&name) && !entry.file_type().with_context(reading)?.is_dir() {
            found.push(name);
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn is_list(name: &str) -> bool {
    let archive = |(name, packed): (&str, &str)| ARCHIVES.contains(&name) && PACKED.contains(&packed);
    matches!(name, "meta" | "meta.conf") || name.split_once('.').is_some_and(archive)
}

/// Whether a file is called as packages are.
pub fn is_package(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, packed)| PACKED.contains(&packed))
}

/// Whether something stands at `path`, be it a link to nowhere.
///
/// # Errors
/// Where that cannot be found out.
pub fn is_there(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("looking at {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_list_is_a_sign() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(signs(&at("absent")).unwrap().is_empty());
        let others =
            [".lock", "index.html", "database", "data.csv", "meta.json", "digests.txt", "data.pkg.old"];
        for name in ["packagesite.txz", "data.tzst", "meta.conf", "meta"].into_iter().chain(others) {
            fs::write(at(name), "").unwrap();
        }
        fs::create_dir(at("data")).unwrap();
        std::os::unix::fs::symlink("/nowhere", at("data.pkg")).unwrap();
        assert_eq!(
            signs(folder.path()).unwrap(),
            ["data.pkg", "data.tzst", "meta", "meta.conf", "packagesite.txz"]
        );
        assert!(is_there(&at("data.pkg")).unwrap() && !is_there(&at("absent")).unwrap());
        signs(&at("meta")).unwrap_err();
        is_there(&at("meta/below")).unwrap_err();
    }
}
