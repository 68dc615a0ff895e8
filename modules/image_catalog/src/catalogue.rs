// SPDX-License-Identifier: GPL-3.0-or-later

//! A catalogue as it is read: signed by the right one, and then what it lists.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::arch::Arch;
use crate::digest::{Sha256Hex, Sum};
use crate::entries::Entries;
pub use crate::entries::Kept;
use crate::manifest::Manifest;
use crate::meta::Source;
use crate::name::{ImageId, ImageName};
use crate::package::{Package, PackageFile};
use crate::path::RelativePath;
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
    /// What pkg keeps beside the packages.
    pub kept: Kept,
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
        // Somebody's comment in another encoding is no reason to take no package at all.
        let text = String::from_utf8_lossy(&content);
        let Entries { packages, serial, kept } = Entries::split(&text, source.form).with_context(reading)?;
        let sha256 = Sha256Hex::of(&content);
        let (images, others) = (Vec::new(), Vec::new());
        let mut catalogue = Self { images, others, serial, kept, sha256, signed_by };
        packages.into_iter().for_each(|package| catalogue.add(package));
        catalogue.set_twins_apart();
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

    /// The image called so that this host may have: the very NAME-VERSION, or else the newest version of a NAME.
    ///
    /// # Errors
    /// Where there is none, or it is for other machines.
    pub fn find(&self, wanted: &ImageName) -> Result<&Package> {
        if let Some(exact) = self.images.iter().find(|package| package.id.is_exactly(wanted)) {
            Arch::refuse_other(exact.facts.arch).with_context(|| format!("looking for image {wanted}"))?;
            return Ok(exact);
        }
        if let Some(other) = self.others.iter().find(|other| other.name == wanted.as_str()) {
            bail!("image {wanted} in the catalogue cannot be used: {}", other.reason);
        }
        let named = || self.images.iter().filter(|package| package.id.name == *wanted);
        let ours = named().filter(|package| Arch::suits_host(package.facts.arch));
        if let (Some(other), None) = (named().next(), ours.clone().next()) {
            Arch::refuse_other(other.facts.arch).with_context(|| format!("looking for image {wanted}"))?;
        }
        if let Some(newest) = ours.max_by(|a, b| a.id.version.compare(&b.id.version)) {
            return Ok(newest);
        }
        if let Some((id, other)) = self.newest_unusable(wanted) {
            bail!("image {wanted} in the catalogue cannot be used: the newest, {id}: {}", other.reason);
        }
        bail!("no image {wanted} is in the catalogue, which has {}", self.names_near(wanted))
    }

    /// What a user should know who asked for `wanted` and gets this image: a newer version of it cannot be used.
    pub fn remark(&self, wanted: &ImageName, found: &ImageId) -> Option<String> {
        let (id, other) = self.newest_unusable(wanted)?;
        let is_newer = found.name == *wanted && id.version.compare(&found.version).is_gt();
        is_newer.then(|| {
            format!(
                "image {wanted} is {found}, because a newer one in the catalogue, {id}, cannot be used: {}",
                other.reason
            )
        })
    }

    /// The newest version of a name that cannot be used, whatever can.
    fn newest_unusable(&self, wanted: &ImageName) -> Option<(ImageId, &OtherPackage)> {
        let named = self.others.iter().filter_map(|other| {
            let version = other.name.strip_prefix(wanted.as_str())?.strip_prefix('-')?;
            Some((ImageId::new(wanted.as_str(), version).ok()?, other))
        });
        named.max_by(|(a, _), (b, _)| a.version.compare(&b.version))
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

    /// Whatever an entry is, it is one package's and none of the others'.
    fn add(&mut self, json: &RawValue) {
        let json = json.get();
        let (name, file, reason) = match Manifest::parse(json.as_bytes()) {
            Ok(manifest) => {
                let name = format!("{}-{}", manifest.name, manifest.version);
                let file = PackageFile::named_by(&manifest).ok();
                match Package::new(manifest, json) {
                    Ok(package) => return self.images.push(package),
                    Err(error) => (name, file, error),
                }
            }
            Err(error) => (name_in(json), file_in(json), error),
        };
        self.others.push(OtherPackage { name, reason: format!("{reason:#}"), file, json: json.to_owned() });
    }

    /// Two packages of one name: nobody can say which of them is the image. One that lies in two places is one image.
    fn set_twins_apart(&mut self) {
        let mut sums: HashMap<ImageId, (Sum, bool)> = HashMap::new();
        for image in &self.images {
            let (first, alike) = sums.entry(image.id.clone()).or_insert_with(|| (image.sum.clone(), true));
            *alike &= *first == image.sum;
        }
        let mut seen = HashSet::new();
        for image in std::mem::take(&mut self.images) {
            let alike = sums.get(&image.id).is_none_or(|(_, alike)| *alike);
            if alike && seen.insert(image.id.clone()) {
                self.images.push(image);
                continue;
            }
            let reason = match alike {
                true => "it is listed a second time",
                false => "two different packages are listed by this name",
            };
            let (name, file) = (image.id.to_string(), Some(image.file()));
            self.others.push(OtherPackage { name, reason: reason.to_owned(), file, json: image.json });
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

/// What an entry that cannot be read as a whole is called, as far as it says.
fn name_in(json: &str) -> String {
    #[derive(Deserialize)]
    struct Named {
        name: Option<serde_json::Value>,
        version: Option<serde_json::Value>,
    }
    let word = |value: Option<serde_json::Value>| value.and_then(|value| value.as_str().map(str::to_owned));
    let named: Option<Named> = serde_json::from_str(json).ok();
    let (name, version) = named.map_or((None, None), |named| (word(named.name), word(named.version)));
    match (name, version) {
        (Some(name), Some(version)) => format!("{name}-{version}"),
        (Some(name), None) => name,
        (None, _) => "a package without a name".to_owned(),
    }
}

/// The file of such an entry, so that a mirror has it all the same.
fn file_in(json: &str) -> Option<PackageFile> {
    #[derive(Deserialize)]
    struct Filed {
        repopath: Option<RelativePath>,
        path: Option<RelativePath>,
        pkgsize: u64,
        sum: Sum,
    }
    let Filed { repopath, path, pkgsize: size, sum } = serde_json::from_str(json).ok()?;
    Some(PackageFile { path: repopath.or(path)?, size, sum })
}
