// SPDX-License-Identifier: GPL-3.0-or-later

//! Modules `bhyve_image`, `bhyve_image_info` and `bhyve_catalog_mirror`: images of a catalogue, verified, in the store of
//! a host, or all of them in a catalogue next to it.

mod access;
mod apply;
mod fetch;
mod file_identity;
mod golden;
mod guests;
mod image;
mod info;
mod kept;
mod memory;
mod mirror;
mod observe;
mod params;
mod part;
mod pkg;
mod plan;
mod prepare;
mod repository;
mod ssh;
mod store;
mod stored;
mod vouched;

use ansible_module::{Reply, Task};
use anyhow::Result;

use apply::apply;
pub use guests::guests;
pub use info::info;
pub use mirror::mirror;
pub use params::{InfoParams, MirrorParams, Params};
use prepare::{Prepared, prepare};

/// Module `bhyve_image`.
///
/// # Errors
/// Where the catalogue cannot be believed, or an image cannot be fetched, verified or removed.
pub fn module(params: Params, task: &mut Task) -> Result<Reply> {
    match params.place()? {
        Some(_) => guests::guest(params, task),
        None => bring(params, task),
    }
}

/// Sees to it that images are in the store, or are not.
fn bring(params: Params, task: &mut Task) -> Result<Reply> {
    let Prepared { observed, plan, locks } = prepare(&params, task)?;
    plan.remarks.iter().for_each(|remark| task.warn(remark.clone()));
    let mut fetched = Vec::new();
    if !task.check_mode {
        let applied = task.phase("apply", |task| apply(&plan, observed, task));
        locks.remove()?;
        fetched = applied?;
    }
    let images = plan.images(&fetched);
    let mut reply = Reply::new(plan.changed()).diff(plan.diff());
    if let ([_], [image]) = (params.name.0.as_slice(), images.as_slice()) {
        reply = reply.with("image", image);
    }
    Ok(reply.with("images", images))
}
