// SPDX-License-Identifier: GPL-3.0-or-later

//! ZFS volumes directly below a file system.

use std::collections::BTreeMap;

use anyhow::{Error, Result, ensure};
use zfs_command::{DatasetName, Kind, Row, Zfs};

use super::{Volume, marks};
use crate::dataset;
use crate::made_from::{Place, made_from};

/// The volumes in a file system.
pub fn volumes(folder: &DatasetName) -> Result<Vec<Volume>> {
    let zfs = dataset::find_zfs()?;
    let rows = zfs.list(&[folder.as_str()], 2)?;
    ensure!(
        rows.iter().any(|row| row.name == folder.as_str() && row.kind == Kind::Filesystem),
        "looking for volumes in {folder}: there is no such file system; create it with `zfs create -p {folder}`"
    );
    let below = format!("{folder}/");
    let ours = |row: &&Row| {
        let name = row.name.strip_prefix(&below);
        // What dead runs have left begins with a dot, and is swept by the next one.
        row.kind == Kind::Volume && name.is_some_and(|name| !name.contains('/') && !name.starts_with('.'))
    };
    let found: Vec<&Row> = rows.iter().filter(ours).collect();
    let places: Vec<Place> = found
        .iter()
        .map(|row| DatasetName::try_from(row.name.clone()).map(Place::Dataset))
        .collect::<Result<_, String>>()
        .map_err(Error::msg)?;
    let images = made_from(&places)?;
    let properties = properties(&zfs, &found)?;
    let told = found.iter().zip(images).map(|(row, image)| {
        let value = |name: &str| properties.get(&(row.name.clone(), name.to_owned())).cloned();
        let device = dataset::device_path(&row.name).display().to_string();
        let snapshots =
            || rows.iter().filter(|other| other.name.split_once('@').is_some_and(|(of, _)| of == row.name));
        let volume = Volume {
            dataset: Some(row.name.clone()),
            guid: image.map(|image| image.guid),
            origin: row.origin.clone(),
            size: row.volsize,
            used: value("used").and_then(|used| used.parse().ok()),
            clones: snapshots().flat_map(|snapshot| snapshot.clones.clone()).collect(),
            held: snapshots()
                .filter(|snapshot| snapshot.holds > 0)
                .map(|snapshot| snapshot.name.clone())
                .collect(),
            ..Volume::called(&row.name[below.len()..], device)
        };
        volume.marked(|mark| Ok(value(&marks::property(mark))))
    });
    told.collect()
}

/// Marks that are set on the volumes themselves, and the bytes they take.
fn properties(zfs: &Zfs, volumes: &[&Row]) -> Result<BTreeMap<(String, String), String>> {
    if volumes.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ours = [marks::SWAP, marks::RAN, marks::LINEAGE, marks::KEEP_UNTIL].map(marks::property);
    let names: Vec<&str> = ours.iter().map(String::as_str).chain(["used"]).collect();
    let volumes: Vec<&str> = volumes.iter().map(|row| row.name.as_str()).collect();
    let found = zfs.get(&names.join(","), &volumes)?;
    let told = found.into_iter().filter(|property| property.local || property.name == "used");
    Ok(told.map(|property| ((property.dataset, property.name), property.value)).collect())
}
