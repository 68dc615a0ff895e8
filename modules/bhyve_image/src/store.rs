// SPDX-License-Identifier: GPL-3.0-or-later

//! The store: a folder with the packages of images and a record beside each that has been verified.
//!
//! `NAME-VERSION.pkg` counts only with its record `NAME-VERSION.json`, and only while it is the very file that was
//! verified. `.NAME-VERSION.pkg.part` is unfinished, `.NAME-VERSION.lock` keeps runs apart.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ansible_module::files::{self, if_there, remove_if_there};
use ansible_module::lock::Lock;
use anyhow::{Context, Result, ensure};
use image_catalog::name::ImageName;
use image_catalog::package::PackageFile;

use crate::file_identity::FileIdentity;
use crate::image::Image;
use crate::part::Part;
use crate::stored::{Record, Stored};

/// A lock is held while an image is fetched; that ends by itself unless the image is enormous.
const LOCK_LIMIT: Duration = Duration::from_secs(4 * 3600);

/// The folder that keeps images.
#[derive(Clone, Debug)]
pub struct Store(PathBuf);

impl Store {
    /// The store in `folder`, which may not exist yet.
    ///
    /// # Errors
    /// Where the path is relative: it would depend on who runs the module.
    pub fn new(folder: PathBuf) -> Result<Self> {
        ensure!(folder.is_absolute(), "option `store` is {}, expected an absolute path", folder.display());
        Ok(Self(folder))
    }

    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Where the package of an image is or will be.
    pub fn package(&self, name: &ImageName) -> PathBuf {
        self.0.join(format!("{name}.pkg"))
    }

    /// Where the record of an image is or will be.
    pub fn record(&self, name: &ImageName) -> PathBuf {
        self.0.join(format!("{name}.json"))
    }

    /// Where the package of an image grows.
    pub fn part(&self, name: &ImageName) -> PathBuf {
        self.0.join(format!(".{name}.pkg.part"))
    }

    /// Every package in the store, sorted by name.
    ///
    /// # Errors
    /// Where the folder or a record cannot be read.
    pub fn look(&self) -> Result<Vec<Stored>> {
        let mut found = Vec::new();
        for name in self.names(|file| file.strip_suffix(".pkg"))? {
            let record =
                self.proof(&name).with_context(|| format!("looking at {name} in {}", self.0.display()))?;
            found.push(Stored { name, record });
        }
        Ok(found)
    }

    /// Waits until no other run works on this image.
    ///
    /// # Errors
    /// Where the store cannot be made or written, or another run works for hours.
    pub fn lock(&self, name: &ImageName) -> Result<Lock> {
        Lock::acquire(&self.lock_path(name), LOCK_LIMIT)
    }

    /// Like [`Store::lock`], for a caller that would rather not wait.
    pub fn try_lock(&self, name: &ImageName) -> Option<Lock> {
        Lock::acquire(&self.lock_path(name), Duration::ZERO).ok()
    }

    /// Makes the folder; others than its owner may read what is in it.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn make(&self) -> Result<()> {
        fs::create_dir_all(&self.0).with_context(|| format!("making the store {}", self.0.display()))
    }

    /// The unfinished package of an image. One that is there but that nothing vouches for counts as its beginning; another one, of
    /// which that is known, stays until this one is whole.
    ///
    /// # Errors
    /// As [`Part::open`].
    pub fn open_part(&self, name: &ImageName, PackageFile { size, sum, .. }: &PackageFile) -> Result<Part> {
        let (package, part) = (self.package(name), self.part(name));
        let is_another = self.proof(name)?.is_some_and(|record| record.sum != *sum);
        if !is_another && fs::symlink_metadata(&package).is_ok_and(|found| found.is_file()) {
            remove_if_there(&self.record(name))?;
            fs::rename(&package, &part).with_context(|| format!("opening {}", part.display()))?;
        }
        Part::open(part, *size)
    }

    /// Keeps `record` beside the package of its image.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write_record(&self, name: &ImageName, record: &Record) -> Result<()> {
        let text = serde_json::to_vec_pretty(record).context("writing a record")?;
        files::write_atomically(&self.record(name), 0o644, &text)
    }

    /// Takes an image out of the store: its record first, so that a file left behind by a crash proves nothing.
    ///
    /// # Errors
    /// Where a file cannot be removed.
    pub fn remove(&self, name: &ImageName) -> Result<()> {
        for path in [self.record(name), self.part(name), self.package(name)] {
            remove_if_there(&path)?;
        }
        files::sync_folder(&self.0)
    }

    /// Removes what dead runs left of images that nobody works on.
    ///
    /// # Errors
    /// Where the folder cannot be read or a leftover cannot be removed.
    pub fn sweep(&self) -> Result<()> {
        let parts = self.names(|file| file.strip_prefix('.')?.strip_suffix(".pkg.part"))?;
        let records = self.names(|file| file.strip_suffix(".json"))?;
        let orphans = records.into_iter().filter(|name| !self.package(name).exists());
        let locks = self.names(|file| file.strip_prefix('.')?.strip_suffix(".lock"))?;
        for name in parts.into_iter().chain(orphans).chain(locks) {
            let Some(lock) = self.try_lock(&name) else { continue };
            remove_if_there(&self.part(&name))?;
            if !self.package(&name).exists() {
                remove_if_there(&self.record(&name))?;
            }
            files::sweep_for(&self.record(&name))?;
            lock.remove()?;
        }
        Ok(())
    }

    fn lock_path(&self, name: &ImageName) -> PathBuf {
        self.0.join(format!(".{name}.lock"))
    }

    /// The record of an image, if its package is the file it speaks of.
    fn proof(&self, name: &ImageName) -> Result<Option<Record>> {
        let Some(found) = if_there(fs::symlink_metadata(self.package(name)))? else { return Ok(None) };
        let text = if_there(fs::read(self.record(name))).context("reading its record")?;
        let Some(text) = text else { return Ok(None) };
        // A record of another version of this program proves nothing: the file is verified again.
        let record = serde_json::from_slice::<Record>(&text).ok();
        Ok(record
            .filter(|record| {
                record.image.full_name() == name.as_str() && record.file == FileIdentity::of(&found)
            })
            .map(|record| Record {
                image: Image { path: Some(self.package(name)), ..record.image },
                ..record
            }))
    }

    /// The names of images in file names, as `part` finds them.
    fn names(&self, part: impl Fn(&str) -> Option<&str>) -> Result<Vec<ImageName>> {
        let doing = || format!("looking into the store {}", self.0.display());
        let mut names = Vec::new();
        for entry in if_there(fs::read_dir(&self.0)).with_context(doing)?.into_iter().flatten() {
            let file = entry.with_context(doing)?.file_name();
            // Files that no image can be called like are somebody else's.
            names.extend(file.to_str().and_then(&part).and_then(|name| name.parse().ok()));
        }
        names.sort_unstable();
        Ok(names)
    }
}
