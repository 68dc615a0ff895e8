//! A raw file as the volume: looks, plans, and changes under a lock what is not as it was asked for.

mod apply;
mod identity;
mod observe;
mod plan;

use std::path::Path;
use std::time::Duration;

use ansible_module::lock::{self, Lock};
use ansible_module::{Reply, Task};
use anyhow::Result;

use crate::params::Params;
use crate::raw_file::observe::observe;
use crate::raw_file::plan::{Plan, plan};

/// Longer than receiving an image takes.
const LOCK_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Makes the raw file at `path` what `params` ask for.
pub fn run(params: &Params, path: &Path, task: &mut Task) -> Result<Reply> {
    let lock_path = lock::beside(path)?;
    let first = look(params, path, Some(&lock_path), task)?;
    if task.check_mode {
        let volume = task.phase("verify", |task| apply::preview(&first, params, task))?;
        return Ok(reply(&first, volume));
    }
    if !first.changed() {
        let volume = first.volume();
        return Ok(reply(&first, volume));
    }
    apply::make_folder(&first)?;
    let lock = task.phase("wait", |_| Lock::acquire(&lock_path, LOCK_LIMIT))?;
    // Another run may have done it meanwhile.
    let wanted = look(params, path, None, task)?.after(first, &lock_path);
    let volume = task.phase("apply", |task| apply::apply(&wanted, params, task));
    // Released after a failure as well: nothing stays beside the volume.
    lock.remove()?;
    Ok(reply(&wanted, volume?))
}

fn look(params: &Params, path: &Path, lock_path: Option<&Path>, task: &mut Task) -> Result<Plan> {
    let observed = task.phase("observe", |_| observe(params, path, lock_path))?;
    plan(params, path, &observed)
}

fn reply(plan: &Plan, volume: plan::Volume) -> Reply {
    Reply::new(plan.changed()).diff(plan.diff()).with("volume", volume)
}
