// SPDX-License-Identifier: GPL-3.0-or-later

//! Volumes that may hold anything: made empty where they are missing, grown, and otherwise left alone. Those of several guests are
//! looked at together.

use std::collections::BTreeMap;

use ansible_module::lock::Lock;
use ansible_module::{Answer, Reply, Task};
use anyhow::Result;
use zfs_command::Zfs;

use super::guests::{Answered, together};
use super::observe::{self, Observed};
use super::{apply, device, find_zfs, plan, reply, wait};
use crate::job::{Blank, Wanted};

/// Sees to it that a volume is there.
pub fn present(blank: &Blank, task: &mut Task) -> Result<Reply> {
    let group = Group::open(&[blank], task)?;
    let made = group.make(blank, task)?;
    if !task.check_mode {
        apply::devices(&group.zfs, &made.devices, task)?;
    }
    Ok(made.reply)
}

/// Sees to it that the volume of each guest is there.
pub fn guests(guests: &BTreeMap<String, Blank>, task: &Task) -> BTreeMap<String, Answer> {
    let all: Vec<&Blank> = guests.values().collect();
    let open = |task: &mut Task| {
        let group = Group::open(&all, task)?;
        Ok((group.zfs.clone(), group))
    };
    together(guests, task, open, |group, blank, task| group.make(blank, task))
}

/// What was found of all of them.
struct Group {
    zfs: Zfs,
    observed: Observed,
    /// Under these nothing that was observed changes.
    _locks: Vec<Lock>,
}

impl Group {
    fn open(all: &[&Blank], task: &mut Task) -> Result<Self> {
        let zfs = find_zfs()?;
        let volumes: Vec<Wanted> = all.iter().map(|blank| wanted(blank)).collect();
        let locks = wait(&volumes.iter().map(|volume| &volume.name).collect::<Vec<_>>(), task)?;
        let observed = task.phase("observe", |_| observe::blank(&zfs, &volumes))?;
        Ok(Group { zfs, observed, _locks: locks })
    }

    fn make(&self, blank: &Blank, task: &mut Task) -> Result<Answered> {
        let (wanted, plan) = plan::blank(wanted(blank), device::VOLMODE, &self.observed)?;
        if !task.check_mode {
            task.phase("apply", |task| apply::apply(&self.zfs, &plan, task))?;
        }
        let reply = reply::blank(&plan, &wanted, &self.observed);
        Ok(Answered { devices: plan.devices, reply })
    }
}

fn wanted(blank: &Blank) -> Wanted {
    let Blank { name, volsize, properties } = blank.clone();
    Wanted { name, volsize: Some(volsize), properties }
}
