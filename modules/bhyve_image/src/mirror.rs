// SPDX-License-Identifier: GPL-3.0-or-later

//! Module `bhyve_catalog_mirror`: a copy of a whole catalogue, signatures and all, for the hosts next to it.

mod apply;
mod observe;
mod plan;

use std::fs;

use ansible_module::lock::Lock;
use ansible_module::{Reply, Task};
use anyhow::{Context, Result, ensure};

use crate::params::MirrorParams;

/// The file that says that a folder is a mirror, and of what.
const MARK: &str = ".mirror";

/// Module `bhyve_catalog_mirror`.
///
/// # Errors
/// Where the folder holds a catalogue that is not a mirror, the catalogue cannot be believed, or a package cannot be fetched
/// or is not the promised one.
pub fn mirror(params: MirrorParams, task: &mut Task) -> Result<Reply> {
    ensure!(
        params.path.is_absolute(),
        "option `path` is {}, expected an absolute path",
        params.path.display()
    );
    let _lock = task.for_real("lock", |_| lock(&params))?;
    let observed = observe::observe(&params, task)?;
    for name in &observed.nameless {
        task.warn(format!(
            "package {name} is listed without a file that could be copied, so it is not mirrored"
        ));
    }
    let plan = plan::plan(&observed);
    let reply = Reply::new(plan.changed())
        .diff(plan.diff(&params.path))
        .with("fetched", plan.fetch.iter().map(|wanted| &wanted.name).collect::<Vec<_>>())
        .with("removed", &plan.remove)
        .with("packages", &plan.packages)
        .with("path", &params.path);
    task.for_real("apply", |task| apply::apply(&params, &plan, observed, task))?;
    Ok(reply)
}

/// Runs take turns. A folder that is somebody's own catalogue is not touched, not even to lock it.
fn lock(params: &MirrorParams) -> Result<Lock> {
    observe::refuse_original(&params.path)?;
    fs::create_dir_all(&params.path)
        .with_context(|| format!("making the folder {}", params.path.display()))?;
    Lock::acquire(&params.path.join(".lock"), params.lock_timeout.duration())
}
