// SPDX-License-Identifier: GPL-3.0-or-later

//! A raw file as the volume.

mod apply;
mod identity;
pub mod moving;
mod observe;
mod plan;

use std::time::Duration;

use ansible_module::{Reply, Task, workbench};
use anyhow::Result;

use crate::job::RawFile;
pub use identity::Mark;

/// Longer than receiving an image takes.
const LOCK_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Makes the raw file what the job says.
pub fn run(job: &RawFile, task: &mut Task) -> Result<Reply> {
    // Under the lock nothing that was observed changes, so that the plan need not be questioned when it is carried out.
    let _lock = match task.check_mode {
        true => None,
        false => Some(task.phase("wait", |_| workbench::alone_at(&job.path, LOCK_LIMIT))?),
    };
    let observed = task.phase("observe", |_| observe::observe(job))?;
    let plan = plan::plan(job, &observed)?;
    let volume = match task.check_mode {
        true => task.phase("verify", |task| apply::preview(&plan, task))?,
        false => task.phase("apply", |task| apply::apply(&plan, task))?,
    };
    Ok(Reply::new(plan.changed()).diff(plan.diff()).with("volume", volume))
}
