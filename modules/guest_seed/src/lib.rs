// SPDX-License-Identifier: GPL-3.0-or-later

//! Writes the small disk that gives a guest its name, network and keys at first boot.

mod accounts;
mod apply;
mod cloud_config;
mod documents;
mod generation;
mod given_config;
mod image;
mod network;
mod observe;
mod options;
mod params;
mod plan;
mod raw;
mod reads;
mod shown;
mod values;
mod yaml;

use std::time::Duration;

use ansible_module::{Reply, Task, workbench};
use anyhow::Result;

use crate::params::Params;

/// Far above the time that a seed takes.
const LOCK_LIMIT: Duration = Duration::from_secs(60);

/// Module `guest_seed`.
///
/// # Errors
/// Where the options contradict each other, or the file is not a seed or cannot be read or written.
pub fn module(params: Params, task: &mut Task) -> Result<Reply> {
    let wanted = task.phase("render", |_| documents::wanted(&params))?;
    let _lock = match task.check_mode {
        true => None,
        false => Some(task.phase("wait", |_| workbench::alone_at(&params.path, LOCK_LIMIT))?),
    };
    let observed = task.phase("observe", |_| observe::observe(&params.path))?;
    let plan = plan::plan(&params.path, wanted, observed)?;
    if !task.check_mode {
        task.phase("apply", |_| apply::apply(&plan))?;
    }
    plan.warnings().iter().for_each(|warning| task.warn(warning));
    let redeploy_required = plan.has_changed() && !params.first_boot;
    if redeploy_required {
        task.warn(format!(
            "{} has changed: a guest that has already booted takes no notice, the new seed takes effect when it is redeployed",
            params.path.display()
        ));
    }
    Ok(Reply::new(plan.changed())
        .diff(plan.diff())
        .with("seed", plan.seed())
        .with("redeploy_required", redeploy_required))
}
