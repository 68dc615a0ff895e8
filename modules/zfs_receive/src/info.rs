// SPDX-License-Identifier: GPL-3.0-or-later

//! Which volumes of ours are in a folder: guests' own, those that are kept, and what was made ready. Reads only.

mod datasets;
mod files;

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
    /// `own`, `kept` or `staged`.
    part: &'static str,
    /// The volume that it is kept of or made ready for.
    of: Option<String>,
    /// Guid of the image it was made from.
    guid: Option<Guid>,
    /// The snapshot it is a clone of.
    origin: Option<String>,
    /// Bytes of the volume.
    size: Option<u64>,
    /// Bytes that it takes, with its snapshots.
    used: Option<u64>,
    /// How it was chosen in an exchange that is not over.
    swap: Option<String>,
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
        };
        Volume { name: name.to_owned(), device, part, of, ..Volume::default() }
    }

    /// How it was chosen in an exchange that is not over.
    fn chosen(mut self, mark: Option<String>) -> Volume {
        let choice = mark.as_deref().map(|mark| marks::choice(mark, SystemTime::now()));
        self.swap = choice.and_then(|(way, stale)| (!stale).then(|| way.to_owned()));
        self
    }

    /// Only of a date that we have written ourselves can be said that it is over.
    fn until(mut self, date: Option<String>, now: &str) -> Volume {
        let written = |date: &&String| date.len() == now.len() && date.ends_with('Z');
        self.expired =
            self.part == "kept" && date.as_ref().filter(written).is_some_and(|date| date.as_str() <= now);
        self.keep_until = date;
        self
    }
}

/// Module `zfs_receive_info`.
///
/// # Errors
/// Where the folder cannot be read, or ZFS is missing or fails: a failed look is not "nothing there".
pub fn module(params: Params, task: &mut Task) -> Result<Reply> {
    let now = moment::readable(SystemTime::now());
    let mut volumes = match (&params.dataset, &params.path) {
        (Some(dataset), None) => task.phase("observe", |_| datasets::volumes(dataset, &now))?,
        (None, Some(path)) => {
            ensure!(path.is_absolute(), "option `path` is {}: expected an absolute path", path.display());
            task.phase("observe", |_| files::volumes(path, &now))?
        }
        (None, None) => bail!("options `dataset` and `path` are both missing: expected one of them"),
        (Some(_), Some(_)) => bail!("options `dataset` and `path` are both given: expected one of them"),
    };
    volumes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Reply::new(false).with("volumes", volumes))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let volume = Volume::called(name, String::new()).until(date.map(str::to_owned), now);
            assert_eq!(volume.expired, expected, "{name} {date:?}");
        }
    }
}
