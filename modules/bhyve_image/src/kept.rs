// SPDX-License-Identifier: GPL-3.0-or-later

//! The image that a guest was made from. It need not be in the store any more, nor in the catalogue: what is still known of it is
//! told, and whether there is a newer one.

use std::path::{Path, PathBuf};

use ansible_module::{Reply, Task};
use anyhow::{Result, bail};
use image_catalog::arch::Arch;
use image_catalog::name::{ImageId, ImageName};
use image_catalog::package::Package;
use serde_json::{Value, json};
use zfs_command::Guid;
use zfs_receive::MadeFrom;

use crate::access::Access;
use crate::image::Image;
use crate::observe::Offer;
use crate::params::Params;
use crate::repository::Repository;
use crate::store::Store;

/// A store and a catalogue, looked at once for all guests that name them.
pub struct Kept {
    store: PathBuf,
    access: Option<Vec<Access>>,
    images: Option<Vec<Image>>,
    packages: Option<Vec<Package>>,
}

impl Kept {
    /// Neither has been looked at yet.
    pub fn of(store: PathBuf, access: Option<Vec<Access>>) -> Self {
        Kept { store, access, images: None, packages: None }
    }

    /// The image of a guest, if it answers to the name that the guest asks for.
    ///
    /// # Errors
    /// Where the guest has another image, or the store cannot be read.
    pub fn reply(&mut self, params: &Params, made_from: &MadeFrom, task: &mut Task) -> Result<Reply> {
        let asked = params.one_name()?;
        let store = Store::new(self.store.clone())?;
        let mut images: Vec<Image> = self.images(&store, task)?.to_vec();
        images.retain(|image| image.guid == made_from.guid);
        // The same image may be called differently by others.
        let mut ids: Vec<ImageId> =
            golden_id(made_from).into_iter().chain(images.iter().filter_map(id_of)).collect();
        let packages = match ids.iter().any(|id| id.is_exactly(asked)) {
            true => &[],
            // It may know the image by this name, or a newer one.
            false => self.packages(&store, task),
        };
        let same = packages.iter().filter(|package| Guid(package.facts.guid) == made_from.guid);
        ids.extend(same.clone().map(|package| package.id.clone()));
        let id =
            ids.iter().find(|id| id.is_exactly(asked)).or_else(|| ids.iter().find(|id| id.answers_to(asked)));
        if let (None, Some(id)) = (id, ids.first()) {
            bail!(
                "the guest's volume was made from image {id}, expected {asked}: write `image: {id}` to keep it, or remove the guest to \
                 make it anew"
            );
        }
        let path = store.package(&package_name(id, asked, made_from));
        let details = images.into_iter().next().or_else(|| same.clone().next().map(Image::from));
        let image =
            details.map_or_else(|| trace(id, &path, made_from), |image| json!(called(image, id, &path)));
        Ok(told(image, id.and_then(|id| newer(id, asked, packages))))
    }

    /// The verified images in the store.
    fn images(&mut self, store: &Store, task: &mut Task) -> Result<&[Image]> {
        if self.images.is_none() {
            let stored = task.phase("observe", |_| store.look())?;
            self.images = Some(stored.into_iter().filter_map(|stored| Some(stored.record?.image)).collect());
        }
        Ok(self.images.as_deref().unwrap_or_default())
    }

    /// What the catalogue lists, where there is one that can be read: a guest that runs does not depend on it.
    fn packages(&mut self, store: &Store, task: &mut Task) -> &[Package] {
        let access = self.access.clone();
        self.packages.get_or_insert_with(|| {
            let Some(access) = access else { return Vec::new() };
            let read =
                task.phase("catalogue", |task| Offer::read(Repository::new(access)?, store, false, task));
            read.map(|offer| offer.catalogue.images).unwrap_or_else(|error| {
                task.warn(format!("whether there is a newer image cannot be told: {error:#}"));
                Vec::new()
            })
        })
    }
}

fn told(image: Value, newer: Option<String>) -> Reply {
    Reply::new(false).with("image", image).with("newer", newer)
}

fn id_of(image: &Image) -> Option<ImageId> {
    ImageId::new(&image.name, &image.version).ok()
}

/// The image that the golden volume of a clone is called by; one that was put aside is called so no more, but was.
fn golden_id(made_from: &MadeFrom) -> Option<ImageId> {
    made_from.golden.as_ref()?.split(".old-").next()?.parse::<ImageName>().ok()?.split()
}

/// What the package is called in the store, and so the golden volume: the one that a clone has is the one to be content with.
fn package_name(id: Option<&ImageId>, asked: &ImageName, made_from: &MadeFrom) -> ImageName {
    let golden = made_from.golden.as_ref().and_then(|golden| golden.parse().ok());
    golden.or_else(|| id?.to_string().parse().ok()).unwrap_or_else(|| asked.clone())
}

/// An image by the name that its guest knows it by.
fn called(image: Image, id: Option<&ImageId>, path: &Path) -> Image {
    let image = Image { path: Some(path.to_owned()), ..image };
    match id {
        Some(id) => Image { name: id.name.to_string(), version: id.version.to_string(), ..image },
        None => image,
    }
}

/// The newest version of the name that was asked for, where the guest has an older one.
fn newer(id: &ImageId, asked: &ImageName, packages: &[Package]) -> Option<String> {
    let ours = packages.iter().filter(|package| Arch::suits_host(package.facts.arch));
    let others = ours.map(|package| &package.id).filter(|other| other.name == *asked && id.name == *asked);
    let newest = others.max_by(|a, b| a.version.compare(&b.version))?;
    newest.version.compare(&id.version).is_gt().then(|| newest.version.to_string())
}

/// What is known of an image that is neither in the store nor in the catalogue; `path` is where its package would be.
fn trace(id: Option<&ImageId>, path: &Path, made_from: &MadeFrom) -> Value {
    json!({
        "name": id.map(|id| id.name.as_str()),
        "version": id.map(|id| id.version.as_str()),
        "path": path,
        "guid": made_from.guid,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_volumes_tell_the_image_also_when_they_were_put_aside() {
        let asked: ImageName = "demo".parse().unwrap();
        let cases = [
            (Some("demo-20260101"), Some("demo-20260101"), "demo-20260101"),
            (
                Some("demo-20260101.old-20261122T181500Z"),
                Some("demo-20260101"),
                "demo-20260101.old-20261122T181500Z",
            ),
            (Some("by hand"), None, "demo"),
            (None, None, "demo"),
        ];
        for (golden, id, package) in cases {
            let made_from = MadeFrom { guid: Guid(7), golden: golden.map(str::to_owned) };
            let found = golden_id(&made_from);
            assert_eq!(found.as_ref().map(ToString::to_string).as_deref(), id);
            assert_eq!(package_name(found.as_ref(), &asked, &made_from).as_str(), package);
        }
    }
}
