// SPDX-License-Identifier: GPL-3.0-or-later

//! Golden volumes: which a host has, and who lives on them.

use anyhow::{Context, Result};
use serde::Serialize;
use zfs_command::{DatasetName, Guid, Snapshot, Zfs};

/// A snapshot of a volume below the folder of golden volumes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Golden {
    /// NAME-VERSION, by the name of the volume.
    pub name: String,
    pub snapshot: String,
    /// Its guid, which is that of the image.
    pub guid: Guid,
    /// The volumes cloned from it.
    pub clones: Vec<String>,
}

/// Lists the snapshots of the volumes directly below `folder`.
///
/// # Errors
/// Where zfs is missing, or does not know the dataset.
pub fn golden(folder: &DatasetName) -> Result<Vec<Golden>> {
    let listed = Zfs::find()?.snapshots(folder, 2);
    let listed = listed.with_context(|| format!("looking for golden volumes below {folder}"))?;
    Ok(listed.into_iter().filter_map(|snapshot| below(folder, snapshot)).collect())
}

/// A snapshot of `folder` itself is none of a volume.
fn below(folder: &DatasetName, snapshot: Snapshot) -> Option<Golden> {
    let Snapshot { name: snapshot, guid, clones } = snapshot;
    let (volume, _) = snapshot.split_once('@')?;
    let name = volume.strip_prefix(folder.as_str())?.strip_prefix('/')?.to_owned();
    Some(Golden { name, snapshot, guid, clones })
}
