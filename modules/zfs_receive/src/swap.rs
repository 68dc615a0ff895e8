// SPDX-License-Identifier: GPL-3.0-or-later

//! A guest's volume is exchanged for the one that was made ready beside it, or for one that was kept; what it was is kept.

mod datasets;
mod files;
mod params;
mod plan;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ansible_module::{Answer, Diff, Reply, Task, moment, side_by_side};
use anyhow::Result;
use zfs_command::DatasetName;

pub use params::Params;
use plan::{Found, Plan, Wish};

use crate::marks;
use params::{Job, Place};

/// Renaming files takes no time; the one that is waited for is another run of ours.
const FILES_AT_ONCE: usize = 1;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Module `zfs_swap`.
///
/// # Errors
/// Where nothing is there to exchange for, somebody uses the volume, or it cannot be renamed.
pub fn module(params: Params, task: &mut Task) -> Result<Reply> {
    let job = params.job()?;
    match job.place.clone() {
        Place::File(path) => files::run(&path, &job, task),
        Place::Dataset(name) => {
            let mut group = datasets::Group::open(&job.datasets(), task)?;
            group.run(&name, &job, task)
        }
    }
}

/// The same for several guests, whose volumes are looked at together.
pub fn guests(guests: BTreeMap<String, Params>, task: &Task) -> BTreeMap<String, Answer> {
    let (mut paths, mut names, mut answers) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (guest, params) in guests {
        match params.job() {
            Ok(job) => match job.place.clone() {
                Place::File(path) => drop(paths.insert(guest, (path, job))),
                Place::Dataset(name) => drop(names.insert(guest, (name, job))),
            },
            Err(error) => drop(answers.insert(guest, Answer { reply: Err(error), task: task.of_guest() })),
        }
    }
    let exchange = |(path, job): (PathBuf, Job), task: &mut Task| files::run(&path, &job, task);
    answers.extend(side_by_side(paths, task, FILES_AT_ONCE, exchange));
    answers.extend(of_datasets(&names, task));
    answers
}

fn of_datasets(guests: &BTreeMap<String, (DatasetName, Job)>, task: &Task) -> BTreeMap<String, Answer> {
    if guests.is_empty() {
        return BTreeMap::new();
    }
    let all: Vec<&DatasetName> = guests.values().flat_map(|(_, job)| job.datasets()).collect();
    // What is done for all is recorded with the first.
    let mut first = task.of_guest();
    let mut group =
        first.busy(|task| datasets::Group::open(&all, task)).map_err(|error| format!("{error:#}"));
    let mut first = Some(first);
    let mut exchange = |(name, job): &(DatasetName, Job)| {
        let mut task = first.take().unwrap_or_else(|| task.of_guest());
        let reply = match &mut group {
            Ok(group) => task.busy(|task| group.run(name, job, task)),
            Err(line) => Err(anyhow::anyhow!("{line}")),
        };
        Answer { reply, task }
    };
    guests.iter().map(|(guest, wanted)| (guest.clone(), exchange(wanted))).collect()
}

impl Job {
    /// The names that it is about, that of before included.
    fn datasets(&self) -> Vec<&DatasetName> {
        let places = [Some(&self.place), self.from.as_ref()].into_iter().flatten();
        let named = places.filter_map(|place| match place {
            Place::Dataset(name) => Some(name),
            Place::File(_) => None,
        });
        named.collect()
    }

    /// What is asked for of the volume `name`, now.
    fn wish(&self, name: String, task: &Task) -> Wish {
        let now = SystemTime::now();
        let until = now + DAY * self.keep_days;
        Wish {
            name,
            state: self.state,
            now: now.duration_since(UNIX_EPOCH).unwrap_or_default(),
            until: moment::readable(until),
            rehearsal: task.check_mode,
        }
    }
}

fn reply(wish: &Wish, plan: &Plan, found: &Found, device: Option<PathBuf>) -> Reply {
    let volume = serde_json::json!({
        "device": device,
        "from": plan.from,
        "replaced": plan.replaced,
        "keep_until": plan.replaced.as_ref().map(|_| &wish.until),
    });
    let (before, after) = plan.difference(wish, found);
    Reply::new(plan.changed()).diff(Diff { before, after, header: wish.name.clone() }).with("volume", volume)
}
