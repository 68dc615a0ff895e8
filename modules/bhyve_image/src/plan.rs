// SPDX-License-Identifier: GPL-3.0-or-later

//! What has to be done, decided from what was found.

use ansible_module::Diff;
use anyhow::{Context, Result};
use image_catalog::catalogue::Catalogue;
use image_catalog::name::ImageName;
use image_catalog::package::Package;

use crate::image::Image;
use crate::params::State;
use crate::store::{Record, Store, Stored};
use crate::vouched::Demand;

/// What is to be done.
#[derive(Debug, Default)]
pub struct Plan {
    /// Packages to fetch.
    pub fetch: Vec<Package>,
    /// Images to remove, by NAME-VERSION.
    pub remove: Vec<ImageName>,
    /// Images in the store that the catalogue vouches for once more, by NAME-VERSION.
    pub vouch: Vec<ImageName>,
    /// The images asked for, as they are or will be, in the order of the names.
    images: Vec<Image>,
    before: Vec<String>,
    after: Vec<String>,
}

/// What is asked for, and what was found.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The names asked for.
    pub names: &'a [ImageName],
    /// What is wanted of them.
    pub state: State,
    /// The store.
    pub store: &'a Store,
    /// What is in it.
    pub stored: &'a [Stored],
    /// Who has to have vouched for it.
    pub demand: &'a Demand,
    /// The catalogue, where one had to be read.
    pub catalogue: Option<&'a Catalogue>,
}

/// Whether the store alone cannot answer.
pub fn needs_catalogue(state: State, names: &[ImageName], stored: &[Stored], demand: &Demand) -> bool {
    match state {
        State::Absent => false,
        State::Latest => true,
        State::Present => names.iter().any(|name| verified(stored, name, demand).is_none()),
    }
}

/// Decides.
///
/// # Errors
/// Where the catalogue has no such image.
pub fn plan(situation: Situation<'_>) -> Result<Plan> {
    let mut plan = Plan::default();
    for name in situation.names {
        match situation.state {
            State::Absent => plan.remove(situation.stored, name),
            State::Present => match verified(situation.stored, name, situation.demand) {
                Some(image) => plan.keep(image),
                None => match confirmed(situation, name)? {
                    Some(stored) => plan.keep_again(stored),
                    None => plan.take(situation, name)?,
                },
            },
            State::Latest => plan.take(situation, name)?,
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
    fn keep_again(&mut self, (name, record): (&ImageName, &Record)) {
        self.keep(&record.image);
        self.vouch.push(name.clone());
    }

    /// Keeps the catalogue's image where the store has the very same, and fetches it otherwise.
    fn take(&mut self, situation: Situation<'_>, name: &ImageName) -> Result<()> {
        let catalogue = situation.catalogue.context("looking for an image: no catalogue was read")?;
        let package = catalogue.find(name)?;
        let full: ImageName = package.id.to_string().parse()?;
        let stored = situation.stored.iter().find(|stored| stored.name == full);
        match stored.and_then(|stored| stored.record.as_ref()) {
            Some(record) if record.sum == package.sum => {
                match situation.demand.is_met_by(record.vouched.as_ref()) {
                    true => self.keep(&record.image),
                    false => self.keep_again((&full, record)),
                }
            }
            old => {
                let image = Image { path: Some(situation.store.package(&full)), ..Image::from(package) };
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

/// The verified image called so that the right one has vouched for.
fn verified<'a>(stored: &'a [Stored], name: &ImageName, demand: &Demand) -> Option<&'a Image> {
    let found = best(stored, name, |record| demand.is_met_by(record.vouched.as_ref()));
    found.map(|(_, record)| &record.image)
}

/// The verified image called so that the catalogue lists as the very same package, be there a newer one or not.
fn confirmed<'a>(situation: Situation<'a>, name: &ImageName) -> Result<Option<(&'a ImageName, &'a Record)>> {
    let catalogue = situation.catalogue.context("looking for an image: no catalogue was read")?;
    Ok(best(situation.stored, name, |record| {
        let full = record.image.full_name();
        catalogue.images.iter().any(|package| package.sum == record.sum && package.id.to_string() == full)
    }))
}

/// Of the verified images called so and `good`, the very NAME-VERSION, or else the newest of a NAME.
fn best<'a>(
    stored: &'a [Stored],
    name: &ImageName,
    good: impl Fn(&Record) -> bool,
) -> Option<(&'a ImageName, &'a Record)> {
    let records = || {
        let records = stored.iter().filter_map(|stored| Some((stored, stored.record.as_ref()?)));
        records.filter(|(stored, record)| stored.answers_to(name) && good(record))
    };
    let exact = records().find(|(stored, _)| stored.name == *name);
    let newest = || {
        let versions =
            records().filter_map(|(stored, record)| Some((stored.id()?.version, (stored, record))));
        versions.max_by(|(a, _), (b, _)| a.compare(b)).map(|(_, found)| found)
    };
    exact.or_else(newest).map(|(stored, record)| (&stored.name, record))
}

fn line(image: &Image) -> String {
    format!("{} guid {} ({} bytes)\n", image.full_name(), image.guid, image.size)
}
