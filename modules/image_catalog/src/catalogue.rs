// SPDX-License-Identifier: GPL-3.0-or-later

//! A catalogue as it is read: signed by the right one, and then what it lists.

use std::collections::HashSet;
use std::io::Read;

use anyhow::{Context, Result, bail};
use serde_json::value::RawValue;

use crate::digest::Sha256Hex;
use crate::entries::Entries;
use crate::manifest::Manifest;
use crate::meta::Source;
use crate::name::ImageName;
use crate::package::{Package, PackageFile};
use crate::signature::{SignedBy, Trust};
use crate::signed_archive::unpack;

/// The images of a repository, as listed by an archive whose signature was judged.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// The images, in the order of the archive.
    pub images: Vec<Package>,
    /// Packages that are not images that could be deployed.
    pub others: Vec<OtherPackage>,
    /// The signed number that our publisher raises with each change. Catalogues by pkg have none, and neither have
    /// lists of the form `packagesite.yaml`.
    pub serial: Option<u64>,
    /// SHA-256 of the list, to notice that it has changed.
    pub sha256: Sha256Hex,
    /// Whose signature it was believed for.
    pub signed_by: SignedBy,
}

/// A package that is not an image, or one that cannot be read as such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherPackage {
    /// Its name and version, as far as they are known.
    pub name: String,
    /// Why it is not an image.
    pub reason: String,
    /// Its file, if its entry names one.
    pub file: Option<PackageFile>,
    /// The entry as it stands in the catalogue: a line of JSON.
    pub json: String,
}

impl Catalogue {
    /// Reads an archive that lists packages and judges its signature before believing any of it.
    pub fn read(archive: impl Read, source: &Source, trust: &Trust) -> Result<Self> {
        let reading = || format!("reading the catalogue {}", source.path);
        let (content, signatures) = unpack(archive, &source.member).with_context(reading)?;
        let signed_by = trust.verify(&content, &signatures).with_context(reading)?;
        let Entries { packages, serial } = Entries::split(&content, source.form).with_context(reading)?;
        let sha256 = Sha256Hex::of(&content);
        let mut catalogue = Self { images: Vec::new(), others: Vec::new(), serial, sha256, signed_by };
        for package in packages {
            catalogue.add(package).with_context(reading)?;
        }
        catalogue.refuse_twins().with_context(reading)?;
        Ok(catalogue)
    }

    /// Whether an archive is none at all, so that nothing in it can be lost.
    ///
    /// # Errors
    /// Where the system does not let it be read: that says nothing about what is in it.
    pub fn is_damaged(archive: impl Read, source: &Source) -> Result<bool> {
        let Err(error) = unpack(archive, &source.member) else { return Ok(false) };
        let by_system = |cause: &(dyn std::error::Error + 'static)| {
            cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.raw_os_error().is_some())
        };
        match error.chain().any(by_system) {
            true => Err(error).with_context(|| format!("reading the catalogue {}", source.path)),
            false => Ok(true),
        }
    }

    /// The image called so: the very NAME-VERSION, or else the newest version of a NAME.
    pub fn find(&self, wanted: &ImageName) -> Result<&Package> {
        if let Some(exact) = self.images.iter().find(|package| package.id.is_exactly(wanted)) {
            return Ok(exact);
        }
        if let Some(other) = self.others.iter().find(|other| other.name == wanted.as_str()) {
            bail!("image {wanted} in the catalogue cannot be used: {}", other.reason);
        }
        let named = self.images.iter().filter(|package| package.id.name == *wanted);
        named.max_by(|a, b| a.id.version.compare(&b.id.version)).with_context(|| {
            format!("no image {wanted} is in the catalogue, which has {}", self.names_near(wanted))
        })
    }

    /// Whether both list the same packages, in whatever order.
    pub fn lists_the_same_as(&self, other: &Self) -> bool {
        self.entries() == other.entries()
    }

    /// Whether it names a package that the other one does not.
    pub fn lists_more_than(&self, other: &Self) -> bool {
        let known: HashSet<_> = other.names().collect();
        self.names().any(|name| !known.contains(&name))
    }

    /// Name and version of every package.
    fn names(&self) -> impl Iterator<Item = String> {
        let images = self.images.iter().map(|image| image.id.to_string());
        images.chain(self.others.iter().map(|other| other.name.clone()))
    }

    fn entries(&self) -> Vec<&str> {
        let images = self.images.iter().map(|image| image.json.as_str());
        let mut entries: Vec<_> = images.chain(self.others.iter().map(|other| other.json.as_str())).collect();
        entries.sort_unstable();
        entries
    }

    fn add(&mut self, json: &RawValue) -> Result<()> {
        let manifest = Manifest::parse(json.get().as_bytes()).context("reading an entry")?;
        let name = format!("{}-{}", manifest.name, manifest.version);
        let file = PackageFile::named_by(&manifest).ok();
        match Package::new(manifest, json.get()) {
            Ok(package) => self.images.push(package),
            Err(error) => {
                self.others.push(OtherPackage {
                    name,
                    reason: format!("{error:#}"),
                    file,
                    json: json.get().to_owned(),
                });
            }
        }
        Ok(())
    }

    fn refuse_twins(&self) -> Result<()> {
        let mut seen = HashSet::new();
        match self.images.iter().find(|image| !seen.insert(&image.id)) {
            Some(twin) => bail!("image {} is listed twice", twin.id),
            None => Ok(()),
        }
    }

    /// A few names for an error: those that begin alike, or else any.
    fn names_near(&self, wanted: &ImageName) -> String {
        const SHOWN: usize = 5;
        let start: String = wanted.as_str().chars().take(3).collect();
        let near: Vec<_> =
            self.images.iter().filter(|package| package.id.name.as_str().starts_with(&start)).collect();
        let all = if near.is_empty() { self.images.iter().collect() } else { near };
        match all.len() {
            0 => "none".to_owned(),
            count => {
                let shown: Vec<_> = all.iter().take(SHOWN).map(|package| package.id.to_string()).collect();
                let more = if count > SHOWN { format!(" and {} more", count - SHOWN) } else { String::new() };
                format!("{}{more}", shown.join(", "))
            }
        }
    }
}
