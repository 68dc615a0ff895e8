// SPDX-License-Identifier: GPL-3.0-or-later

//! Snapshots of a guest's volumes: all of them at one moment, and all of them back to it.

mod apply;
mod describe;
mod observe;
mod params;
mod plan;
mod reply;

use std::collections::BTreeMap;

use ansible_module::lock::Lock;
use ansible_module::{Answer, Reply, Task};
use anyhow::{Context, Result, anyhow};
use zfs_command::{DatasetName, Zfs};

use crate::dataset;
use observe::Observed;
use params::Job;
pub use params::{InfoParams, Params};

/// User property of snapshots that this module has taken; its value is the snapshot's own name, so that one which is inherited from
/// elsewhere tells nothing.
pub const MARK: &str = "apiary.bhyve:snapshot";

/// Module `zfs_snapshot`.
///
/// # Errors
/// Where ZFS is missing or fails, or what is asked for would lose what it may not.
pub fn module(params: Params, task: &mut Task) -> Result<Reply> {
    let job = params.job()?;
    let zfs = find_zfs()?;
    let names = job.volumes();
    // Under the locks nothing that was observed changes by another run of ours.
    let _locks = dataset::wait(&names, task)?;
    let observed = task.phase("observe", |_| observe::snapshots(&zfs, &names))?;
    settle(&zfs, &job, observed, task)
}

/// The same for several guests, which are observed together; each has a plan of its own.
pub fn guests(guests: BTreeMap<String, Params>, task: &Task) -> BTreeMap<String, Answer> {
    let jobs = guests.into_iter().map(|(guest, params)| (guest, params.job())).collect();
    each(jobs, Job::volumes, task, dataset::wait, |zfs, job, observed, task| {
        settle(zfs, job, observed.of(&job.volumes()), task)
    })
}

/// Module `zfs_snapshot_info`.
///
/// # Errors
/// Where ZFS is missing or fails.
pub fn info(params: InfoParams, task: &mut Task) -> Result<Reply> {
    let names = params.volumes()?;
    let names: Vec<&DatasetName> = names.iter().collect();
    match names.is_empty() {
        true => Ok(reply::info(&names, &Observed::default())),
        false => {
            let zfs = find_zfs()?;
            let observed = task.phase("observe", |_| observe::snapshots(&zfs, &names))?;
            Ok(reply::info(&names, &observed))
        }
    }
}

/// The same for several guests, at the cost of one.
pub fn info_guests(guests: BTreeMap<String, InfoParams>, task: &Task) -> BTreeMap<String, Answer> {
    let jobs = guests.into_iter().map(|(guest, params)| (guest, params.volumes())).collect();
    let alone = |_: &[&DatasetName], _: &mut Task| Ok(Vec::new());
    each(
        jobs,
        |names: &Vec<DatasetName>| names.iter().collect(),
        task,
        alone,
        |_, names, observed, _| Ok(reply::info(&names.iter().collect::<Vec<_>>(), observed)),
    )
}

fn find_zfs() -> Result<Zfs> {
    Zfs::find().context("snapshots need ZFS, which this host does not have")
}

/// Plans, and does it but in check mode.
fn settle(zfs: &Zfs, job: &Job, mut observed: Observed, task: &mut Task) -> Result<Reply> {
    if job.rolls_back() {
        task.phase("observe", |_| observe::present_state(zfs, job, &mut observed))?;
    }
    let plan = plan::plan(job, &observed, job.minds_users(task.check_mode))?;
    plan.warnings.iter().for_each(|warning| task.warn(warning));
    let after = match task.check_mode || plan.steps.is_empty() {
        true => plan.expected(&observed),
        false => {
            task.phase("apply", |_| apply::apply(zfs, &plan))?;
            task.phase("observe", |_| observe::snapshots(zfs, &job.volumes()))?
        }
    };
    Ok(reply::settled(&plan, job, &after))
}

/// Answers guests whose volumes are looked at together; what keeps all of them from being looked at is told of each.
fn each<J>(
    jobs: BTreeMap<String, Result<J>>,
    volumes: impl Fn(&J) -> Vec<&DatasetName>,
    task: &Task,
    alone: impl Fn(&[&DatasetName], &mut Task) -> Result<Vec<Lock>>,
    work: impl Fn(&Zfs, &J, &Observed, &mut Task) -> Result<Reply>,
) -> BTreeMap<String, Answer> {
    let names: Vec<&DatasetName> = jobs.values().flatten().flat_map(&volumes).collect();
    let mut first = task.of_guest();
    let looked = first.busy(|task| look(&names, task, alone)).map_err(|error| format!("{error:#}"));
    let mut first = Some(first);
    jobs.into_iter()
        .map(|(guest, job)| {
            // What was looked at for all is recorded with the first.
            let mut task = first.take().unwrap_or_else(|| task.of_guest());
            let reply = job.and_then(|job| match &looked {
                Err(line) => Err(anyhow!("{line}")),
                Ok(None) => Ok(reply::info(&[], &Observed::default())),
                Ok(Some((zfs, observed, _locks))) => task.busy(|task| work(zfs, &job, observed, task)),
            });
            (guest, Answer { reply, task })
        })
        .collect()
}

/// Nothing where there are no volumes to look at: that takes no ZFS.
fn look(
    names: &[&DatasetName],
    task: &mut Task,
    alone: impl Fn(&[&DatasetName], &mut Task) -> Result<Vec<Lock>>,
) -> Result<Option<(Zfs, Observed, Vec<Lock>)>> {
    if names.is_empty() {
        return Ok(None);
    }
    let zfs = find_zfs()?;
    let locks = alone(names, task)?;
    let observed = task.phase("observe", |_| observe::snapshots(&zfs, names))?;
    Ok(Some((zfs, observed, locks)))
}
