// SPDX-License-Identifier: GPL-3.0-or-later

//! From what was asked for and what is there to the steps in between. Pure.

mod absent;
mod blank;
mod present;
#[cfg(test)]
mod tests;
mod volume;

use anyhow::{Result, bail};
use zfs_command::{DatasetName, Guid, Kind, Row};
use zfs_stream::Summary;

use super::describe;
use super::observe::Observed;
use crate::job::ImageFile;

pub use absent::absent;
pub use blank::blank;
pub use present::{needs_golden, present};
pub use volume::check_size;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Destroy what a dead run has left under this name.
    Sweep(String),
    /// Receive the image, give it its name.
    Receive(NewVolume),
    /// Make a clone.
    Clone(NewClone),
    /// Make an empty volume.
    Create(NewBlank),
    /// Change properties of a volume that is there.
    Set {
        /// The volume.
        name: DatasetName,
        /// Names and values.
        properties: Vec<(String, String)>,
    },
    /// Give a volume its device, which a dead run has withheld.
    Show {
        /// The volume.
        name: DatasetName,
        /// Its device.
        device: Device,
    },
    /// Take away the mark that a dead run has left on a volume that is whole.
    Unmark(DatasetName),
    /// Destroy a volume with its own snapshots.
    Destroy(DatasetName),
}

impl Step {
    /// Whether a user sees what it changes: leftovers do not count.
    pub fn is_seen(&self) -> bool {
        !matches!(self, Step::Sweep(_) | Step::Unmark(_))
    }
}

/// What decides on the device of a volume once it has its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// It has none.
    Never,
    /// The `volmode` of its folder.
    Inherited,
    /// A `volmode` of its own.
    Of(String),
}

impl Device {
    /// By the `volmode` to set, if any.
    pub fn of(volmode: Option<&str>) -> Device {
        match volmode {
            None => Device::Inherited,
            Some("none") => Device::Never,
            Some(volmode) => Device::Of(volmode.to_owned()),
        }
    }
}

/// A volume to receive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVolume {
    /// The file to receive.
    pub image: ImageFile,
    /// Guid of the image in it.
    pub guid: Guid,
    /// Its name in the end.
    pub name: DatasetName,
    /// The name under which what stands there now is kept.
    pub kept: Option<String>,
    /// What an incremental image is received onto.
    pub base: Option<BaseImage>,
    /// Properties set before the data arrive.
    pub properties: Vec<(String, String)>,
    /// Its device once it has its name.
    pub device: Device,
    /// Properties set one by one before it gets its name.
    pub later: Vec<(String, String)>,
    /// Sizes that volumes made of the image are to have: not smaller than the image, and of whole blocks.
    pub sizes: Vec<u64>,
}

/// The snapshot that an incremental image applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseImage {
    /// Name of the snapshot.
    pub snapshot: String,
    /// Its guid.
    pub guid: Guid,
    /// Bytes of the volume.
    pub volsize: u64,
    /// Its block size in bytes.
    pub volblocksize: u64,
}

/// A clone to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewClone {
    /// Its name.
    pub name: DatasetName,
    /// The snapshot it is a clone of.
    pub origin: String,
    /// The name under which what stands there now is kept.
    pub kept: Option<String>,
    /// Properties from the beginning.
    pub properties: Vec<(String, String)>,
    /// Its device.
    pub device: Device,
    /// Properties set one by one afterwards.
    pub later: Vec<(String, String)>,
}

/// An empty volume to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBlank {
    /// Its name.
    pub name: DatasetName,
    /// Its bytes.
    pub volsize: u64,
    /// Properties from the beginning.
    pub properties: Vec<(String, String)>,
    /// Its device.
    pub device: Device,
    /// Properties set one by one afterwards.
    pub later: Vec<(String, String)>,
}

/// All changes, and both sides of the difference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// What is there, for a person.
    pub before: String,
    /// What will be there.
    pub after: String,
    /// Volumes that have a device in the end.
    pub devices: Vec<DatasetName>,
    /// What may go wrong, for a person.
    pub warnings: Vec<String>,
    /// The snapshot that the guests are clones of.
    pub golden: Option<String>,
    /// Bytes of the image, where known.
    pub image_size: Option<u64>,
    /// Block size of the image in bytes, where known.
    pub volblocksize: Option<u64>,
}

impl Plan {
    /// Whether anything that a user sees changes: leftovers do not count.
    pub fn changed(&self) -> bool {
        self.steps.iter().any(Step::is_seen)
    }

    /// Puts in front what was done for the golden volume, which this plan has found as it is now.
    pub fn begin_with(&mut self, mut golden: Plan, observed: &Observed) {
        if let Some(name) = golden.receives().next().map(|receive| &receive.name) {
            let found = describe::found_golden(name, observed.rows.get(name.as_str()), observed);
            self.before = self.before.replacen(&found, &golden.before, 1);
            self.after = self.after.replacen(&found, &golden.after, 1);
        }
        golden.steps.append(&mut self.steps);
        self.steps = golden.steps;
    }

    /// Adds what only reading the image could tell.
    pub fn learn(&mut self, image: &Summary) {
        self.image_size = self.image_size.or(image.volsize);
        self.volblocksize = self.volblocksize.or(image.volblocksize.map(u64::from));
    }

    /// Volumes to be received.
    pub fn receives(&self) -> impl Iterator<Item = &NewVolume> {
        self.steps.iter().filter_map(|step| match step {
            Step::Receive(receive) => Some(receive),
            _ => None,
        })
    }

    /// Volumes put aside, with the names they are kept under.
    pub fn kept(&self) -> Vec<(&DatasetName, &str)> {
        let kept = self.steps.iter().filter_map(|step| match step {
            Step::Receive(NewVolume { name, kept: Some(kept), .. })
            | Step::Clone(NewClone { name, kept: Some(kept), .. }) => Some((name, kept.as_str())),
            _ => None,
        });
        kept.collect()
    }
}

fn sweep(name: &DatasetName, observed: &Observed, plan: &mut Plan) {
    if observed.rows.contains_key(&name.unfinished()) {
        plan.steps.push(Step::Sweep(name.unfinished()));
    }
}

/// The volume of this name, if there is one; refuses anything else.
fn volume<'a>(name: &DatasetName, observed: &'a Observed) -> Result<Option<&'a Row>> {
    match observed.rows.get(name.as_str()) {
        Some(row) if row.kind != Kind::Volume => {
            bail!(
                "{name} is a file system: expected a volume or nothing; choose another name or remove it yourself"
            )
        }
        found => Ok(found),
    }
}
