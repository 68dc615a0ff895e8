// SPDX-License-Identifier: GPL-3.0-or-later

//! The file in which a domain's firmware keeps its variables.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use roxmltree::Document;

use crate::document::child;

/// Removes the variable store of a domain whose driver leaves it behind, where its name shows that it is the domain's own.
pub fn remove(xml: &str, name: &str) -> Result<()> {
    let document = Document::parse(xml).context("reading libvirt's XML of the domain")?;
    let nvram = child(document.root_element(), "os").and_then(|os| child(os, "nvram"));
    let Some(path) = nvram.and_then(|nvram| nvram.text()).map(|text| Path::new(text.trim())) else {
        return Ok(());
    };
    let own =
        path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(&format!("{name}_VARS")));
    let regular = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    if own && path.is_absolute() && regular {
        fs::remove_file(path).with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_nvram_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let xml = |path: &Path| format!("<domain><os><nvram>{}</nvram></os></domain>", path.display());
        for (file, removed) in [("web1_VARS.fd", true), ("web11_VARS.fd", false), ("VARS.fd", false)] {
            let path = folder.path().join(file);
            fs::write(&path, "").unwrap();
            remove(&xml(&path), "web1").unwrap();
            assert_eq!(!path.exists(), removed, "{file}");
        }
        remove("<domain><os/></domain>", "web1").unwrap();
        remove(&xml(&folder.path().join("web1_VARS.fd")), "web1").unwrap();
    }
}
