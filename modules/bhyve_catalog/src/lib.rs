// SPDX-License-Identifier: GPL-3.0-or-later

//! Publishing: images in a signed catalogue (module `bhyve_catalog`), its key (`bhyve_catalog_key`), and what serves it over
//! ssh (`bhyve_catalog_server`).

mod apply;
mod changes;
mod dates;
mod identity;
mod key;
mod lint;
mod look;
mod manifest;
mod observe;
mod page;
mod params;
mod plan;
mod prune;
mod qemu_img;
mod reply;
mod server;
mod signing;
mod source;
mod staging;

use std::fs;
use std::path::Path;

use ansible_module::lock::Lock;
use ansible_module::{Reply, Task};
use anyhow::{Context, Result};
use image_catalog::signs::is_there;

use apply::Work;
pub use key::key;
pub use params::Params;
use params::State;
pub use server::server;

/// Module `bhyve_catalog`.
///
/// # Errors
/// Where an image cannot be read, or the catalogue cannot be read, signed or written.
pub fn module(params: Params, task: &mut Task) -> Result<Reply> {
    let wanted = params.wanted()?;
    let signer = signing::load(&params, task.check_mode)?;
    let _lock = lock(&params, task)?;
    let observed = task.phase("observe", |task| observe::observe(&params, &wanted, &signer, task))?;
    let plan = plan::plan(&params, &wanted, &observed)?;
    for warning in lint::warnings(&plan, &observed) {
        task.warn(warning);
    }
    let work = Work { params: &params, wanted: &wanted, plan: &plan, observed: &observed, signer: &signer };
    let published = match task.check_mode {
        true => None,
        false => task.phase("apply", |task| apply::apply(work, task))?,
    };
    reply::reply(&work, published.as_ref())
}

/// Publishers take turns, from looking to having written. In check mode nothing is written, so nothing is locked.
fn lock(params: &Params, task: &Task) -> Result<Option<Lock>> {
    if task.check_mode || (params.state != State::Present && !is_there(&params.path)?) {
        return Ok(None);
    }
    fs::create_dir_all(&params.path).with_context(|| format!("creating folder {}", params.path.display()))?;
    let lock = Lock::acquire(&params.path.join(".lock"), params.lock_timeout.duration())?;
    sweep(&params.path)?;
    staging::sweep(&params.path)?;
    sweep(&params.path.join(image_catalog::catalogue_write::PACKAGE_FOLDER))?;
    Ok(Some(lock))
}

/// Removes what runs that were killed have left. The lock is held, so nobody is writing it.
fn sweep(folder: &Path) -> Result<()> {
    let sweeping = || format!("removing leftovers from {}", folder.display());
    if !is_there(folder)? {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(sweeping)? {
        let entry = entry.with_context(sweeping)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".new-") {
            fs::remove_file(entry.path()).with_context(sweeping)?;
        }
    }
    Ok(())
}
