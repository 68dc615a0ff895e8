//! Volumes of ZFS: received once as a golden volume and cloned, or received as independent copies.

mod apply;
mod conduit;
mod describe;
mod device;
mod feed;
mod locks;
mod name;
mod observe;
mod plan;
mod problem;
mod properties;
mod receive;
mod reply;
mod request;
mod user;
mod zfs;

use ansible_module::{Reply, State, Task};
use anyhow::Result;

pub use name::DatasetName;
pub use properties::Properties;

use self::zfs::Zfs;
use crate::params::Params;

/// Does what `params` asks for.
pub fn run(params: &Params, task: &mut Task) -> Result<Reply> {
    let zfs = Zfs::find()?;
    match params.state {
        State::Present => present(params, &zfs, task),
        State::Absent => absent(params, &zfs, task),
    }
}

fn present(params: &Params, zfs: &Zfs, task: &mut Task) -> Result<Reply> {
    let (request, from) = task.phase("source", |_| request::from_params(params))?;
    // Under the locks nothing that was observed changes, so that the plan need not be questioned when it is carried out.
    let _locks =
        if task.check_mode { Vec::new() } else { task.phase("wait", |_| locks::acquire(&request.names()))? };
    let observed = task.phase("observe", |_| observe::present(zfs, &request))?;
    let mut plan = plan::present(&request, &observed)?;
    for warning in &plan.warnings {
        task.warn(warning);
    }
    if task.check_mode {
        if let Some(image) = apply::preview(&plan, &from, task)? {
            plan.learn(&image);
        }
        return Ok(reply::present(&plan, &request, &observed));
    }
    if let Some(image) = task.phase("apply", |task| apply::apply(zfs, &plan, Some(&from), task))? {
        plan.learn(&image);
    }
    apply::devices(&plan.devices, task)?;
    Ok(reply::present(&plan, &request, &observed))
}

fn absent(params: &Params, zfs: &Zfs, task: &mut Task) -> Result<Reply> {
    let volumes = params.datasets()?;
    let names: Vec<&DatasetName> = volumes.iter().collect();
    let _locks = if task.check_mode { Vec::new() } else { task.phase("wait", |_| locks::acquire(&names))? };
    let observed = task.phase("observe", |_| observe::absent(zfs, &volumes))?;
    let plan = plan::absent(&volumes, &observed)?;
    if !task.check_mode {
        task.phase("apply", |task| apply::apply(zfs, &plan, None, task))?;
    }
    Ok(reply::absent(&plan, &volumes, &observed))
}
