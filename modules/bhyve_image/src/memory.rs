//! What is remembered of a catalogue, so that an older one is not taken for the newest.
//!
//! A signature says who wrote a catalogue, not that it is the last one he wrote: whoever stands between could go on
//! handing out yesterday's. Nothing signed by pkg carries a time, so a host remembers what it has seen.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ansible_module::files;
use ansible_module::lock::Lock;
use anyhow::{Context, Result, ensure};
use image_catalog::catalogue::Catalogue;
use image_catalog::digest::Sha256Hex;
use image_catalog::transport::Location;
use serde::{Deserialize, Serialize};

/// How many catalogues are remembered: years of weekly publishing.
const REMEMBERED: usize = 256;

/// The lock is held for the time of writing a small file.
const LOCK_LIMIT: Duration = Duration::from_secs(60);

/// Catalogues that one place has shown to this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    repository: String,
    /// Their fingerprints, the newest last.
    seen: Vec<Sha256Hex>,
    #[serde(skip)]
    path: PathBuf,
}

impl Memory {
    /// Reads what the store in `folder` remembers of the catalogue at `location`.
    ///
    /// # Errors
    /// Where the file is there but cannot be read.
    pub fn load(folder: &Path, location: &Location) -> Result<Self> {
        let repository = location.to_string();
        let digest = Sha256Hex::of(repository.as_bytes());
        Self::read(repository, folder.join(format!(".seen-{}.json", &digest.as_str()[..16])))
    }

    fn read(repository: String, path: PathBuf) -> Result<Self> {
        let doing = || format!("reading which catalogues were seen from {}", path.display());
        let seen = match fs::read(&path) {
            Ok(text) => serde_json::from_slice::<Self>(&text).with_context(doing)?.seen,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).with_context(doing),
        };
        Ok(Self { repository, seen, path })
    }

    /// Refuses a catalogue that was replaced by a newer one before.
    ///
    /// # Errors
    /// Where it is that.
    pub fn judge(&self, catalogue: &Sha256Hex) -> Result<()> {
        let newer = self.seen.iter().rev().position(|seen| seen == catalogue).unwrap_or(0);
        ensure!(
            newer == 0,
            "the catalogue of {} is an old one: {newer} newer were seen here since; either somebody repeats it, or the \
             server lags behind, or its publisher has gone back to it: in that case remove {}",
            self.repository,
            self.path.display()
        );
        Ok(())
    }

    /// Remembers a catalogue as the newest, in a store that is there.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub fn remember(mut self, catalogue: Sha256Hex) -> Result<()> {
        if self.seen.last() == Some(&catalogue) {
            return Ok(());
        }
        let lock = Lock::acquire(&self.path.with_extension("lock"), LOCK_LIMIT)?;
        let now = Self::read(self.repository.clone(), self.path.clone())?;
        // Where another run has seen something new meanwhile, nobody knows which of the two is newer.
        if now == self {
            files::sweep_for(&self.path)?;
            self.seen.push(catalogue);
            self.seen.drain(..self.seen.len().saturating_sub(REMEMBERED));
            let text = serde_json::to_vec_pretty(&self).context("writing which catalogues were seen")?;
            files::write_atomically(&self.path, 0o644, &text)?;
        }
        lock.remove()
    }
}

/// What tells two catalogues apart: their images, in whatever order they are listed.
pub fn fingerprint(catalogue: &Catalogue) -> Sha256Hex {
    let mut lines: Vec<_> =
        catalogue.images.iter().map(|package| format!("{} {}\n", package.id, package.sum)).collect();
    lines.sort_unstable();
    Sha256Hex::of(lines.concat().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Sha256Hex {
        Sha256Hex::of(text.as_bytes())
    }

    #[test]
    fn only_an_older_catalogue_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::try_from("/srv/images".to_owned()).unwrap();
        let load = || Memory::load(folder.path(), &location).unwrap();
        for catalogue in ["one", "two", "two", "three"] {
            load().judge(&digest(catalogue)).unwrap();
            load().remember(digest(catalogue)).unwrap();
        }
        load().judge(&digest("three")).unwrap();
        load().judge(&digest("four")).unwrap();
        for (older, newer) in [("one", 2), ("two", 1)] {
            let memory = load();
            let expected = format!(
                "the catalogue of /srv/images is an old one: {newer} newer were seen here since; either somebody \
                 repeats it, or the server lags behind, or its publisher has gone back to it: in that case remove {}",
                memory.path.display()
            );
            assert_eq!(memory.judge(&digest(older)).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn of_two_runs_at_once_the_second_does_not_claim_to_be_newer() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::try_from("/srv/images".to_owned()).unwrap();
        let load = || Memory::load(folder.path(), &location).unwrap();
        let slow = load();
        load().remember(digest("two")).unwrap();
        slow.remember(digest("one")).unwrap();
        assert_eq!(load().seen, [digest("two")]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn places_are_remembered_apart_and_not_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let here = Location::try_from("/srv/a".to_owned()).unwrap();
        let there = Location::try_from("/srv/b".to_owned()).unwrap();
        for number in 0..300 {
            Memory::load(folder.path(), &here).unwrap().remember(digest(&number.to_string())).unwrap();
        }
        let memory = Memory::load(folder.path(), &here).unwrap();
        assert_eq!(memory.seen.len(), REMEMBERED);
        assert_eq!(memory.seen.last(), Some(&digest("299")));
        assert!(memory.judge(&digest("100")).is_err());
        Memory::load(folder.path(), &there).unwrap().judge(&digest("100")).unwrap();
    }
}
