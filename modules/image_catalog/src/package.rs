// SPDX-License-Identifier: GPL-3.0-or-later

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
        let PackageFile { path, size, sum } = PackageFile::named_by(&manifest)?;
        Ok(Self {
            id: manifest.id()?,
            path,
            size,
            sum,
            facts: ImageFacts::from_annotations(&manifest.annotations)?,
            json: json.to_owned(),
            manifest,
        })
    }

    /// The file that is to be fetched: where it lies, its length and its checksum.
    pub fn file(&self) -> PackageFile {
        PackageFile { path: self.path.clone(), size: self.size, sum: self.sum.clone() }
    }

    /// As [`PackageFile::check`].
    pub fn check<R: Read>(&self, reader: R) -> PackageCheck<R> {
        self.file().check(reader)
    }
}

/// The file of a package, image or not, as its catalogue promises it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageFile {
    /// Its path in the repository.
    pub path: RelativePath,
    /// Its length in bytes.
    pub size: u64,
    /// The checksum that the list has for it.
    pub sum: Sum,
}

impl PackageFile {
    pub(crate) fn named_by(manifest: &Manifest) -> Result<Self> {
        let missing = |key: &str| format!("its catalogue entry has no {key}");
        Ok(Self {
            path: manifest.repopath.clone().or(manifest.path.clone()).with_context(|| missing("path"))?,
            size: manifest.pkgsize.with_context(|| missing("pkgsize"))?,
            sum: manifest.sum.clone().with_context(|| missing("sum"))?,
        })
    }

    /// Wraps the file's bytes, at most one more than expected, so that they are checked in passing.
    pub fn check<R: Read>(self, reader: R) -> PackageCheck<R> {
        let bounded = reader.take(self.size.saturating_add(1));
        PackageCheck { reader: CheckingReader::new(bounded, self.sum.kind()), promised: self }
    }
}

/// A package file on its way: [`Read`] gives its bytes, [`PackageCheck::finish`] judges them.
pub struct PackageCheck<R> {
    reader: CheckingReader<io::Take<R>>,
    promised: PackageFile,
}

impl<R: Read> Read for PackageCheck<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl<R: Read> PackageCheck<R> {
    /// Compares size and checksum of all that was read with what the catalogue says.
    pub fn finish(self) -> Result<()> {
        let (found, length, _) = self.reader.finish();
        let PackageFile { path, size, sum } = self.promised;
        match length.cmp(&size) {
            Ordering::Less => bail!("{path} ends after {length} bytes, the catalogue says {size}"),
            Ordering::Greater => bail!("{path} has more than the {size} bytes of the catalogue"),
            Ordering::Equal => {}
        }
        ensure!(
            found == sum,
            "{path} has checksum {found}, the catalogue says {sum}; it was damaged or exchanged"
        );
        Ok(())
    }
}
