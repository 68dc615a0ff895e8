// SPDX-License-Identifier: GPL-3.0-or-later

//! What it takes for volumes to be what they were.

use anyhow::{Result, ensure};
use zfs_command::{IMAGE_SNAPSHOT, Point, SnapshotName};

use super::{Plan, Step, free, list, moments, named};
use crate::snapshot::describe;
use crate::snapshot::observe::{Observed, Volume};
use crate::snapshot::params::Job;

/// Plans for all volumes to be what they were in the snapshot. One that is needs nothing, so that a run after one that was cut does the
/// rest.
///
/// # Errors
/// Where not all volumes have it, somebody uses one of them, or something else would be lost.
pub fn rolled_back(job: &Job, observed: &Observed, minds_users: bool) -> Result<Plan> {
    let found = named(job, observed)?;
    all_have_it(job, &found)?;
    let mut plan = Plan { warnings: moments(job, &found), ..Plan::default() };
    let targets = job.snapshots.iter().zip(&found).filter_map(|(name, point)| {
        let volume = observed.volumes.get(name.dataset().as_str())?;
        let newer: Vec<&Point> =
            volume.snapshots.iter().filter(|other| other.transaction > point.transaction).collect();
        (!volume.untouched || !newer.is_empty()).then_some((name, volume, newer))
    });
    let targets: Vec<(&SnapshotName, &Volume, Vec<&Point>)> = targets.collect();
    let newer: Vec<&Point> = targets.iter().flat_map(|(_, _, newer)| newer.iter().copied()).collect();
    losable(job, &newer)?;
    for (name, volume, _) in targets {
        let volume_name = name.dataset();
        if let (Some(user), true) = (&volume.user, minds_users) {
            anyhow::bail!(
                "{volume_name} cannot be rolled back while {user} has it open: stop the guest first"
            );
        }
        plan.steps.push(Step::RollBack(name.clone()));
    }
    plan.lost = newer.iter().map(|point| point.name.clone()).collect();
    Ok(plan)
}

fn all_have_it(job: &Job, found: &[&Point]) -> Result<()> {
    let missing: Vec<&SnapshotName> =
        job.snapshots.iter().filter(|name| !found.iter().any(|point| point.name == name.as_str())).collect();
    ensure!(
        missing.is_empty(),
        "rolling back to {}: expected all volumes of the guest to have this snapshot, found none of {}; {}",
        job.name,
        describe::volumes(missing.iter().copied()),
        match found.is_empty() {
            true => "apiary.bhyve.list and zfs_snapshot_info tell which there are",
            false =>
                "a volume that came later cannot go back to it; `zfs rollback` does it for single volumes",
        }
    );
    Ok(())
}

/// Whether what is newer may be, and can be, destroyed.
fn losable(job: &Job, newer: &[&Point]) -> Result<()> {
    ensure!(
        newer.is_empty() || job.lose_newer,
        "rolling back to {} would lose newer snapshots: {}; say lose_newer=true to lose them, or roll back to the newest",
        job.name,
        list(newer)
    );
    let image = |point: &&&Point| point.name.ends_with(&format!("@{IMAGE_SNAPSHOT}"));
    if let Some(image) = newer.iter().find(image) {
        anyhow::bail!(
            "rolling back to {} would lose {}, by which the volume's image is known: expected a snapshot that is newer than it",
            job.name,
            image.name
        );
    }
    newer.iter().try_for_each(|point| free(point))
}
