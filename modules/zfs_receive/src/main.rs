//! Turns an image into volumes: raw files, or ZFS volumes cloned from one golden snapshot.

mod dataset;
mod decoder;
mod image;
mod moment;
mod params;
mod raw_file;
mod source;

use std::process::ExitCode;

use ansible_module::{Reply, Task};
use anyhow::Result;

use crate::params::{Params, Target};

fn main() -> ExitCode {
    ansible_module::run(module)
}

fn module(params: Params, task: &mut Task) -> Result<Reply> {
    match params.target()? {
        Target::RawFile(path) => raw_file::run(&params, path, task),
        Target::Datasets => dataset::run(&params, task),
    }
}
