//! An image in a catalogue, and the check of its package file on the way.

use std::cmp::Ordering;
use std::io::{self, Read};

use anyhow::{Context, Result, bail, ensure};

use crate::digest::{CheckingReader, Sum};
use crate::facts::ImageFacts;
use crate::manifest::Manifest;
use crate::name::ImageId;
use crate::path::RelativePath;

/// An image in a catalogue.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name and version.
    pub id: ImageId,
    /// Where its package is.
    pub path: RelativePath,
    /// Bytes of the package.
    pub size: u64,
    /// Checksum of the package.
    pub sum: Sum,
    /// What the annotations say.
    pub facts: ImageFacts,
    /// All that the catalogue says.
    pub manifest: Manifest,
    /// The entry as it stands in the catalogue: a line of JSON.
    pub json: String,
}

impl Package {
    pub(crate) fn new(manifest: Manifest, json: &str) -> Result<Self> {
        let missing = |key: &str| format!("its catalogue entry has no {key}");
        Ok(Self {
            id: manifest.id()?,
            path: manifest.repopath.clone().or(manifest.path.clone()).with_context(|| missing("path"))?,
            size: manifest.pkgsize.with_context(|| missing("pkgsize"))?,
            sum: manifest.sum.clone().with_context(|| missing("sum"))?,
            facts: ImageFacts::from_annotations(&manifest.annotations)?,
            json: json.to_owned(),
            manifest,
        })
    }

    /// Wraps the package file's bytes, at most one more than expected, so that they are checked in passing.
    pub fn check<R: Read>(&self, reader: R) -> PackageCheck<R> {
        let bounded = reader.take(self.size.saturating_add(1));
        PackageCheck { reader: CheckingReader::new(bounded, self.sum.kind()) }
    }
}

/// A package file on its way: [`Read`] gives its bytes, [`PackageCheck::finish`] judges them.
pub struct PackageCheck<R> {
    reader: CheckingReader<io::Take<R>>,
}

impl<R: Read> Read for PackageCheck<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl<R: Read> PackageCheck<R> {
    /// Compares size and checksum of all that was read with what the catalogue says.
    pub fn finish(self, package: &Package) -> Result<()> {
        let (sum, length, _) = self.reader.finish();
        match length.cmp(&package.size) {
            Ordering::Less => {
                bail!("{} ends after {length} bytes, the catalogue says {}", package.path, package.size)
            }
            Ordering::Greater => {
                bail!("{} has more than the {} bytes of the catalogue", package.path, package.size)
            }
            Ordering::Equal => {}
        }
        ensure!(
            sum == package.sum,
            "{} has checksum {sum}, the catalogue says {}; it was damaged or exchanged",
            package.path,
            package.sum
        );
        Ok(())
    }
}
