// SPDX-License-Identifier: GPL-3.0-or-later

//! The options of the module, and the job they come to.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::Deserialize;
use zfs_command::DatasetName;

/// A hundred years: beyond it a date has no four digits for long.
const LONGEST: u32 = 36500;

/// What the caller asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The ZFS volume of a guest.
    pub dataset: Option<DatasetName>,
    /// The raw file of a guest, on a host without ZFS.
    pub path: Option<PathBuf>,
    /// What its volume is to be.
    #[serde(default)]
    pub state: State,
    /// For how many days the present volume is kept.
    #[serde(default = "a_week")]
    pub keep_days: u32,
    /// What the volume was called, where it has got another name.
    pub from: Option<String>,
}

fn a_week() -> u32 {
    7
}

/// What a volume is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The one that was made ready beside it.
    #[default]
    New,
    /// The last one that was kept.
    Back,
    /// The one that it is, and its guest runs, which is to be known when it has been stopped for an exchange.
    Noted,
    /// The one that it is: the exchange is over.
    Settled,
    /// The one that had another name, with all that is kept of it.
    Renamed,
}

/// Where a guest has its volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A raw file.
    File(PathBuf),
    /// A ZFS volume.
    Dataset(DatasetName),
}

/// What is to be done with one volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The volume.
    pub place: Place,
    /// What it is to be.
    pub state: State,
    /// For how many days the present one is kept.
    pub keep_days: u32,
    /// Where it was, for [`State::Renamed`] only.
    pub from: Option<Place>,
}

impl Params {
    /// The job that the options ask for.
    ///
    /// # Errors
    /// Where they name no volume, or two.
    pub fn job(self) -> Result<Job> {
        ensure!(
            self.keep_days <= LONGEST,
            "option `keep_days` is {}: expected at most {LONGEST}",
            self.keep_days
        );
        let place = match (self.dataset, self.path) {
            (Some(name), None) => Place::Dataset(name),
            (None, Some(path)) => file("path", path)?,
            (None, None) => bail!("options `dataset` and `path` are both missing: expected one of them"),
            (Some(_), Some(_)) => bail!("options `dataset` and `path` are both given: expected one of them"),
        };
        let from = self.from.map(|from| before(&place, from)).transpose()?;
        ensure!(
            from.is_some() == (self.state == State::Renamed),
            "options `from` and `state: renamed` belong together: expected both or neither"
        );
        Ok(Job { place, state: self.state, keep_days: self.keep_days, from })
    }
}

fn file(option: &str, path: PathBuf) -> Result<Place> {
    let named = path.is_absolute() && path.file_name().is_some();
    ensure!(named, "option `{option}` is {}: expected the absolute path of a file", path.display());
    path.to_str().with_context(|| format!("option `{option}` is not written in UTF-8"))?;
    Ok(Place::File(path))
}

/// What is renamed stays where it is: a rename across file systems would be a copy, and one across folders somebody else's affair.
fn before(place: &Place, from: String) -> Result<Place> {
    let (before, beside) = match place {
        Place::File(path) => {
            let before = file("from", PathBuf::from(&from))?;
            let beside = PathBuf::from(&from).parent() == path.parent();
            (before, beside)
        }
        Place::Dataset(name) => {
            let before = DatasetName::try_from(from.clone())
                .map_err(|error| anyhow!("option `from` is {from}: {error}"))?;
            let beside = before.parent() == name.parent();
            (Place::Dataset(before), beside)
        }
    };
    ensure!(
        beside && before != *place,
        "option `from` is {from}: expected another name beside that of the volume, in the same place"
    );
    Ok(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(json: &str) -> Result<Job, String> {
        let params: Params = serde_json::from_str(json).map_err(|error| error.to_string())?;
        params.job().map_err(|error| error.to_string())
    }

    #[test]
    fn one_volume_and_what_it_is_to_be() {
        let wanted = job(r#"{"dataset": "t/web1"}"#).unwrap();
        assert_eq!((wanted.state, wanted.keep_days), (State::New, 7));
        let wanted = job(r#"{"path": "/v/web1.raw", "state": "back", "keep_days": 0}"#).unwrap();
        assert_eq!((wanted.state, wanted.keep_days), (State::Back, 0));
        let table = [
            ("{}", "options `dataset` and `path` are both missing: expected one of them"),
            (
                r#"{"dataset": "t/a", "path": "/a"}"#,
                "options `dataset` and `path` are both given: expected one of them",
            ),
            (r#"{"path": "a"}"#, "option `path` is a: expected the absolute path of a file"),
            (
                r#"{"path": "/v/a", "from": "/v/b"}"#,
                "options `from` and `state: renamed` belong together: expected both or neither",
            ),
            (
                r#"{"path": "/v/a", "state": "renamed"}"#,
                "options `from` and `state: renamed` belong together: expected both or neither",
            ),
            (
                r#"{"path": "/v/a", "state": "renamed", "from": "/w/a"}"#,
                "option `from` is /w/a: expected another name beside that of the volume, in the same place",
            ),
            (
                r#"{"dataset": "t/a", "state": "renamed", "from": "t/a"}"#,
                "option `from` is t/a: expected another name beside that of the volume, in the same place",
            ),
            (
                r#"{"path": "/a", "keep_days": 1000000}"#,
                "option `keep_days` is 1000000: expected at most 36500",
            ),
        ];
        for (json, error) in table {
            assert_eq!(job(json).unwrap_err(), error);
        }
    }
}
