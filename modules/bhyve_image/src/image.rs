// SPDX-License-Identifier: GPL-3.0-or-later

//! An image as replies and records show it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use image_catalog::arch::Arch;
use image_catalog::digest::Sha256Hex;
use image_catalog::name::ImageId;
use image_catalog::package::Package;
use serde::{Deserialize, Serialize};
use zfs_command::Guid;

/// An image of a catalogue or of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The name without the version.
    pub name: String,
    pub version: String,
    /// The package in the store, where it is there or will be.
    pub path: Option<PathBuf>,
    /// SHA-256 of the package; a catalogue written by pkg 2.8 or later does not tell it.
    pub sha256: Option<Sha256Hex>,
    /// Bytes of the package.
    pub size: u64,
    /// Bytes of the volume in it.
    pub volsize: u64,
    /// Bytes of a block of that volume.
    pub volblocksize: u64,
    /// The guid of the snapshot in it, the identity of the image.
    pub guid: Guid,
    /// For an increment: the guid it builds on.
    pub fromguid: Option<Guid>,
    /// For an increment: the image with that guid.
    pub parent: Option<String>,
    /// The system in it.
    pub os: Option<String>,
    /// The machines it is for.
    #[serde(default)]
    pub arch: Option<Arch>,
    /// Bytes of memory a guest needs.
    pub min_memory: Option<u64>,
    /// What boots it.
    pub loader: Option<String>,
    /// The disk device it has a driver for.
    pub disk_driver: Option<String>,
    /// The network device it has a driver for.
    pub network_driver: Option<String>,
    /// One line about it.
    #[serde(default)]
    pub comment: Option<String>,
    /// The day that its version begins with.
    #[serde(default)]
    pub date: Option<String>,
    /// Labels of the publisher's own.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

impl Image {
    /// NAME-VERSION.
    pub fn full_name(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

impl From<&Package> for Image {
    fn from(package: &Package) -> Self {
        let (ImageId { name, version }, facts) = (&package.id, &package.facts);
        let labels = package.manifest.annotations.iter().filter(|(key, _)| !key.starts_with("image_"));
        Self {
            name: name.to_string(),
            version: version.to_string(),
            path: None,
            sha256: package.sum.sha256(),
            size: package.size,
            volsize: facts.volsize,
            volblocksize: facts.volblocksize,
            guid: Guid(facts.guid),
            fromguid: facts.fromguid.map(Guid),
            parent: facts.parent.as_ref().map(ToString::to_string),
            os: facts.os.clone(),
            arch: facts.arch,
            min_memory: facts.min_memory,
            loader: facts.loader.clone(),
            disk_driver: facts.disk_driver.clone(),
            network_driver: facts.network_driver.clone(),
            comment: Some(package.manifest.comment.clone()).filter(|comment| !comment.is_empty()),
            date: date_of(version.as_str()),
            labels: labels.map(|(key, value)| (key.clone(), value.clone())).collect(),
        }
    }
}

/// `2026-05-15` for version `20260515` or `20260515.1`.
fn date_of(version: &str) -> Option<String> {
    let digits = version.get(..8).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let alone = !version[8..].starts_with(|c: char| c.is_ascii_alphanumeric());
    let (year, month, day) = (&digits[..4], &digits[4..6], &digits[6..]);
    let is_date =
        ("1970".."2200").contains(&year) && ("01"..="12").contains(&month) && ("01"..="31").contains(&day);
    (alone && is_date).then(|| format!("{year}-{month}-{day}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_name_a_day_or_none() {
        for (version, expected) in [
            ("20260515", Some("2026-05-15")),
            ("20260515.2", Some("2026-05-15")),
            ("20260515_1", Some("2026-05-15")),
            ("202605150", None),
            ("20261315", None),
            ("19690101", None),
            ("1.0", None),
        ] {
            assert_eq!(date_of(version).as_deref(), expected, "{version}");
        }
    }
}
