// SPDX-License-Identifier: GPL-3.0-or-later

//! A volume moves to another host: what its present host offers, sends and gives away; what the other one expects, receives and finishes.
//! Or all of it is sent to become an image, and stays.

mod params;

use std::collections::BTreeMap;

use ansible_module::{Answer, Reply, Task, side_by_side};
use anyhow::{Result, bail};

use params::Place;
pub use params::{Expected, Finished, Offered, Params, Received, Sent, Step};

use crate::dataset::moving as datasets;
use crate::raw_file::moving as files;

/// What is looked at is small; what is done to one volume may wait for another one's.
const AT_ONCE: usize = 1;

/// One end of a move, as the action `volume_move` asks for it.
///
/// # Errors
/// Where the volume is not as it has to be for this step, or a stream cannot be believed.
pub fn module(params: Params, task: &mut Task) -> Result<Reply> {
    let (place, step) = params.job()?;
    let looks = matches!(step, Step::Offered(_) | Step::Expected(_) | Step::Given(_));
    if task.check_mode && !looks {
        bail!("nothing is sent or received in check mode");
    }
    match place {
        Place::Dataset(name) => match step {
            Step::Offered(offered) => datasets::sender::offer(&name, &offered, task),
            Step::Sent(sent) => datasets::sender::send(&name, &sent, task),
            Step::Given(guid) => datasets::sender::give(&name, guid, task),
            Step::Captured => datasets::captured::send(&name, task),
            Step::Expected(expected) => datasets::receiver::expect(&name, &expected, task),
            Step::Received(received) => datasets::receiver::receive(&name, &received, task),
            Step::Finished(finished) => datasets::receiver::finish(&name, &finished, task),
            Step::Swept => datasets::receiver::sweep(&name, task),
        },
        Place::File(path) => match step {
            Step::Offered(_) => files::offer(&path),
            Step::Sent(sent) => files::send(&path, &sent, task),
            Step::Given(guid) => files::give(&path, guid, task),
            Step::Captured => files::capture(&path, task),
            Step::Expected(expected) => files::expect(&path, &expected, task),
            Step::Received(received) => files::receive(&path, &received, task),
            Step::Finished(finished) => files::finish(&path, &finished, task),
            Step::Swept => bail!("no snapshots are taken of a raw file: expected option `dataset`"),
        },
    }
}

/// The same for several volumes, one after the other.
pub fn guests(guests: BTreeMap<String, Params>, task: &Task) -> BTreeMap<String, Answer> {
    side_by_side(guests, task, AT_ONCE, module)
}
