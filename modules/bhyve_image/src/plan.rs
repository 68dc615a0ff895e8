// SPDX-License-Identifier: GPL-3.0-or-later

//! What has to be done, decided from what was found.

use ansible_module::Diff;
use anyhow::{Context, Result};
use image_catalog::name::ImageName;
use image_catalog::package::Package;

use crate::image::Image;
use crate::observe::Observed;
use crate::params::{Names, State};
use crate::stored::{Standing, Stored, Verified, standing};

/// What is to be done.
#[derive(Debug, Default)]
pub struct Plan {
    pub fetch: Vec<Package>,
    /// Images to remove, by NAME-VERSION.
    pub remove: Vec<ImageName>,
    /// Images in the store that the catalogue vouches for once more, by NAME-VERSION.
    pub vouch: Vec<ImageName>,
    /// The images asked for, as they are or will be, in the order of the names.
    images: Vec<Image>,
    /// What the user should know of them.
    pub remarks: Vec<String>,
    before: Vec<String>,
    after: Vec<String>,
}

/// Decides.
///
/// # Errors
/// Where the catalogue has no such image.
pub fn plan(names: &Names, observed: &Observed) -> Result<Plan> {
    let mut plan = Plan::default();
    for name in &names.0 {
        match observed.state {
            State::Absent => plan.remove(&observed.stored, name),
            State::Present => {
                match standing(&observed.stored, name, &observed.demand, observed.catalogue()) {
                    Some(Standing::Vouched(found)) => plan.keep(&found.record.image),
                    Some(Standing::Listed(found)) => plan.keep_again(found),
                    None => plan.take(observed, name)?,
                }
            }
            State::Latest => plan.take(observed, name)?,
        }
    }
    Ok(plan)
}

impl Plan {
    /// Whether there is anything to do.
    pub fn changed(&self) -> bool {
        !(self.fetch.is_empty() && self.remove.is_empty())
    }

    /// The images asked for, in the order of the names; of those that were fetched all is known.
    pub fn images<'a>(&'a self, fetched: &'a [Image]) -> Vec<&'a Image> {
        let known = |image: &'a Image| fetched.iter().find(|other| other.full_name() == image.full_name());
        self.images.iter().map(|image| known(image).unwrap_or(image)).collect()
    }

    /// The difference it makes to the store.
    pub fn diff(&self) -> Diff {
        let text = |lines: &[String]| {
            let mut lines = lines.to_vec();
            lines.sort_unstable();
            lines.concat()
        };
        Diff {
            before: text(&self.before),
            after: text(&self.after),
            header: "images in the store".to_owned(),
        }
    }

    /// Every image that will be written, sorted: the order in which to lock them.
    pub fn touched(&self) -> Result<Vec<ImageName>> {
        let fetched = self.fetch.iter().map(|package| package.id.to_string().parse());
        let mut touched = fetched.collect::<Result<Vec<_>>>()?;
        touched.extend(self.remove.iter().chain(&self.vouch).cloned());
        touched.sort_unstable();
        Ok(touched)
    }

    fn keep(&mut self, image: &Image) {
        let line = line(image);
        if !self.before.contains(&line) {
            self.before.push(line.clone());
            self.after.push(line);
        }
        self.images.push(image.clone());
    }

    /// Keeps what the catalogue vouches for once more.
    fn keep_again(&mut self, verified: Verified<'_>) {
        self.keep(&verified.record.image);
        self.vouch.push(verified.name.clone());
    }

    /// Keeps the catalogue's image where the store has the very same, and fetches it otherwise.
    fn take(&mut self, observed: &Observed, name: &ImageName) -> Result<()> {
        let catalogue = observed.catalogue().context("looking for an image: no catalogue was read")?;
        let package = catalogue.find(name)?;
        self.remarks.extend(catalogue.remark(name, &package.id));
        let full: ImageName = package.id.to_string().parse()?;
        let stored = observed.stored.iter().find(|stored| stored.name == full);
        match stored.and_then(|stored| stored.record.as_ref()) {
            Some(record) if record.sum == package.sum => {
                match observed.demand.is_met_by(record.vouched.as_ref()) {
                    true => self.keep(&record.image),
                    false => self.keep_again(Verified { name: &full, record }),
                }
            }
            old => {
                let image = Image { path: Some(observed.store.package(&full)), ..Image::from(package) };
                if !self.fetch.iter().any(|other| other.id == package.id) {
                    self.before.extend(old.map(|record| line(&record.image)));
                    self.after.push(line(&image));
                    self.fetch.push(package.clone());
                }
                self.images.push(image);
            }
        }
        Ok(())
    }

    /// Removes the very NAME-VERSION, or else every version of a NAME.
    fn remove(&mut self, stored: &[Stored], name: &ImageName) {
        let exact = stored.iter().any(|stored| stored.name == *name);
        for found in
            stored.iter().filter(|stored| if exact { stored.name == *name } else { stored.answers_to(name) })
        {
            if !self.remove.contains(&found.name) {
                self.remove.push(found.name.clone());
                self.before.push(match &found.record {
                    Some(record) => line(&record.image),
                    None => format!("{} unverified\n", found.name),
                });
            }
        }
    }
}

fn line(image: &Image) -> String {
    format!("{} guid {} ({} bytes)\n", image.full_name(), image.guid, image.size)
}
