// SPDX-License-Identifier: GPL-3.0-or-later

//! Turns an image into volumes: raw files, or ZFS volumes cloned from one golden snapshot. And makes empty ones.

mod cut;
mod dataset;
mod decoder;
mod guests;
mod image;
pub mod info;
mod job;
mod made_from;
mod marks;
pub mod moving;
mod params;
mod properties;
mod raw_file;
pub mod snapshot;
mod source;
pub mod swap;

use ansible_module::{Reply, Task};
use anyhow::Result;

pub use crate::guests::guests;
use crate::job::Job;
pub use crate::made_from::{MadeFrom, Place, made_from};
use crate::params::Params;

/// Module `zfs_receive`.
///
/// # Errors
/// Where the image cannot be believed, or a volume is in the way or cannot be made.
pub fn module(params: Params, task: &mut Task) -> Result<Reply> {
    match params.job()? {
        Job::RawFile(file) => raw_file::run(&file, task),
        Job::Volumes(volumes) => dataset::present(&volumes, task),
        Job::Blank(blank) => dataset::blank::present(&blank, task),
        Job::NoVolumes(names) => dataset::absent(&names, task),
    }
}
