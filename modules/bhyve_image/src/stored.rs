// SPDX-License-Identifier: GPL-3.0-or-later

//! What a store holds: packages, what is known of them, and which of them a name means.

use image_catalog::arch::Arch;
use image_catalog::catalogue::Catalogue;
use image_catalog::digest::Sum;
use image_catalog::name::{ImageId, ImageName};
use serde::{Deserialize, Serialize};

use crate::file_identity::FileIdentity;
use crate::image::Image;
use crate::vouched::{Demand, Vouched};

/// A package file in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// NAME-VERSION.
    pub name: ImageName,
    /// What is known of it, if it is the file that was verified.
    pub record: Option<Record>,
}

/// What is known of a verified package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub image: Image,
    /// Checksum of the package as its catalogue had it.
    pub sum: Sum,
    /// The file that was verified.
    pub file: FileIdentity,
    /// Who vouched for it; records of before this was kept do not say.
    #[serde(default)]
    pub vouched: Option<Vouched>,
}

impl Stored {
    /// Whether `wanted` means this image.
    pub fn answers_to(&self, wanted: &ImageName) -> bool {
        self.name == *wanted || self.id().is_some_and(|id| id.name == *wanted)
    }

    /// Name and version; for a file without a record they are guessed.
    pub fn id(&self) -> Option<ImageId> {
        match &self.record {
            Some(record) => ImageId::new(&record.image.name, &record.image.version).ok(),
            None => self.name.split(),
        }
    }
}

/// A verified image in the store.
pub struct Verified<'a> {
    /// Its NAME-VERSION.
    pub name: &'a ImageName,
    /// What is known of it.
    pub record: &'a Record,
}

/// An image in the store that will do.
pub enum Standing<'a> {
    /// The right one has vouched for it.
    Vouched(Verified<'a>),
    /// The catalogue lists the very same package, be there a newer one or not: it can vouch for it once more.
    Listed(Verified<'a>),
}

/// The verified image called so that will do: one that is vouched for as demanded, or else one that the catalogue lists.
pub fn standing<'a>(
    stored: &'a [Stored],
    name: &ImageName,
    demand: &Demand,
    catalogue: Option<&Catalogue>,
) -> Option<Standing<'a>> {
    let vouched = best(stored, name, |record| demand.is_met_by(record.vouched.as_ref()));
    let listed = || {
        let packages = &catalogue?.images;
        best(stored, name, |record| {
            let full = record.image.full_name();
            packages.iter().any(|package| package.sum == record.sum && package.id.to_string() == full)
        })
    };
    vouched.map(Standing::Vouched).or_else(|| listed().map(Standing::Listed))
}

/// Of the verified images called so and `good`, the very NAME-VERSION, or else the newest of a NAME.
fn best<'a>(stored: &'a [Stored], name: &ImageName, good: impl Fn(&Record) -> bool) -> Option<Verified<'a>> {
    let records = || {
        let records = stored.iter().filter_map(|stored| Some((stored, stored.record.as_ref()?)));
        records.filter(|(stored, record)| {
            stored.answers_to(name) && Arch::suits_host(record.image.arch) && good(record)
        })
    };
    let exact = records().find(|(stored, _)| stored.name == *name);
    let newest = || {
        let versions =
            records().filter_map(|(stored, record)| Some((stored.id()?.version, (stored, record))));
        versions.max_by(|(a, _), (b, _)| a.compare(b)).map(|(_, found)| found)
    };
    exact.or_else(newest).map(|(stored, record)| Verified { name: &stored.name, record })
}
