// SPDX-License-Identifier: GPL-3.0-or-later

//! Publishing: images in a signed catalogue (module `bhyve_catalog`), its key (`bhyve_catalog_key`), and what serves it over
//! ssh (`bhyve_catalog_server`).

mod address;
mod apply;
mod arrival;
mod busy;
mod changes;
mod checksum;
mod contents;
mod dates;
mod existing;
mod expected;
mod gpgv;
mod held;
mod identity;
mod key;
mod layout;
mod lint;
mod look;
mod magic;
mod manifest;
mod observe;
mod ova;
mod page;
mod params;
mod plan;
mod prepare;
mod prune;
mod qemu_img;
mod reply;
mod server;
mod signing;
mod source;
mod staging;
mod sum;
mod unpack;
mod watched;
mod whole;

use std::fs;

use ansible_module::files::sweep_folder;
use ansible_module::lock::Lock;
use ansible_module::{Reply, Task};
use anyhow::{Context, Result};
use image_catalog::catalogue_write::PACKAGE_FOLDER;
use image_catalog::signs::is_there;

use apply::Work;
pub use key::key;
use observe::View;
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
    let source = task.phase("observe", |task| prepare::prepare(&params, &wanted, &signer, task))?;
    let view = View { params: &params, wanted: &wanted, signer: &signer };
    let observed = task.phase("observe", |task| observe::observe(view, source, task))?;
    let plan = plan::plan(&params, &wanted, &observed)?;
    for warning in lint::warnings(&plan, &observed) {
        task.warn(warning);
    }
    let work = Work { params: &params, wanted: &wanted, plan: &plan, observed: &observed, signer: &signer };
    let published = task.for_real("apply", |task| apply::apply(work, task))?.flatten();
    reply::reply(&work, published.as_ref())
}

/// Publishers take turns, from looking to having written. In check mode nothing is written, so nothing is locked.
fn lock(params: &Params, task: &Task) -> Result<Option<Lock>> {
    if task.check_mode || (params.state != State::Present && !is_there(&params.path)?) {
        return Ok(None);
    }
    fs::create_dir_all(&params.path).with_context(|| format!("creating folder {}", params.path.display()))?;
    let lock = Lock::acquire(&params.path.join(".lock"), params.lock_timeout.duration())?;
    sweep_folder(&params.path, |_| false)?;
    staging::sweep(&params.path)?;
    sweep_folder(&params.path.join(PACKAGE_FOLDER), |_| false)?;
    Ok(Some(lock))
}
