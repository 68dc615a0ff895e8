// SPDX-License-Identifier: GPL-3.0-or-later

//! Lists what a catalogue offers, what the store holds, and what golden volumes there are.

use ansible_module::{Reply, Task};
use anyhow::Result;
use image_catalog::catalogue::Catalogue;
use image_catalog::name::{ImageId, ImageName};
use serde::Serialize;

use crate::golden::golden;
use crate::image::Image;
use crate::memory::{Edition, Memories};
use crate::params::{InfoParams, Names};
use crate::repository::Repository;
use crate::store::Store;
use crate::stored::{Record, Stored};

/// A package of a catalogue that is not an image.
#[derive(Serialize)]
struct Unusable<'a> {
    name: &'a str,
    reason: &'a str,
}

/// Module `bhyve_image_info`.
///
/// # Errors
/// Where the store cannot be read, the catalogue cannot be reached or believed, or zfs fails.
pub fn info(params: InfoParams, task: &mut Task) -> Result<Reply> {
    let store = Store::new(params.store.clone())?;
    let stored = task.phase("store", |_| store.look())?;
    let mut reply = Reply::new(false)
        .with(
            "store",
            listed(
                stored.iter().filter_map(|stored| Some(stored.record.as_ref()?.image.clone())),
                &params.name,
            ),
        )
        .with("unverified", unverified(&stored));
    if let Some(access) = params.access() {
        let mut repository = Repository::new(access)?;
        let memories = Memories::load(store.folder(), repository.locations())?;
        let catalogue = task.phase("catalogue", |_| repository.anywhere(Repository::catalogue))?;
        repository.remarks().into_iter().for_each(|remark| task.warn(remark));
        if let Err(error) = memories.judge(&Edition::from(&catalogue)) {
            task.warn(format!("{error:#}"));
        }
        reply = reply
            .with("catalogue", listed(offered(&catalogue, &stored), &params.name))
            .with("unusable", unusable(&catalogue));
    }
    if let Some(dataset) = &params.golden {
        reply = reply.with("golden", task.phase("golden", |_| golden(dataset))?);
    }
    Ok(reply)
}

/// The images of a catalogue, with the path of those that the store has.
fn offered<'a>(catalogue: &'a Catalogue, stored: &'a [Stored]) -> impl Iterator<Item = Image> + 'a {
    catalogue.images.iter().map(|package| {
        let same = stored
            .iter()
            .filter_map(|stored| stored.record.as_ref())
            .find(|record| record.sum == package.sum && record.image.full_name() == package.id.to_string());
        // A record of long ago says less of an image than the catalogue does.
        let Some(Record { image: Image { path, sha256, .. }, .. }) = same else {
            return Image::from(package);
        };
        Image { path: path.clone(), sha256: sha256.clone(), ..Image::from(package) }
    })
}

/// The images asked for, by name and version.
fn listed(images: impl Iterator<Item = Image>, wanted: &Option<Names>) -> Vec<Image> {
    let wanted = wanted.as_ref().map(|names| names.0.as_slice());
    let mut found: Vec<(ImageId, Image)> = images
        .filter_map(|image| Some((ImageId::new(&image.name, &image.version).ok()?, image)))
        .filter(|(id, _)| wanted.is_none_or(|names| names.iter().any(|name| id.answers_to(name))))
        .collect();
    found.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name).then_with(|| a.version.compare(&b.version)));
    found.into_iter().map(|(_, image)| image).collect()
}

fn unverified(stored: &[Stored]) -> Vec<&ImageName> {
    stored.iter().filter(|stored| stored.record.is_none()).map(|stored| &stored.name).collect()
}

fn unusable(catalogue: &Catalogue) -> Vec<Unusable<'_>> {
    catalogue.others.iter().map(|other| Unusable { name: &other.name, reason: &other.reason }).collect()
}
