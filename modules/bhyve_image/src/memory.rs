// SPDX-License-Identifier: GPL-3.0-or-later

//! What is remembered of a catalogue, so that an older one is not taken for the newest.
//!
//! A signature says who wrote a catalogue, not that it is the last one he wrote: whoever stands between could go on
//! handing out yesterday's. Our publisher signs a serial number with each; pkg signs neither number nor time, so of its
//! catalogues a host remembers which it has seen.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ansible_module::{files, workbench};
use anyhow::{Context, Result, bail};
use image_catalog::catalogue::Catalogue;
use image_catalog::digest::Sha256Hex;
use image_catalog::package::Package;
use image_catalog::transport::Location;
use serde::{Deserialize, Serialize};

/// How many catalogues are remembered: years of weekly publishing.
const REMEMBERED: usize = 256;

/// The lock is held for the time of writing a small file.
const LOCK_LIMIT: Duration = Duration::from_secs(60);

/// Catalogues that one place has shown to this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Memory {
    repository: String,
    /// Their fingerprints, the newest last.
    seen: Vec<Sha256Hex>,
    /// The highest serial number.
    serial: Option<u64>,
    #[serde(skip)]
    path: PathBuf,
}

/// What is remembered of one catalogue at each of its places. None of them may go back behind what another one has shown.
pub struct Memories(Vec<Memory>);

impl Memories {
    /// Reads what the store in `folder` remembers.
    ///
    /// # Errors
    /// Where a file is there but cannot be read.
    pub fn load<'a>(folder: &Path, locations: impl Iterator<Item = &'a Location>) -> Result<Self> {
        locations.map(|location| Memory::load(folder, location)).collect::<Result<_>>().map(Self)
    }

    /// Refuses a catalogue that was replaced by a newer one before.
    ///
    /// # Errors
    /// Where it is that.
    pub fn judge(&self, edition: &Edition) -> Result<()> {
        self.0.iter().try_for_each(|memory| memory.judge(edition))
    }

    /// Remembers a catalogue as the newest, in a store that is there.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub fn remember(self, edition: &Edition) -> Result<()> {
        self.0.into_iter().try_for_each(|memory| memory.remember(edition.clone()))
    }
}

impl Memory {
    /// Reads what the store in `folder` remembers of the catalogue at `location`.
    ///
    /// # Errors
    /// Where the file is there but cannot be read.
    fn load(folder: &Path, location: &Location) -> Result<Self> {
        let repository = location.to_string();
        let digest = Sha256Hex::of(repository.as_bytes());
        Self::read(repository, folder.join(format!(".seen-{}.json", &digest.as_str()[..16])))
    }

    fn read(repository: String, path: PathBuf) -> Result<Self> {
        let doing = || format!("reading which catalogues were seen from {}", path.display());
        match files::if_there(fs::read(&path)).with_context(doing)? {
            Some(text) => {
                let memory = serde_json::from_slice::<Self>(&text).with_context(doing)?;
                Ok(Self { repository, path, ..memory })
            }
            None => Ok(Self { repository, seen: Vec::new(), serial: None, path }),
        }
    }

    /// Refuses a catalogue that was replaced by a newer one before.
    ///
    /// # Errors
    /// Where it is that.
    fn judge(&self, edition: &Edition) -> Result<()> {
        let why = match (self.serial, edition.serial) {
            (Some(seen), Some(offered)) if offered >= seen => return Ok(()),
            (Some(seen), Some(offered)) => format!("it has number {offered}, {seen} was seen here"),
            (Some(seen), None) => format!("it has no number, {seen} was seen here"),
            (None, Some(_)) => return Ok(()),
            (None, None) => match self.newer_than(&edition.fingerprint) {
                0 => return Ok(()),
                newer => format!("{newer} newer were seen here since"),
            },
        };
        bail!(
            "the catalogue of {} is an old one: {why}; either somebody repeats it, or the server lags behind, or its \
             publisher has withdrawn an image with pkg(8) or begun anew: in that case set allow_older for one call",
            self.repository
        )
    }

    /// How many others have been seen since; 0 for one that is new.
    fn newer_than(&self, fingerprint: &Sha256Hex) -> usize {
        self.seen.iter().rev().position(|seen| seen == fingerprint).unwrap_or(0)
    }

    /// Remembers a catalogue as the newest, in a store that is there.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn remember(self, edition: Edition) -> Result<()> {
        let _lock = workbench::alone_at(&self.path, LOCK_LIMIT)?;
        self.add(edition)
    }

    fn ends_with(&self, edition: &Edition) -> bool {
        self.seen.last() == Some(&edition.fingerprint) && self.serial == edition.serial
    }

    /// Writes the edition down; the caller holds the lock.
    fn add(mut self, edition: Edition) -> Result<()> {
        files::sweep_for(&self.path)?;
        let now = Self::read(self.repository.clone(), self.path.clone())?;
        // Where another run has seen something new meanwhile, nobody knows which of the two is newer.
        if now != self || self.ends_with(&edition) {
            return Ok(());
        }
        self.seen.push(edition.fingerprint);
        self.serial = edition.serial;
        self.seen.drain(..self.seen.len().saturating_sub(REMEMBERED));
        let text = serde_json::to_vec_pretty(&self).context("writing which catalogues were seen")?;
        files::write_atomically(&self.path, 0o644, &text)
    }
}

/// What tells a catalogue from those before and after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    /// Of its images, in whatever order they are listed.
    fingerprint: Sha256Hex,
    serial: Option<u64>,
}

impl From<&Catalogue> for Edition {
    fn from(catalogue: &Catalogue) -> Self {
        let line = |package: &Package| format!("{} {}\n", package.id, package.sum);
        let mut lines: Vec<_> = catalogue.images.iter().map(line).collect();
        lines.sort_unstable();
        Self { fingerprint: Sha256Hex::of(lines.concat().as_bytes()), serial: catalogue.serial }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edition(text: &str, serial: Option<u64>) -> Edition {
        Edition { fingerprint: Sha256Hex::of(text.as_bytes()), serial }
    }

    fn load(folder: &Path, location: &str) -> Memory {
        Memory::load(folder, &Location::try_from(location.to_owned()).unwrap()).unwrap()
    }

    #[test]
    fn only_an_older_catalogue_is_refused() {
        // What was seen, what is offered then, and why it is refused.
        type Case<'a> = (&'a [(&'a str, Option<u64>)], (&'a str, Option<u64>), Option<&'a str>);
        let table: [Case<'_>; 12] = [
            (&[], ("one", None), None),
            (&[("one", None), ("two", None)], ("two", None), None),
            (&[("one", None), ("two", None)], ("three", None), None),
            (&[("one", None), ("two", None)], ("one", None), Some("1 newer were seen here since")),
            (
                &[("one", None), ("two", None), ("three", None)],
                ("one", None),
                Some("2 newer were seen here since"),
            ),
            (&[("one", None), ("two", None)], ("one", Some(1)), None),
            (&[("one", Some(1)), ("two", Some(2))], ("two", Some(2)), None),
            (&[("one", Some(1)), ("two", Some(2))], ("one", Some(3)), None),
            (
                &[("one", Some(1)), ("two", Some(2))],
                ("one", Some(1)),
                Some("it has number 1, 2 was seen here"),
            ),
            (
                &[("one", Some(1)), ("two", Some(2))],
                ("new", Some(1)),
                Some("it has number 1, 2 was seen here"),
            ),
            (&[("one", Some(7))], ("one", None), Some("it has no number, 7 was seen here")),
            (&[("one", Some(7))], ("new", None), Some("it has no number, 7 was seen here")),
        ];
        for (seen, (text, serial), why) in table {
            let folder = tempfile::tempdir().unwrap();
            for (text, serial) in seen {
                load(folder.path(), "/srv/images").judge(&edition(text, *serial)).unwrap();
                load(folder.path(), "/srv/images").remember(edition(text, *serial)).unwrap();
            }
            let memory = load(folder.path(), "/srv/images");
            let expected = why.map(|why| {
                format!(
                    "the catalogue of /srv/images is an old one: {why}; either somebody repeats it, or the server lags \
                     behind, or its publisher has withdrawn an image with pkg(8) or begun anew: in that case set allow_older for \
                     one call"
                )
            });
            let judged = memory.judge(&edition(text, serial));
            assert_eq!(judged.err().map(|error| error.to_string()), expected, "{seen:?}");
        }
    }

    #[test]
    fn what_one_mirror_has_shown_counts_for_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let places: Vec<_> =
            ["/srv/a", "/srv/b"].map(|text| Location::try_from(text.to_owned()).unwrap()).into();
        let memories = || Memories::load(folder.path(), places.iter()).unwrap();
        load(folder.path(), "/srv/b").remember(edition("two", Some(2))).unwrap();
        let error = memories().judge(&edition("one", Some(1))).unwrap_err().to_string();
        assert!(
            error.starts_with("the catalogue of /srv/b is an old one: it has number 1, 2 was"),
            "{error}"
        );
        memories().remember(&edition("three", Some(3))).unwrap();
        for place in ["/srv/a", "/srv/b"] {
            load(folder.path(), place).judge(&edition("two", Some(2))).unwrap_err();
        }
        // The user has said that it is right.
        memories().remember(&edition("one", Some(1))).unwrap();
        memories().judge(&edition("two", Some(2))).unwrap();
        memories().judge(&edition("one", Some(1))).unwrap();
    }

    #[test]
    fn of_two_runs_at_once_the_second_does_not_claim_to_be_newer() {
        let folder = tempfile::tempdir().unwrap();
        let slow = load(folder.path(), "/srv/images");
        load(folder.path(), "/srv/images").remember(edition("two", None)).unwrap();
        slow.remember(edition("one", None)).unwrap();
        assert_eq!(load(folder.path(), "/srv/images").seen, [edition("two", None).fingerprint]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn places_are_remembered_apart_and_not_without_end() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..300 {
            load(folder.path(), "/srv/a").remember(edition(&number.to_string(), None)).unwrap();
        }
        let memory = load(folder.path(), "/srv/a");
        assert_eq!(memory.seen.len(), REMEMBERED);
        assert_eq!(memory.seen.last(), Some(&edition("299", None).fingerprint));
        assert!(memory.judge(&edition("100", None)).is_err());
        load(folder.path(), "/srv/b").judge(&edition("100", None)).unwrap();
    }
}
