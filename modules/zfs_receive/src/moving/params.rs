// SPDX-License-Identifier: GPL-3.0-or-later

//! The options of the module, and the one step they come to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail, ensure};
use serde::Deserialize;
use zfs_command::{DatasetName, Guid, SnapshotName};

/// What the caller asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The ZFS volume.
    pub dataset: Option<DatasetName>,
    /// The raw file, on a host without ZFS.
    pub path: Option<PathBuf>,
    /// The step.
    pub state: State,
    /// Guids of the snapshots that the other host has of it already.
    pub known: Option<Vec<Guid>>,
    /// Whether a new snapshot of it is taken, or its place is taken on the other host.
    #[serde(default)]
    pub take: bool,
    /// Whether what arrives is the last of it, and gives it its name.
    #[serde(default)]
    pub finish: bool,
    /// The snapshot to send, or what comes after the `@` in the name of the one that arrives.
    pub snapshot: Option<String>,
    /// The snapshot that a stream is from.
    pub base: Option<String>,
    /// Guid of the snapshot that a stream is from.
    pub base_guid: Option<Guid>,
    /// Guid that the last snapshot has to have, before it is taken the one that it goes on from; of a raw file, what it is known by.
    pub guid: Option<Guid>,
    /// Where golden volumes are.
    pub golden: Option<DatasetName>,
    /// Properties of the volume; of a raw file, its attributes.
    pub properties: Option<BTreeMap<String, String>>,
    /// Whether the snapshot bears the mark of zfs_snapshot.
    #[serde(default)]
    pub marked: bool,
    /// Bytes of a raw file.
    pub size: Option<u64>,
}

/// A step of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Looked at where it is.
    Offered,
    /// Sent to standard output.
    Sent,
    /// Gone where it was.
    Given,
    /// Sent to standard output as it is now, to be an image.
    Captured,
    /// Looked at where it goes.
    Expected,
    /// Received from standard input.
    Received,
    /// With its name where it has gone.
    Finished,
    /// Without the snapshots that were taken for the move, where it has gone.
    Swept,
}

/// The step with what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// See [`State::Offered`].
    Offered(Offered),
    /// See [`State::Sent`].
    Sent(Sent),
    /// See [`State::Given`]; guid of the last snapshot that was sent.
    Given(Guid),
    /// See [`State::Captured`].
    Captured,
    /// See [`State::Expected`].
    Expected(Expected),
    /// See [`State::Received`].
    Received(Received),
    /// See [`State::Finished`].
    Finished(Finished),
    /// See [`State::Swept`].
    Swept,
}

/// What is looked at where a volume is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Snapshots that the other host has.
    pub known: Vec<Guid>,
    /// Whether a new one is taken.
    pub take: bool,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The snapshot, of a ZFS volume.
    pub snapshot: Option<SnapshotName>,
    /// The one that the stream is from.
    pub base: Option<SnapshotName>,
    /// What a raw file is known by; of a ZFS volume, which the snapshot is.
    pub guid: Guid,
    /// Whether the snapshot is taken now, where the newest one has that guid.
    pub take: bool,
}

/// What is looked at where a volume goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Where golden volumes are.
    pub golden: Option<DatasetName>,
    /// Whether its place is taken, so that nobody makes another volume there.
    pub take: bool,
    /// Attributes of a raw file, by which its place tells what arrives.
    pub properties: BTreeMap<String, String>,
}

/// What arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// What comes after the `@`.
    pub snapshot: String,
    /// The snapshot that the stream is from: of another volume where this one is to be its clone.
    pub base: Option<SnapshotName>,
    /// Its guid.
    pub base_guid: Option<Guid>,
    /// Guid that the stream has to end at, where that is known before.
    pub guid: Option<Guid>,
    /// Whether that is all of the volume, which then gets its name.
    pub finish: bool,
    /// Properties or attributes of a new volume.
    pub properties: BTreeMap<String, String>,
    /// Whether the snapshot bears the mark of zfs_snapshot.
    pub marked: bool,
    /// Bytes of a raw file.
    pub size: Option<u64>,
}

/// What has arrived whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Guid of the last snapshot that was sent.
    pub guid: Guid,
    /// Properties of the volume, some of which it only gets now.
    pub properties: BTreeMap<String, String>,
}

/// Where a volume is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A ZFS volume.
    Dataset(DatasetName),
    /// A raw file.
    File(PathBuf),
}

impl Params {
    /// The step, and the volume that it is about.
    ///
    /// # Errors
    /// Where something is missing that the step needs.
    pub fn job(self) -> Result<(Place, Step)> {
        let place = match (&self.dataset, &self.path) {
            (Some(dataset), None) => Place::Dataset(dataset.clone()),
            (None, Some(path)) => {
                let named = path.is_absolute() && path.file_name().is_some();
                ensure!(named, "option `path` is {}: expected the absolute path of a file", path.display());
                Place::File(path.clone())
            }
            (None, None) => bail!("options `dataset` and `path` are both missing: expected one of them"),
            (Some(_), Some(_)) => bail!("options `dataset` and `path` are both given: expected one of them"),
        };
        let step = self.step(matches!(place, Place::Dataset(_)))?;
        Ok((place, step))
    }

    fn step(self, is_dataset: bool) -> Result<Step> {
        let guid = self.guid.ok_or_else(|| anyhow!("option `guid` is missing"));
        let properties = self.properties.unwrap_or_default();
        let base = self.base.as_deref().map(str::parse).transpose()?;
        Ok(match self.state {
            State::Offered => {
                Step::Offered(Offered { known: self.known.unwrap_or_default(), take: self.take })
            }
            State::Sent => {
                let snapshot = self.snapshot.as_deref().map(str::parse).transpose()?;
                ensure!(
                    snapshot.is_some() == is_dataset,
                    "option `snapshot` goes with `dataset`, which is sent by one"
                );
                Step::Sent(Sent { snapshot, base, guid: guid?, take: self.take })
            }
            State::Given => Step::Given(guid?),
            State::Captured => Step::Captured,
            State::Expected => Step::Expected(Expected { golden: self.golden, take: self.take, properties }),
            State::Received => Step::Received(Received {
                snapshot: self.snapshot.unwrap_or_default(),
                base,
                base_guid: self.base_guid,
                // Of what is taken while it is sent, only its stream tells.
                guid: if self.finish { self.guid } else { Some(guid?) },
                finish: self.finish,
                properties,
                marked: self.marked,
                size: self.size,
            }),
            State::Finished => Step::Finished(Finished { guid: guid?, properties }),
            State::Swept => Step::Swept,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(json: &str) -> Result<(Place, Step), String> {
        let params: Params = serde_json::from_str(json).map_err(|error| error.to_string())?;
        params.job().map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn each_step_has_what_it_needs() {
        job(r#"{"dataset": "t/web1", "state": "offered", "take": true, "known": ["7"]}"#).unwrap();
        let sent =
            job(r#"{"dataset": "t/web1", "state": "sent", "snapshot": "t/i@image", "guid": "7"}"#).unwrap();
        assert!(matches!(
            sent.1,
            Step::Sent(Sent { snapshot: Some(_), base: None, guid: Guid(7), take: false })
        ));
        let received = r#"{"dataset": "t/web1", "state": "received", "snapshot": "a", "finish": true}"#;
        assert!(matches!(
            job(received).unwrap().1,
            Step::Received(Received { guid: None, finish: true, .. })
        ));
        for (json, error) in [
            (r#"{"state": "offered"}"#, "options `dataset` and `path` are both missing"),
            (
                r#"{"state": "offered", "dataset": "t/a", "path": "/a"}"#,
                "options `dataset` and `path` are both given",
            ),
            (r#"{"state": "offered", "path": "a"}"#, "option `path` is a: expected the absolute path"),
            (r#"{"state": "given", "dataset": "t/a"}"#, "option `guid` is missing"),
            (r#"{"state": "received", "dataset": "t/a"}"#, "option `guid` is missing"),
            (r#"{"state": "sent", "dataset": "t/a", "guid": "7"}"#, "option `snapshot` goes with `dataset`"),
            (r#"{"state": "sent", "dataset": "t/a", "guid": "7", "snapshot": "-x@a"}"#, "in \"-x@a\""),
        ] {
            let found = job(json).unwrap_err();
            assert!(found.starts_with(error), "{json}: {found}");
        }
    }
}
