// SPDX-License-Identifier: GPL-3.0-or-later

//! What snapshots there are, and who uses the volumes. Reads only.

use std::collections::BTreeMap;

use anyhow::Result;
use zfs_command::{DatasetName, Kind, Point, Zfs};

use super::MARK;
use crate::dataset::user;

/// A volume that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The volume itself.
    pub point: Point,
    /// Its snapshots, oldest first.
    pub snapshots: Vec<Point>,
    /// Who has its device open, where that was looked at.
    pub user: Option<String>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// By their names.
    pub volumes: BTreeMap<String, Volume>,
}

impl Observed {
    /// What was found of some of the volumes.
    pub fn of(&self, names: &[&DatasetName]) -> Observed {
        let called = |name: &&DatasetName| self.volumes.get_key_value(name.as_str());
        let volumes = names.iter().filter_map(called);
        Observed { volumes: volumes.map(|(name, volume)| (name.clone(), volume.clone())).collect() }
    }

    /// Puts together the lines of one look.
    pub fn from_points(points: Vec<Point>) -> Observed {
        let (snapshots, volumes): (Vec<_>, Vec<_>) =
            points.into_iter().partition(|point| point.kind == Kind::Snapshot);
        let mut volumes: BTreeMap<_, _> = volumes
            .into_iter()
            .map(|point| (point.name.clone(), Volume { point, snapshots: Vec::new(), user: None }))
            .collect();
        for snapshot in snapshots {
            let dataset = snapshot.name.split('@').next().unwrap_or_default();
            if let Some(volume) = volumes.get_mut(dataset) {
                volume.snapshots.push(snapshot);
            }
        }
        for volume in volumes.values_mut() {
            volume.snapshots.sort_by_key(|snapshot| snapshot.transaction);
        }
        Observed { volumes }
    }
}

/// Looks at volumes and their snapshots.
pub fn snapshots(zfs: &Zfs, names: &[&DatasetName]) -> Result<Observed> {
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    zfs.history(&names, MARK).map(Observed::from_points)
}

/// Looks who uses the volumes.
pub fn users(names: &[&DatasetName], observed: &mut Observed) {
    for name in names {
        if let Some(volume) = observed.volumes.get_mut(name.as_str()) {
            volume.user = user::of(name.as_str());
        }
    }
}
