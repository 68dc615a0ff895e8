// SPDX-License-Identifier: GPL-3.0-or-later

//! What the caller is told. Pure.

use std::collections::BTreeMap;

use ansible_module::{Diff, Reply};
use serde::Serialize;
use zfs_command::{DatasetName, Point};

use super::describe;
use super::observe::Observed;
use super::params::Job;
use super::plan::{Plan, Step};

/// A snapshot of some or all volumes of a guest.
#[derive(Debug, Serialize)]
struct Snapshot {
    name: String,
    /// None where it is yet to be taken.
    created: Option<String>,
    used: u64,
    own: bool,
    datasets: Vec<String>,
}

/// After what was asked for was done, or in check mode would have been.
pub fn settled(plan: &Plan, job: &Job, after: &Observed) -> Reply {
    let rolled_back = plan.steps.iter().filter_map(|step| match step {
        Step::RollBack(snapshot) => Some(snapshot.dataset()),
        _ => None,
    });
    let diff =
        Diff { before: plan.before.clone(), after: plan.after.clone(), header: "snapshots".to_owned() };
    info(&job.volumes(), after)
        .with("changed", !plan.steps.is_empty())
        .with("rolled_back", rolled_back.collect::<Vec<_>>())
        .with("lost", &plan.lost)
        .diff(diff)
}

/// What snapshots there are.
pub fn info(names: &[&DatasetName], observed: &Observed) -> Reply {
    Reply::new(false).with("snapshots", snapshots(names, observed))
}

/// By name, oldest first.
fn snapshots(names: &[&DatasetName], observed: &Observed) -> Vec<Snapshot> {
    let volumes = names.iter().filter_map(|name| observed.volumes.get(name.as_str()));
    let mut by_name: BTreeMap<&str, Vec<&Point>> = BTreeMap::new();
    for point in volumes.flat_map(|volume| &volume.snapshots) {
        by_name.entry(describe::short(&point.name)).or_default().push(point);
    }
    let mut groups: Vec<_> = by_name.into_iter().collect();
    groups.sort_by_key(|(_, points)| points.iter().map(|point| point.transaction).min());
    groups.into_iter().map(|(name, points)| snapshot(name, &points)).collect()
}

fn snapshot(name: &str, points: &[&Point]) -> Snapshot {
    let created = points.iter().map(|point| point.created).min().filter(|created| *created > 0);
    Snapshot {
        name: name.to_owned(),
        created: created.map(describe::date),
        used: points.iter().map(|point| point.used).sum(),
        own: points.iter().all(|point| point.mark.as_deref() == Some(name)),
        datasets: points.iter().filter_map(|point| point.name.split('@').next()).map(str::to_owned).collect(),
    }
}
