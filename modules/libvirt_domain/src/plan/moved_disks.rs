// SPDX-License-Identifier: GPL-3.0-or-later

//! Disks that libvirt has put elsewhere since the domain was defined: an external snapshot points a disk at an overlay, a block copy
//! at the copy. What the guest has written since is there and nowhere else.

use crate::disks::{Disk, disks};
use crate::observe::Found;

/// A disk that is not where it was defined.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) target: String,
    /// Where it is now.
    pub(crate) source: String,
    /// It is the overlay of an external snapshot, by all that libvirt tells.
    pub(crate) is_overlay: bool,
    /// The snapshot's name, where libvirt keeps it.
    pub(crate) snapshot: Option<String>,
}

/// The disks of `found` that `given` would put back to where they were.
pub(crate) fn moved_away_from(given: &str, found: &Found) -> Vec<Moved> {
    let given = disks(given);
    let gives = |source: &String| given.iter().any(|disk| disk.source == *source);
    let receipt = found.defined.receipt.as_ref();
    let made = receipt.map(|receipt| disks(&receipt.made)).unwrap_or_default();
    let running = found.running.as_ref().map(|running| disks(&running.shown)).unwrap_or_default();
    let mut moved = Vec::new();
    for disk in disks(&found.defined.shown).into_iter().filter(|disk| !gives(&disk.source)) {
        let layers = running.iter().filter(|other| other.source == disk.source);
        let lies_on = |other: &Disk| other.backing.iter().any(gives);
        let snapshot = found.snapshots.iter().find(|snapshot| snapshot.overlays.contains(&disk.source));
        // Into a definition libvirt writes what a disk lies on when it takes a snapshot; whoever gives it a chain himself has a receipt.
        let lies_on_something = receipt.is_none() && !disk.backing.is_empty();
        let is_overlay =
            snapshot.is_some() || lies_on_something || lies_on(&disk) || layers.into_iter().any(lies_on);
        let was = made.iter().find(|other| other.target == disk.target);
        if is_overlay || was.is_some_and(|was| was.source != disk.source) {
            let snapshot = snapshot.map(|snapshot| snapshot.name.clone());
            moved.push(Moved { target: disk.target, source: disk.source, is_overlay, snapshot });
        }
    }
    moved
}
