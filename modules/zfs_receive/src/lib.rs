//! Turns an image into volumes: raw files, or ZFS volumes cloned from one golden snapshot.

mod dataset;
mod decoder;
mod image;
mod params;
mod raw_file;
mod source;

use ansible_module::{Reply, Task};
use anyhow::Result;

use crate::params::{Params, Target};

/// Module `zfs_receive`.
///
/// # Errors
/// Where the image cannot be believed, or a volume is in the way or cannot be made.
pub fn module(params: Params, task: &mut Task) -> Result<Reply> {
    match params.target()? {
        Target::RawFile(path) => raw_file::run(&params, path, task),
        Target::Datasets => dataset::run(&params, task),
    }
}
