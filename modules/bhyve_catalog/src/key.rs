// SPDX-License-Identifier: GPL-3.0-or-later

//! Module `bhyve_catalog_key`: makes the key that signs a catalogue, and keeps the files its clients need in step with it.

mod apply;
mod observe;
mod params;
mod plan;

use std::time::Duration;

use ansible_module::{Reply, Task, workbench};
use anyhow::Result;

pub use params::Params;

/// Far above the time that making a key takes.
const LOCK_LIMIT: Duration = Duration::from_secs(300);

/// Module `bhyve_catalog_key`.
///
/// # Errors
/// Where a key is there that is not what was asked for, or its files cannot be read or written.
pub fn key(params: Params, task: &mut Task) -> Result<Reply> {
    let _lock = task.for_real("wait", |_| workbench::alone_at(&params.path, LOCK_LIMIT))?;
    let observed = task.phase("observe", |_| observe::observe(&params))?;
    let plan = plan::plan(&params, &observed)?;
    let fingerprint = match task.for_real("apply", |_| apply::apply(&plan))? {
        None => plan.fingerprint()?,
        written => written,
    };
    Ok(Reply::new(plan.changed()).diff(plan.diff()).with("key", params.describe(fingerprint)))
}

#[cfg(test)]
mod tests;
