// SPDX-License-Identifier: GPL-3.0-or-later

//! ZFS volumes that move to another host. The last snapshots of a volume are ours, taken for the move, and everything is sent in the order in
//! which it was taken; what has arrived is not sent again.

pub mod captured;
pub mod receiver;
pub mod sender;

use anyhow::{Error, Result};
use zfs_command::{DatasetName, Guid, Point, Row, Zfs};

use crate::marks;
use crate::snapshot;

/// What the names of the snapshots begin with that are taken for a move.
const TAKEN: &str = "apiary-move-";

/// A snapshot of a volume.
struct Snapshot {
    /// What comes after the `@`.
    name: String,
    guid: Guid,
    point: Point,
}

impl Snapshot {
    fn is_ours(&self) -> bool {
        self.name.starts_with(TAKEN)
    }

    /// Whether it bears the mark of `zfs_snapshot`, and not one that it inherits.
    fn is_marked(&self) -> bool {
        self.point.mark.as_deref() == Some(&self.name)
    }
}

/// The name that a volume has until all of it has arrived.
fn arriving(name: &DatasetName) -> Result<DatasetName> {
    DatasetName::try_from(format!("{name}{}", marks::ARRIVING)).map_err(Error::msg)
}

/// The snapshots of a volume, the oldest first.
fn snapshots(zfs: &Zfs, name: &DatasetName) -> Result<Vec<Snapshot>> {
    let rows = zfs.list(&[name.as_str()], 1)?;
    let guid = |point: &Point| rows.iter().find(|row: &&Row| row.name == point.name).map(|row| row.guid);
    let prefix = format!("{name}@");
    let points = zfs.history(&[name.as_str()], snapshot::MARK)?;
    let mut found: Vec<Snapshot> = points
        .into_iter()
        .filter_map(|point| {
            let called = point.name.strip_prefix(&prefix)?.to_owned();
            // One that was taken between the two looks is looked at next time.
            Some(Snapshot { name: called, guid: guid(&point)?, point })
        })
        .collect();
    found.sort_by_key(|snapshot| snapshot.point.transaction);
    Ok(found)
}
