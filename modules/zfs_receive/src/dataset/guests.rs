// SPDX-License-Identifier: GPL-3.0-or-later

//! Volumes of several guests. They are observed together, and the image is received once; each guest has a plan of its own,
//! and what goes wrong with its volumes is its own affair.

use std::collections::BTreeMap;
use std::mem;

use ansible_module::lock::Lock;
use ansible_module::{Answer, Reply, Task, alike};
use anyhow::{Result, anyhow, bail};
use zfs_command::{DatasetName, Zfs};

use super::observe::{self, Observed};
use super::plan::{self, Plan};
use super::request::Present;
use super::{apply, destroy, find_zfs, reply, wait};
use crate::job::{Volumes, Wanted};

/// Sees to it that the volumes of each guest are there.
pub fn present(guests: BTreeMap<String, Volumes>, task: &Task) -> BTreeMap<String, Answer> {
    // Those whose volumes are made from the same image, and in the same way.
    let groups = alike(guests.into_iter().map(|(guest, mut job)| {
        let volumes = mem::take(&mut job.volumes);
        (guest, job, volumes)
    }));
    groups.into_iter().flat_map(|(image, guests)| of_one_image(&image, &guests, task)).collect()
}

/// Sees to it that the volumes of each guest are gone.
pub fn absent(guests: BTreeMap<String, Vec<DatasetName>>, task: &Task) -> BTreeMap<String, Answer> {
    shared(
        &guests,
        task,
        |task| {
            let names: Vec<DatasetName> = guests.values().flatten().cloned().collect();
            let zfs = find_zfs()?;
            let locks = wait(&names.iter().collect::<Vec<_>>(), task)?;
            let observed = task.phase("observe", |task| observe::absent(&zfs, &names, task.check_mode))?;
            Ok((zfs, locks, observed))
        },
        |(zfs, _locks, mut observed), tasks| {
            let guests = guests.values().zip(tasks);
            let gone =
                guests.map(|(names, task)| task.busy(|task| destroy(&zfs, names, &mut observed, task)));
            gone.collect()
        },
    )
}

/// Begins by what is done for all, which is recorded with the first and fails all; then `each` has the replies, in the guests' order.
fn shared<G, S>(
    guests: &BTreeMap<String, G>,
    task: &Task,
    begin: impl FnOnce(&mut Task) -> Result<S>,
    each: impl FnOnce(S, &mut [Task]) -> Vec<Result<Reply>>,
) -> BTreeMap<String, Answer> {
    let mut tasks: Vec<Task> = guests.iter().map(|_| task.of_guest()).collect();
    let Some(first) = tasks.first_mut() else { return BTreeMap::new() };
    let replies = match first.busy(begin) {
        Ok(begun) => each(begun, &mut tasks),
        Err(error) => {
            let line = format!("{error:#}");
            guests.iter().map(|_| Err(anyhow!("{line}"))).collect()
        }
    };
    let answers = replies.into_iter().zip(tasks).map(|(reply, task)| Answer { reply, task });
    guests.keys().cloned().zip(answers).collect()
}

fn of_one_image(
    image: &Volumes,
    guests: &BTreeMap<String, Vec<Wanted>>,
    task: &Task,
) -> BTreeMap<String, Answer> {
    let volumes = guests.values().flatten().cloned().collect();
    together(
        guests,
        task,
        |task| {
            let group = Group::open(image, volumes, task)?;
            Ok((group.zfs.clone(), group))
        },
        |group, volumes, task| {
            let Made { request, plan } = group.make(volumes, task)?;
            let reply = reply::present(&plan, &request, &group.observed);
            Ok(Answered { devices: plan.devices, reply })
        },
    )
}

/// What one guest of a group is answered when the devices of its volumes are there.
pub(super) struct Answered {
    pub devices: Vec<DatasetName>,
    pub reply: Reply,
}

/// Looks at the volumes of all `guests` once, with `open`, and has `make` do what there is to do for each.
pub(super) fn together<Own, Group>(
    guests: &BTreeMap<String, Own>,
    task: &Task,
    open: impl FnOnce(&mut Task) -> Result<(Zfs, Group)>,
    make: impl Fn(&mut Group, &Own, &mut Task) -> Result<Answered>,
) -> BTreeMap<String, Answer> {
    shared(guests, task, open, |(zfs, mut group), tasks| {
        let mut made = Vec::new();
        for (own, task) in guests.values().zip(&mut *tasks) {
            made.push(task.busy(|task| make(&mut group, own, task)));
        }
        // Devices come at the same time: waited for when all are made.
        for (made, task) in made.iter_mut().zip(tasks) {
            if let Ok(Answered { devices, .. }) = made
                && !task.check_mode
                && let Err(error) = task.busy(|task| apply::devices(&zfs, devices, task))
            {
                *made = Err(error);
            }
        }
        made.into_iter().map(|made| made.map(|made| made.reply)).collect()
    })
}

/// What the guests of one image share.
struct Group {
    zfs: Zfs,
    request: Present,
    observed: Observed,
    golden: GoldenVolume,
    /// Whether the whole image has been judged in this run.
    verified: bool,
    /// Under these nothing that was observed changes.
    _locks: Vec<Lock>,
}

/// What was done about the golden volume.
#[derive(Default)]
enum GoldenVolume {
    /// Nothing: there is none, or it is there, or check mode leaves it to the plans of the guests.
    #[default]
    LeftAlone,
    /// It was received; to be told with the first guest.
    Received(Plan),
    /// It could not be received, for this reason.
    Failed(String),
}

/// What was asked for one guest, and what was done about it.
struct Made {
    request: Present,
    plan: Plan,
}

impl Group {
    fn open(image: &Volumes, volumes: Vec<Wanted>, task: &mut Task) -> Result<Self> {
        let zfs = find_zfs()?;
        let request = task.phase("source", |_| Present::of(&Volumes { volumes, ..image.clone() }))?;
        let locks = wait(&request.names(), task)?;
        let observed = task.phase("observe", |_| observe::present(&zfs, &request))?;
        let mut group =
            Group { zfs, request, observed, golden: GoldenVolume::LeftAlone, verified: false, _locks: locks };
        group.golden = match group.receive_golden(task) {
            Ok(Some(plan)) => GoldenVolume::Received(plan),
            Ok(None) => GoldenVolume::LeftAlone,
            // Only those who need it fail for it.
            Err(error) => GoldenVolume::Failed(format!("{error:#}")),
        };
        Ok(group)
    }

    /// Receives the golden volume where it is missing.
    fn receive_golden(&mut self, task: &mut Task) -> Result<Option<Plan>> {
        let wanted = !task.check_mode && plan::needs_golden(&self.request, &self.observed);
        let Some(golden) = self.request.golden.clone().filter(|_| wanted) else { return Ok(None) };
        let request = Present { volumes: Vec::new(), ..self.request.clone() };
        let plan = plan::present(&request, &self.observed)?;
        if plan.receives().next().is_none() {
            return Ok(None);
        }
        plan.warnings.iter().for_each(|warning| task.warn(warning));
        task.phase("apply", |task| apply::apply(&self.zfs, &plan, task))?;
        self.observed.look_again(&self.zfs, &golden)?;
        Ok(Some(plan))
    }

    /// Makes the volumes of one guest.
    fn make(&mut self, volumes: &[Wanted], task: &mut Task) -> Result<Made> {
        let request = Present { volumes: volumes.to_vec(), ..self.request.clone() };
        let mut plan = plan::present(&request, &self.observed)?;
        plan.warnings.iter().for_each(|warning| task.warn(warning));
        if let (GoldenVolume::Failed(reason), true) = (&self.golden, plan.receives().next().is_some()) {
            bail!("{reason}");
        }
        let image = match (task.check_mode, self.verified) {
            (false, _) => task.phase("apply", |task| apply::apply(&self.zfs, &plan, task))?,
            (true, false) => apply::preview(&plan, task)?,
            (true, true) => None,
        };
        if let Some(image) = image {
            self.verified = true;
            plan.learn(&image);
            let known = &mut self.request.image;
            known.volsize = known.volsize.or(image.volsize);
            known.volblocksize = known.volblocksize.or(image.volblocksize.map(u64::from));
        }
        match mem::take(&mut self.golden) {
            GoldenVolume::Received(golden) => plan.begin_with(golden, &self.observed),
            other => self.golden = other,
        }
        Ok(Made { request, plan })
    }
}
