// SPDX-License-Identifier: GPL-3.0-or-later

//! The options of both modules, and the job they come to.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use zfs_command::{DatasetName, IMAGE_SNAPSHOT, SnapshotName};

/// `ZFS_MAX_DATASET_NAME_LEN` without its NUL.
const LONGEST: usize = 255;

/// What the caller asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The volumes of one guest.
    pub datasets: Option<Vec<DatasetName>>,
    /// The volume of a guest on a host without ZFS.
    pub path: Option<PathBuf>,
    /// Name of the snapshot: what comes after the `@`.
    pub name: String,
    /// What is to be.
    #[serde(default)]
    pub state: State,
    /// Whether snapshots that are newer than the one to go back to may be destroyed.
    #[serde(default)]
    pub lose_newer: bool,
    /// Whether check mode goes on as if those who use the volumes had been stopped before.
    #[serde(default)]
    pub stopped_before: bool,
}

/// What is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The snapshot is there.
    #[default]
    Present,
    /// It is gone.
    Absent,
    /// The volumes are what they were in it.
    RolledBack,
}

/// What the caller of the look asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InfoParams {
    /// The volumes of one guest.
    pub datasets: Option<Vec<DatasetName>>,
    /// The volume of a guest on a host without ZFS, which has no snapshots.
    pub path: Option<PathBuf>,
}

/// One snapshot of each volume of a guest, and what is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Of every volume.
    pub snapshots: Vec<SnapshotName>,
    /// What comes after the `@` in all of them.
    pub name: String,
    /// What is to be.
    pub state: State,
    /// Whether snapshots that are newer may be destroyed.
    pub lose_newer: bool,
    /// Whether check mode does not mind who uses the volumes.
    pub stopped_before: bool,
}

impl Job {
    /// The volumes.
    pub fn volumes(&self) -> Vec<&DatasetName> {
        self.snapshots.iter().map(SnapshotName::dataset).collect()
    }

    /// Whether a volume that somebody has open cannot be rolled back.
    pub fn minds_users(&self, check_mode: bool) -> bool {
        self.rolls_back() && !(check_mode && self.stopped_before)
    }

    /// Whether it is a way back.
    pub fn rolls_back(&self) -> bool {
        self.state == State::RolledBack
    }
}

impl Params {
    /// The job that the options ask for.
    ///
    /// # Errors
    /// Where there is no ZFS to do it with, or what is named cannot be a snapshot.
    pub fn job(self) -> Result<Job> {
        if let Some(path) = &self.path {
            bail!(
                "snapshots need ZFS: the volume is the file {}, which can be copied while its guest is off",
                path.display()
            );
        }
        let volumes = several(self.datasets)?;
        ensure!(
            self.state == State::RolledBack || self.name != IMAGE_SNAPSHOT,
            "snapshot name {IMAGE_SNAPSHOT} is taken: it is that of the image that a volume was made from; choose another"
        );
        ensure!(
            self.state == State::RolledBack || !self.lose_newer,
            "option `lose_newer` goes with `state: rolled_back`: nothing else loses snapshots that are newer"
        );
        let snapshots = volumes.iter().map(|volume| snapshot(volume, &self.name));
        let snapshots = snapshots.collect::<Result<Vec<_>>>().context("reading option `name`")?;
        let (lose_newer, stopped_before) = (self.lose_newer, self.stopped_before);
        Ok(Job { snapshots, name: self.name, state: self.state, lose_newer, stopped_before })
    }
}

impl InfoParams {
    /// The volumes to look at; none where the volume is a file.
    ///
    /// # Errors
    /// Where nothing is named, or something twice.
    pub fn volumes(self) -> Result<Vec<DatasetName>> {
        match (self.datasets, self.path) {
            (Some(_), Some(_)) => bail!("options `datasets` and `path` are both given: expected one of them"),
            (None, Some(_)) => Ok(Vec::new()),
            (datasets, None) => several(datasets),
        }
    }
}

fn several(datasets: Option<Vec<DatasetName>>) -> Result<Vec<DatasetName>> {
    let datasets = datasets.unwrap_or_default();
    ensure!(!datasets.is_empty(), "option `datasets` is missing or empty: expected the volumes of the guest");
    for (index, name) in datasets.iter().enumerate() {
        ensure!(!datasets[..index].contains(name), "volume {name} is named twice in option `datasets`");
    }
    Ok(datasets)
}

fn snapshot(volume: &DatasetName, name: &str) -> Result<SnapshotName> {
    let text = format!("{volume}@{name}");
    ensure!(
        text.len() <= LONGEST,
        "{text:?} is too long for ZFS: expected at most {LONGEST} bytes, found {}",
        text.len()
    );
    text.parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(json: &str) -> Result<Job, String> {
        let params: Params = serde_json::from_str(json).map_err(|error| error.to_string())?;
        params.job().map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn one_snapshot_of_each_volume() {
        let job =
            job(r#"{"datasets": ["t/web", "t/web:data"], "name": "a-1", "state": "rolled_back"}"#).unwrap();
        assert_eq!(
            job.snapshots.iter().map(SnapshotName::as_str).collect::<Vec<_>>(),
            ["t/web@a-1", "t/web:data@a-1"]
        );
        assert!(job.rolls_back() && !job.lose_newer);
    }

    #[test]
    fn refused_options_say_why() {
        let long = format!(r#"{{"datasets": ["t/{0}"], "name": "{0}"}}"#, "a".repeat(150));
        let table = [
            (r#"{"name": "a"}"#, "option `datasets` is missing or empty"),
            (r#"{"name": "a", "datasets": []}"#, "option `datasets` is missing or empty"),
            (r#"{"name": "a", "datasets": ["t/a", "t/a"]}"#, "volume t/a is named twice"),
            (
                r#"{"name": "a", "path": "/v/web1.raw"}"#,
                "snapshots need ZFS: the volume is the file /v/web1.raw",
            ),
            (r#"{"name": "image", "datasets": ["t/a"]}"#, "snapshot name image is taken"),
            (r#"{"name": "image", "datasets": ["t/a"], "state": "absent"}"#, "snapshot name image is taken"),
            (r#"{"name": "a", "datasets": ["t/a"], "lose_newer": true}"#, "option `lose_newer` goes with"),
            (
                r#"{"name": "a@b", "datasets": ["t/a"]}"#,
                "reading option `name`: \"t/a@a@b\" is not the name of a snapshot",
            ),
            (
                r#"{"name": "", "datasets": ["t/a"]}"#,
                "reading option `name`: \"t/a@\" is not the name of a snapshot",
            ),
            (r#"{"name": "-r", "datasets": ["t/a"]}"#, "reading option `name`: \"t/a@-r\" is not"),
            (&long, "reading option `name`: "),
        ];
        for (json, expected) in table {
            let error = job(json).unwrap_err();
            assert!(error.starts_with(expected), "{json}: {error}");
        }
        assert!(job(r#"{"name": "image", "datasets": ["t/a"], "state": "rolled_back"}"#).is_ok());
    }

    #[test]
    fn a_file_has_no_snapshots_to_look_at() {
        let look = |json: &str| serde_json::from_str::<InfoParams>(json).unwrap().volumes();
        assert!(look(r#"{"path": "/v/web1.raw"}"#).unwrap().is_empty());
        assert_eq!(look(r#"{"datasets": ["t/a"]}"#).unwrap().len(), 1);
        for wrong in ["{}", r#"{"datasets": ["t/a"], "path": "/v"}"#] {
            look(wrong).unwrap_err();
        }
    }
}
