//! Whether a folder is a repository of packages already, in whatever form: what cannot be read must not be written over.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};

/// First parts of the names of what pkg(8) has ever written beside the packages: `meta.conf`, `data.pkg`, `packagesite.txz`.
const LISTS: [&str; 4] = ["data", "packagesite", "digests", "meta"];

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
        let name = entry.with_context(reading)?.file_name().to_string_lossy().into_owned();
        if LISTS.contains(&name.split('.').next().unwrap_or_default()) {
            found.push(name);
        }
    }
    found.sort_unstable();
    Ok(found)
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
        for name in ["packagesite.txz", "data.tzst", "meta.conf", "meta", ".lock", "index.html", "database"] {
            fs::write(at(name), "").unwrap();
        }
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
