// SPDX-License-Identifier: GPL-3.0-or-later

//! What will be different in the catalogue, and how a person is told.

use ansible_module::Diff;
use image_catalog::catalogue::Catalogue;
use image_catalog::manifest::Manifest;
use image_catalog::name::ImageId;
use image_catalog::package::Package;

use crate::params::Params;

#[derive(Debug, Default)]
pub struct Plan {
    /// The image whose package is to be written and listed.
    pub publish: Option<Publication>,
    /// An image that is still to come from another host.
    announced: Option<ImageId>,
    /// Images to take out of the list.
    pub withdraw: Vec<ImageId>,
    /// Package files to remove afterwards, by their path in the catalogue.
    pub remove: Vec<String>,
    /// Why the list is to be written even if it stays the same.
    pub rewrite: Option<String>,
    before: String,
    after: String,
}

/// An image to publish.
#[derive(Debug)]
pub struct Publication {
    /// Its name and version.
    pub id: ImageId,
    pub manifest: Manifest,
}

impl Plan {
    pub fn publishing(id: &ImageId, manifest: Manifest) -> Self {
        let after = describe(&manifest);
        Self { publish: Some(Publication { id: id.clone(), manifest }), after, ..Self::default() }
    }

    /// An image will be published of which nothing is known before it has come; for a check.
    pub fn announcing(id: &ImageId, source: &str) -> Self {
        let after = format!("image: {id}\nimage_captured_from: {source}\n");
        Self { announced: Some(id.clone()), after, ..Self::default() }
    }

    /// Writes the list again even if it stays the same.
    pub fn rewrite(&mut self, reason: &str) {
        self.before.push_str(&format!("catalogue: {reason}\n"));
        self.after.push_str("catalogue: written anew\n");
        self.rewrite = Some(reason.to_owned());
    }

    /// Takes an image out.
    pub fn withdraw(&mut self, image: &Package) {
        self.before.push_str(&describe(&image.manifest));
        self.withdraw.push(image.id.clone());
        self.remove.push(image.path.to_string());
    }

    /// Removes a package file that is in no list.
    pub fn remove_file(&mut self, path: &str) {
        self.before.push_str(&format!("file: {path}\n"));
        self.remove.push(path.to_owned());
    }

    /// Whether anything is to be written.
    pub fn changed(&self) -> bool {
        self.announced.is_some() || self.writes_list() || !self.remove.is_empty()
    }

    /// Whether the list is to be written.
    pub fn writes_list(&self) -> bool {
        self.publish.is_some() || !self.withdraw.is_empty() || self.rewrite.is_some()
    }

    /// The images before and after, as far as they differ.
    pub fn diff(&self, params: &Params) -> Diff {
        Diff {
            before: self.before.clone(),
            after: self.after.clone(),
            header: format!("catalogue {}", params.path.display()),
        }
    }

    /// The names that the catalogue has afterwards.
    pub fn images(&self, catalogue: Option<&Catalogue>) -> Vec<String> {
        let before = catalogue.map_or(&[][..], |catalogue| &catalogue.images);
        let stay = before.iter().map(|image| &image.id).filter(|id| !self.withdraw.contains(id));
        let mut names: Vec<_> = stay
            .chain(self.publish.as_ref().map(|publication| &publication.id))
            .chain(&self.announced)
            .map(ToString::to_string)
            .collect();
        names.sort();
        names
    }
}

/// An image in the words of a person.
fn describe(manifest: &Manifest) -> String {
    let mut text =
        format!("image: {}-{}\nstream_size: {}\n", manifest.name, manifest.version, manifest.flatsize);
    for (key, value) in &manifest.annotations {
        text.push_str(&format!("{key}: {value}\n"));
    }
    text
}
