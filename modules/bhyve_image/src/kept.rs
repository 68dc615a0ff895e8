// SPDX-License-Identifier: GPL-3.0-or-later

//! The image that a guest was made from. It need not be in the store any more, nor in the catalogue: what is still known of it is
//! told, and whether there is a newer one.

use ansible_module::{Reply, Task};
use anyhow::{Result, bail};
use image_catalog::name::{ImageId, ImageName};
use image_catalog::package::Package;
use serde_json::{Value, json};
use zfs_command::Guid;
use zfs_receive::MadeFrom;

use crate::image::Image;
use crate::observe::Offer;
use crate::params::Params;
use crate::repository::Repository;
use crate::store::Store;

/// A store and a catalogue, looked at once for all guests that name them.
pub struct Kept {
    params: Params,
    images: Option<Vec<Image>>,
    packages: Option<Vec<Package>>,
}

impl Kept {
    /// For guests that ask as this one does.
    pub fn of(params: &Params) -> Self {
        Kept { params: params.clone(), images: None, packages: None }
    }

    /// Whether a guest means the same store and the same catalogue.
    pub fn is_meant_by(&self, params: &Params) -> bool {
        let Params { name, dataset, path, .. } = self.params.clone();
        Params { name, dataset, path, ..params.clone() } == self.params
    }

    /// The image of a guest, if it answers to the name that the guest asks for.
    ///
    /// # Errors
    /// Where the guest has another image, or the store cannot be read.
    pub fn reply(&mut self, params: &Params, made_from: &MadeFrom, task: &mut Task) -> Result<Reply> {
        let asked = params.one_name()?;
        let store = Store::new(self.params.store.clone())?;
        let stored = self.images(&store, task)?.iter().find(|image| image.guid == made_from.guid).cloned();
        let id = stored.as_ref().and_then(id_of).or_else(|| golden_id(made_from));
        if id.as_ref().is_some_and(|id| id.is_exactly(asked)) {
            return Ok(told(
                stored.map_or_else(|| trace(id.as_ref(), asked, made_from, &store), |image| json!(image)),
                None,
            ));
        }
        // It may know the image by this name, or a newer one.
        let packages = self.packages(&store, task);
        let of_guid = |package: &&Package| Guid(package.facts.guid) == made_from.guid;
        let package = packages.iter().filter(of_guid).max_by_key(|package| package.id.answers_to(asked));
        let id = id.or_else(|| package.map(|package| package.id.clone()));
        let is_asked_for = |id: &ImageId| id.answers_to(asked);
        if let Some(id) = id.as_ref().filter(|id| !is_asked_for(id))
            && !package.is_some_and(|package| is_asked_for(&package.id))
        {
            bail!(
                "the guest's volume was made from image {id}, expected {asked}: write `image: {id}` to keep it, or remove the guest to \
                 make it anew"
            );
        }
        let image = match (stored, package) {
            (Some(image), _) => json!(image),
            (None, Some(package)) => {
                let path = package.id.to_string().parse().ok().map(|name| store.package(&name));
                json!(Image { path, ..Image::from(package) })
            }
            (None, None) => trace(id.as_ref(), asked, made_from, &store),
        };
        Ok(told(image, id.and_then(|id| newer(&id, asked, packages))))
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
        let access = self.params.access();
        self.packages.get_or_insert_with(|| {
            let Some(access) = access else { return Vec::new() };
            let read = task.phase("catalogue", |_| Offer::read(Repository::new(access)?, store));
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

fn golden_id(made_from: &MadeFrom) -> Option<ImageId> {
    made_from.golden.as_ref()?.parse::<ImageName>().ok()?.split()
}

/// The newest version of the name that was asked for, where the guest has an older one.
fn newer(id: &ImageId, asked: &ImageName, packages: &[Package]) -> Option<String> {
    let others =
        packages.iter().map(|package| &package.id).filter(|other| other.name == *asked && id.name == *asked);
    let newest = others.max_by(|a, b| a.version.compare(&b.version))?;
    newest.version.compare(&id.version).is_gt().then(|| newest.version.to_string())
}

/// What is known of an image that is neither in the store nor in the catalogue; `path` is where its package would be.
fn trace(id: Option<&ImageId>, asked: &ImageName, made_from: &MadeFrom, store: &Store) -> Value {
    let called = id.and_then(|id| id.to_string().parse().ok());
    json!({
        "name": id.map(|id| id.name.as_str()),
        "version": id.map(|id| id.version.as_str()),
        "path": store.package(called.as_ref().unwrap_or(asked)),
        "guid": made_from.guid,
    })
}
