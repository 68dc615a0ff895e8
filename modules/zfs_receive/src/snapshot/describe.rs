// SPDX-License-Identifier: GPL-3.0-or-later

//! What is there and what will be there, line by line. Pure.

use std::time::{Duration, UNIX_EPOCH};

use ansible_module::{Size, moment};
use zfs_command::SnapshotName;

use super::observe::{Observed, Volume};
use super::params::Job;

/// A second since 1970 as a date.
pub fn date(seconds: u64) -> String {
    moment::readable(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// The volumes that these are snapshots of.
pub fn volumes<'a>(snapshots: impl IntoIterator<Item = &'a SnapshotName>) -> String {
    snapshots.into_iter().map(|name| name.dataset().as_str()).collect::<Vec<_>>().join(", ")
}

/// The volumes of a job with their snapshots.
pub fn volumes_of(job: &Job, observed: &Observed) -> String {
    let described = job.volumes().into_iter().map(|name| match observed.volumes.get(name.as_str()) {
        None => format!("{name}: absent\n"),
        Some(volume) => format!("{name}:\n{}{}", snapshots(volume), since(job, volume)),
    });
    described.collect()
}

fn snapshots(volume: &Volume) -> String {
    volume.snapshots.iter().map(|point| format!("  {}\n", short(&point.name))).collect()
}

/// What has been written is of interest where it goes.
fn since(job: &Job, volume: &Volume) -> String {
    match (job.rolls_back(), volume.untouched, volume.point.written) {
        (false, _, _) => String::new(),
        (true, true, _) => "  and nothing since\n".to_owned(),
        // It is open, and what was written to it may not have got so far.
        (true, false, 0) => "  and what is being written\n".to_owned(),
        (true, false, bytes) => format!("  and {} since\n", Size(bytes)),
    }
}

/// What comes after the `@`.
pub fn short(name: &str) -> &str {
    name.split('@').nth(1).unwrap_or(name)
}
