// SPDX-License-Identifier: GPL-3.0-or-later

//! From what was asked for and what is there to the steps in between. Pure.

mod rolled_back;
#[cfg(test)]
mod tests;

use anyhow::{Result, bail, ensure};
use zfs_command::{DatasetName, Kind, Point, SnapshotName};

use super::describe;
use super::observe::{Observed, Volume};
use super::params::{Job, State};

/// Seconds within which snapshots that were taken together have their dates.
const ONE_MOMENT: u64 = 10;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Take these, all at one moment.
    Take {
        /// What comes after the `@`.
        name: String,
        /// The snapshots.
        snapshots: Vec<SnapshotName>,
    },
    /// Destroy this one.
    Destroy(SnapshotName),
    /// Make its volume what it was in it, and destroy those that are newer.
    RollBack(SnapshotName),
}

/// All changes, and both sides of the difference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// What is there, for a person.
    pub before: String,
    /// What will be there.
    pub after: String,
    /// Snapshots that a rollback destroys.
    pub lost: Vec<String>,
    /// What may not be what it seems, for a person.
    pub warnings: Vec<String>,
}

impl Plan {
    /// What will be there when all steps are done; a snapshot to be taken has no date yet.
    pub fn expected(&self, observed: &Observed) -> Observed {
        let mut after = observed.clone();
        for step in &self.steps {
            match step {
                Step::Take { name, snapshots } => {
                    for snapshot in snapshots {
                        if let Some(volume) = after.volumes.get_mut(snapshot.dataset().as_str()) {
                            volume.snapshots.push(new(snapshot, name));
                        }
                    }
                }
                Step::Destroy(gone) => {
                    if let Some(volume) = after.volumes.get_mut(gone.dataset().as_str()) {
                        volume.snapshots.retain(|snapshot| snapshot.name != gone.as_str());
                    }
                }
                Step::RollBack(to) => {
                    if let Some(volume) = after.volumes.get_mut(to.dataset().as_str()) {
                        volume.snapshots.retain(|snapshot| !self.lost.contains(&snapshot.name));
                        (volume.point.written, volume.untouched) = (0, true);
                    }
                }
            }
        }
        after
    }
}

fn new(snapshot: &SnapshotName, name: &str) -> Point {
    Point {
        name: snapshot.as_str().to_owned(),
        kind: Kind::Snapshot,
        transaction: u64::MAX,
        created: 0,
        used: 0,
        written: 0,
        holds: 0,
        clones: Vec::new(),
        mark: Some(name.to_owned()),
    }
}

/// Plans what a job asks for; users of the volumes are in the way where they are minded.
///
/// # Errors
/// Where it cannot be had without losing what it may not.
pub fn plan(job: &Job, observed: &Observed, minds_users: bool) -> Result<Plan> {
    let mut plan = match job.state {
        State::Present => present(job, observed),
        State::Absent => absent(job, observed),
        State::RolledBack => rolled_back::rolled_back(job, observed, minds_users),
    }?;
    let after = plan.expected(observed);
    plan.before = describe::volumes_of(job, observed);
    plan.after = describe::volumes_of(job, &after);
    Ok(plan)
}

fn present(job: &Job, observed: &Observed) -> Result<Plan> {
    let found = named(job, observed)?;
    let missing: Vec<&SnapshotName> =
        job.snapshots.iter().filter(|name| !found.iter().any(|point| point.name == name.as_str())).collect();
    if missing.is_empty() {
        return Ok(Plan { warnings: moments(job, &found), ..Plan::default() });
    }
    ensure!(
        found.is_empty(),
        "taking snapshot {}: expected it on none of the guest's volumes or on all, found it on {} and not on {}, which came later or has \
         lost it, so that they would not belong together; choose another name, or destroy it with state: absent first",
        job.name,
        list(&found),
        describe::volumes(missing)
    );
    one_pool(job)?;
    let step = Step::Take { name: job.name.clone(), snapshots: job.snapshots.clone() };
    Ok(Plan { steps: vec![step], ..Plan::default() })
}

fn one_pool(job: &Job) -> Result<()> {
    let pool = |name: &DatasetName| name.as_str().split('/').next().unwrap_or_default().to_owned();
    let mut pools: Vec<String> = job.volumes().into_iter().map(pool).collect();
    pools.sort_unstable();
    pools.dedup();
    ensure!(
        pools.len() == 1,
        "taking snapshot {}: the guest's volumes are in the pools {}, and ZFS takes snapshots at one moment within one pool only",
        job.name,
        pools.join(" and ")
    );
    Ok(())
}

fn absent(job: &Job, observed: &Observed) -> Result<Plan> {
    let mut plan = Plan::default();
    for name in &job.snapshots {
        let Some(volume) = volume(name.dataset(), observed)? else { continue };
        if let Some(point) = volume.snapshots.iter().find(|point| point.name == name.as_str()) {
            free(point)?;
            plan.steps.push(Step::Destroy(name.clone()));
        }
    }
    Ok(plan)
}

/// Refuses to destroy what others depend on.
fn free(point: &Point) -> Result<()> {
    ensure!(
        point.clones.is_empty(),
        "snapshot {} cannot be destroyed: clones are made of it: {}; remove those first",
        point.name,
        point.clones.join(", ")
    );
    ensure!(
        point.holds == 0,
        "snapshot {0} cannot be destroyed: it is held; see `zfs holds {0}`",
        point.name
    );
    Ok(())
}

/// The snapshots of the job that are there; all volumes must be.
fn named<'a>(job: &Job, observed: &'a Observed) -> Result<Vec<&'a Point>> {
    let mut found = Vec::new();
    for name in &job.snapshots {
        let Some(volume) = volume(name.dataset(), observed)? else {
            bail!("volume {} does not exist: expected all volumes of the guest to be there", name.dataset())
        };
        found.extend(volume.snapshots.iter().find(|point| point.name == name.as_str()));
    }
    Ok(found)
}

/// The volume of this name, if there is one; refuses anything else.
fn volume<'a>(name: &DatasetName, observed: &'a Observed) -> Result<Option<&'a Volume>> {
    match observed.volumes.get(name.as_str()) {
        Some(found) if found.point.kind != Kind::Volume => {
            bail!("{name} is a file system: expected a volume of a guest")
        }
        found => Ok(found),
    }
}

/// A warning where snapshots of one name were not taken together.
fn moments(job: &Job, found: &[&Point]) -> Vec<String> {
    let created = || found.iter().map(|point| point.created);
    let (Some(first), Some(last)) = (created().min(), created().max()) else { return Vec::new() };
    if last - first <= ONE_MOMENT {
        return Vec::new();
    }
    let dates = found.iter().map(|point| format!("{} of {}", point.name, describe::date(point.created)));
    let dates = dates.collect::<Vec<_>>().join(", ");
    vec![format!("the snapshots {} were not taken at one moment: {dates}", job.name)]
}

fn list(points: &[&Point]) -> String {
    points.iter().map(|point| point.name.as_str()).collect::<Vec<_>>().join(", ")
}
