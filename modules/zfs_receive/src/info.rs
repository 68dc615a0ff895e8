// SPDX-License-Identifier: GPL-3.0-or-later

//! Which volumes of ours are in a folder: guests' own, those that are kept, and what was made ready. Reads only.

mod datasets;
mod files;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::SystemTime;

use ansible_module::{Reply, Task, moment};
use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};
use zfs_command::{DatasetName, Guid};

use crate::marks;
use marks::Part;

/// What the caller asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The ZFS file system that the volumes are in.
    pub dataset: Option<DatasetName>,
    /// The folder that raw files are in, on a host without ZFS.
    pub path: Option<PathBuf>,
}

/// A volume, and what keeps it from going.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Volume {
    /// Its name in the folder.
    name: String,
    /// Of a ZFS volume, its whole name.
    dataset: Option<String>,
    /// Of a raw file, where it is.
    path: Option<String>,
    /// What a guest has it as.
    device: String,
    /// `own`, `kept`, `staged` or `arriving`.
    part: &'static str,
    /// The volume that it is kept of, made ready for, or on its way to be.
    of: Option<String>,
    /// Guid of the image it was made from.
    guid: Option<Guid>,
    /// The snapshot it is a clone of.
    origin: Option<String>,
    /// Bytes of the volume.
    size: Option<u64>,
    /// Bytes that it takes, with its snapshots.
    used: Option<u64>,
    /// Its mark of an exchange.
    #[serde(skip)]
    chosen: Option<String>,
    /// How it was chosen in an exchange that is not over.
    swap: Option<String>,
    /// Since when its guest was noted to run.
    #[serde(skip)]
    noted: Option<String>,
    /// Whether its guest ran before it was stopped for an exchange that is not over.
    ran: bool,
    /// What it shares with the others of its guest.
    lineage: Option<String>,
    /// Until when it is kept.
    keep_until: Option<String>,
    /// Whether that is over.
    expired: bool,
    /// Clones of its snapshots.
    clones: Vec<String>,
    /// Snapshots of it that are held.
    held: Vec<String>,
}

impl Volume {
    fn called(name: &str, device: String) -> Volume {
        let (part, of) = match marks::part(name) {
            Part::Own => ("own", None),
            Part::KeptOf(of) => ("kept", Some(of.to_owned())),
            Part::StagedFor(of) => ("staged", Some(of.to_owned())),
            Part::ArrivingFor(of) => ("arriving", Some(of.to_owned())),
        };
        Volume { name: name.to_owned(), device, part, of, ..Volume::default() }
    }

    /// With the marks of an exchange, which `read` knows by their names.
    fn marked(mut self, read: impl Fn(&str) -> Result<Option<String>>) -> Result<Volume> {
        self.chosen = read(marks::SWAP)?;
        self.noted = read(marks::RAN)?;
        self.lineage = read(marks::LINEAGE)?;
        self.keep_until = read(marks::KEEP_UNTIL)?;
        Ok(self)
    }

    /// What marks say that do not count for ever, but where an exchange was cut `between` its two renames.
    fn judge(&mut self, between: bool, now: SystemTime) {
        let choice = self.chosen.as_deref().map(|mark| marks::choice(mark, now));
        self.swap = choice.and_then(|(way, stale)| (between || !stale).then(|| way.to_owned()));
        self.ran = self.noted.as_ref().is_some_and(|since| between || !marks::is_long_ago(since, now));
        self.expire(&moment::readable(now));
    }

    /// Only of a date that we have written ourselves can be said that it is over.
    fn expire(&mut self, now: &str) {
        let written = |date: &&String| date.len() == now.len() && date.ends_with('Z');
        let date = self.keep_until.as_ref().filter(written);
        self.expired = self.part == "kept" && date.is_some_and(|date| date.as_str() <= now);
    }
}

/// Module `zfs_receive_info`.
///
/// # Errors
/// Where the folder cannot be read, or ZFS is missing or fails: a failed look is not "nothing there".
pub fn module(params: Params, task: &mut Task) -> Result<Reply> {
    let mut volumes = match (&params.dataset, &params.path) {
        (Some(dataset), None) => task.phase("observe", |_| datasets::volumes(dataset))?,
        (None, Some(path)) => {
            ensure!(path.is_absolute(), "option `path` is {}: expected an absolute path", path.display());
            task.phase("observe", |_| files::volumes(path))?
        }
        (None, None) => bail!("options `dataset` and `path` are both missing: expected one of them"),
        (Some(_), Some(_)) => bail!("options `dataset` and `path` are both given: expected one of them"),
    };
    volumes.sort_by(|a, b| a.name.cmp(&b.name));
    judge(&mut volumes, SystemTime::now());
    Ok(Reply::new(false).with("volumes", volumes))
}

fn judge(volumes: &mut [Volume], now: SystemTime) {
    let there: BTreeSet<String> = volumes.iter().map(|volume| volume.name.clone()).collect();
    for volume in volumes {
        let between = volume.of.as_ref().is_some_and(|of| !there.contains(of));
        volume.judge(between, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_count_for_a_day_or_until_the_exchange_is_finished() {
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_795_371_300);
        let swap = |names: &[&str], since: &str| {
            let mut volumes: Vec<Volume> = names
                .iter()
                .map(|name| Volume {
                    chosen: Some(format!("new {since}")),
                    noted: Some(since.to_owned()),
                    ..Volume::called(name, String::new())
                })
                .collect();
            judge(&mut volumes, now);
            volumes.iter().map(|volume| (volume.swap.is_some(), volume.ran)).collect::<Vec<_>>()
        };
        let (lately, long_ago) = ("2026-11-22T00:00:00Z", "2026-10-01T00:00:00Z");
        assert_eq!(swap(&["web1", "web1.redeploy"], lately), [(true, true); 2]);
        assert_eq!(
            swap(&["web1", "web1.redeploy", "web1.old-20261101T000000Z"], long_ago),
            [(false, false); 3]
        );
        // Nothing else can have happened while no volume had the guest's name.
        assert_eq!(
            swap(&["web2", "web1.redeploy", "web1.old-20261101T000000Z"], long_ago)[1..],
            [(true, true); 2]
        );
    }

    #[test]
    fn only_what_is_kept_and_dated_is_over() {
        let now = "2026-11-22T18:15:00Z";
        let table = [
            ("web1.old-20261101T000000Z", Some("2026-11-22T18:15:00Z"), true),
            ("web1.old-20261101T000000Z", Some("2026-11-22T18:15:01Z"), false),
            ("web1.old-20261101T000000Z", Some("soon"), false),
            ("web1.old-20261101T000000Z", None, false),
            ("web1", Some("2026-11-01T00:00:00Z"), false),
            ("web1.redeploy", Some("2026-11-01T00:00:00Z"), false),
        ];
        for (name, date, expected) in table {
            let mut volume =
                Volume { keep_until: date.map(str::to_owned), ..Volume::called(name, String::new()) };
            volume.expire(now);
            assert_eq!(volume.expired, expected, "{name} {date:?}");
        }
    }
}
