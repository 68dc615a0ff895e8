// SPDX-License-Identifier: GPL-3.0-or-later

//! Volumes of ZFS: received once as a golden volume and cloned, or received as independent copies.

mod apply;
pub mod blank;
mod conduit;
mod describe;
mod device;
mod feed;
pub mod guests;
pub mod moving;
mod observe;
mod plan;
mod receive;
mod reply;
mod request;
pub mod user;

use std::time::Duration;

use ansible_module::lock::Lock;
use ansible_module::{Reply, Task, workbench};
use anyhow::{Context, Result};

pub use apply::{devices, patiently};
pub use device::{VOLMODE, path as device_path};
pub use observe::Observed;
use request::Present;
use zfs_command::{DatasetName, Zfs};

use crate::job::Volumes;

/// As long as somebody else's receive of a large image may take.
const LOCK_LIMIT: Duration = Duration::from_secs(3600);

/// Sees to it that volumes are there.
pub fn present(job: &Volumes, task: &mut Task) -> Result<Reply> {
    let zfs = find_zfs()?;
    let request = task.phase("source", |_| Present::of(job))?;
    // Under the locks nothing that was observed changes, so that the plan need not be questioned when it is carried out.
    let _locks = wait(&request.names(), task)?;
    let observed = task.phase("observe", |_| observe::present(&zfs, &request))?;
    let mut plan = plan::present(&request, &observed)?;
    for warning in &plan.warnings {
        task.warn(warning);
    }
    let image = match task.check_mode {
        true => apply::preview(&plan, task)?,
        false => task.phase("apply", |task| apply::apply(&zfs, &plan, task))?,
    };
    if let Some(image) = image {
        plan.learn(&image);
    }
    if !task.check_mode {
        apply::devices(&zfs, &plan.devices, task)?;
    }
    Ok(reply::present(&plan, &request, &observed))
}

/// Sees to it that volumes are gone.
pub fn absent(names: &[DatasetName], task: &mut Task) -> Result<Reply> {
    let zfs = find_zfs()?;
    let _locks = wait(&names.iter().collect::<Vec<_>>(), task)?;
    let mut observed = task.phase("observe", |task| observe::absent(&zfs, names, task.check_mode))?;
    destroy(&zfs, names, &mut observed, task)
}

/// Destroys some of the volumes that were looked at.
fn destroy(zfs: &Zfs, names: &[DatasetName], observed: &mut Observed, task: &mut Task) -> Result<Reply> {
    if task.check_mode {
        // The task that stops the guest may have been left undone, too.
        for (name, user) in
            names.iter().filter_map(|name| Some((name, observed.users.remove(name.as_str())?)))
        {
            task.warn(format!("{name} can be destroyed only when {user} has it open no more"));
        }
    }
    let plan = plan::absent(names, observed)?;
    if !task.check_mode {
        task.phase("apply", |task| apply::apply(zfs, &plan, task))?;
    }
    let reply = reply::absent(&plan, names, observed);
    names.iter().for_each(|name| observed.forget(name));
    Ok(reply)
}

/// What there is of volumes with these names; without any, no ZFS is needed.
pub fn look(names: &[&str]) -> Result<Observed> {
    match names {
        [] => Ok(Observed::default()),
        names => observe::volumes(&find_zfs()?, names),
    }
}

/// The command.
pub fn find_zfs() -> Result<Zfs> {
    Zfs::find().context("a dataset was asked for; a host without ZFS takes a path instead")
}

/// One run at a time per dataset: runs for the same image wait for the one that receives it.
///
/// The `zfs` commands of a run that is killed go on for a moment: they hold the locks as long as they do.
pub fn wait(names: &[&DatasetName], task: &mut Task) -> Result<Vec<Lock>> {
    if task.check_mode {
        return Ok(Vec::new());
    }
    let names = names.iter().map(|name| name.as_str());
    let locks = task.phase("wait", |_| workbench::alone_with(names, LOCK_LIMIT))?;
    locks.iter().try_for_each(Lock::pass_on)?;
    Ok(locks)
}
