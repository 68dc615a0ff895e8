// SPDX-License-Identifier: GPL-3.0-or-later

//! What snapshots there are, and who uses the volumes. Reads only.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use zfs_command::{DatasetName, Kind, Point, SnapshotName, Zfs, problem_of};

use super::MARK;
use super::params::Job;
use crate::dataset::{patiently, user};

/// A volume that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The volume itself.
    pub point: Point,
    /// Its snapshots, oldest first.
    pub snapshots: Vec<Point>,
    /// Who has its device open, where that was looked at.
    pub user: Option<String>,
    /// Whether it is known to hold what it held in its newest snapshot. What somebody has open may change at any moment.
    pub untouched: bool,
}

impl Volume {
    fn new(point: Point) -> Volume {
        Volume { point, snapshots: Vec::new(), user: None, untouched: false }
    }
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
        let mut volumes: BTreeMap<_, _> =
            volumes.into_iter().map(|point| (point.name.clone(), Volume::new(point))).collect();
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

/// Looks who uses the volumes of a rollback, and which of them are what they shall be.
pub fn present_state(zfs: &Zfs, job: &Job, observed: &mut Observed) -> Result<()> {
    for snapshot in &job.snapshots {
        if let Some(volume) = observed.volumes.get_mut(snapshot.dataset().as_str()) {
            volume.user = user::of(snapshot.dataset().as_str());
            let newest = volume.snapshots.last().is_some_and(|newest| newest.name == snapshot.as_str());
            volume.untouched = newest && volume.user.is_none() && is_as_in(zfs, volume, snapshot)?;
        }
    }
    Ok(())
}

/// Where ZFS will not say, the volume is taken for changed: to roll it back is what was asked for.
fn is_as_in(zfs: &Zfs, volume: &Volume, snapshot: &SnapshotName) -> Result<bool> {
    if volume.point.written == 0 {
        return Ok(true);
    }
    match patiently(snapshot.dataset().as_str(), || zfs.is_as_in(snapshot)) {
        Err(error) if problem_of(&error).is_some() => Ok(false),
        looked => looked
            .with_context(|| format!("looking what was written to {} since {snapshot}", snapshot.dataset())),
    }
}
