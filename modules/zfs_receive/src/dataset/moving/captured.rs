// SPDX-License-Identifier: GPL-3.0-or-later

//! A volume that becomes an image: all of it goes out, as it is in one moment. It stays, and so do its own snapshots.

use ansible_module::{Reply, Task};
use anyhow::{Context, Result, ensure};
use zfs_command::{DatasetName, SnapshotName, Zfs};

use super::sender::{is_there, new_name, pass_on};
use super::snapshots;
use crate::dataset::{find_zfs, patiently, wait};
use crate::marks;

/// What the names of the snapshots begin with that are taken for this.
const TAKEN: &str = "apiary-capture-";

/// Takes a snapshot, sends it to standard output, and destroys it. What a call that was killed has left goes first.
pub fn send(name: &DatasetName, task: &mut Task) -> Result<Reply> {
    let zfs = find_zfs()?;
    // Until the end: whoever comes next would take our snapshot for one that was left.
    let _locks = wait(&[name], task)?;
    ensure!(is_there(&zfs, name)?, "capturing {name}: there is no such volume");
    let snapshot = task.phase("snapshot", |_| take(&zfs, name))?;
    let sent = task.phase("send", |_| pass_on(zfs.send(&snapshot, None)?));
    let destroyed = destroy(&zfs, snapshot.as_str());
    let sent = sent.with_context(|| format!("sending {snapshot}"))?;
    destroyed?;
    task.record_bytes("send", sent);
    Ok(Reply::new(false))
}

fn take(zfs: &Zfs, name: &DatasetName) -> Result<SnapshotName> {
    let before = snapshots(zfs, name)?;
    for left in before.iter().filter(|snapshot| snapshot.name.starts_with(TAKEN)) {
        destroy(zfs, &left.point.name)?;
    }
    let snapshot: SnapshotName = format!("{name}@{}", new_name(TAKEN, &before)).parse()?;
    zfs.take(std::slice::from_ref(&snapshot), (&marks::property(marks::CAPTURE), "yes"))
        .with_context(|| format!("taking snapshot {snapshot}"))?;
    Ok(snapshot)
}

fn destroy(zfs: &Zfs, snapshot: &str) -> Result<()> {
    patiently(snapshot, || zfs.destroy(snapshot)).with_context(|| format!("destroying {snapshot}"))
}
