// SPDX-License-Identifier: GPL-3.0-or-later

//! Volumes of several guests in one call.

use std::collections::BTreeMap;

use ansible_module::{Answer, Task, side_by_side};

use crate::dataset;
use crate::job::{Job, RawFile};
use crate::params::Params;
use crate::raw_file;

/// Receiving takes memory for a decompressor, and both processors already.
const RAW_FILES_AT_ONCE: usize = 1;

/// The volumes of several guests, by the guests' names.
pub fn guests(guests: BTreeMap<String, Params>, task: &Task) -> BTreeMap<String, Answer> {
    let (mut files, mut volumes, mut blank, mut gone, mut answers) =
        (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (guest, params) in guests {
        match params.job() {
            Ok(Job::RawFile(file)) => drop(files.insert(guest, file)),
            Ok(Job::Volumes(wanted)) => drop(volumes.insert(guest, wanted)),
            Ok(Job::Blank(wanted)) => drop(blank.insert(guest, wanted)),
            Ok(Job::NoVolumes(names)) => drop(gone.insert(guest, names)),
            Err(error) => drop(answers.insert(guest, Answer { reply: Err(error), task: task.of_guest() })),
        }
    }
    let make = |file: RawFile, task: &mut Task| raw_file::run(&file, task);
    answers.extend(side_by_side(files, task, RAW_FILES_AT_ONCE, make));
    answers.extend(dataset::guests::present(volumes, task));
    answers.extend(dataset::blank::guests(&blank, task));
    answers.extend(dataset::guests::absent(gone, task));
    answers
}
