// SPDX-License-Identifier: GPL-3.0-or-later

//! Which old versions go: all but the newest few of each image, unless they are young or something builds on them.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use image_catalog::name::{ImageId, ImageName};
use image_catalog::package::Package;

use crate::changes::Plan;
use crate::dates::{date_of, day};
use crate::observe::Observed;
use crate::params::Keep;

/// Plans a pruning as of now.
pub fn plan(keep: &Keep, images: &[Package], observed: &Observed) -> Result<Plan> {
    let today = SystemTime::now().duration_since(UNIX_EPOCH).context("reading the clock")?.as_secs();
    let mut plan = Plan::default();
    let old: Vec<_> = old_versions(keep, images, observed, today);
    // What builds on an image that stays must stay too, and so must what that builds on.
    let stays = |id: &ImageId| !old.iter().any(|image| image.id == *id);
    let mut going = old.clone();
    loop {
        let before = going.len();
        let names: Vec<_> = going.iter().map(|image| image.id.clone()).collect();
        going.retain(|image| {
            dependents_of(&image.id, images).iter().all(|id| names.contains(id) && !stays(id))
        });
        if going.len() == before {
            break;
        }
    }
    going.sort_by_key(|image| image.id.to_string());
    going.iter().for_each(|image| plan.withdraw(image));
    Ok(plan)
}

fn old_versions<'a>(keep: &Keep, images: &'a [Package], observed: &Observed, now: u64) -> Vec<&'a Package> {
    let mut by_name: BTreeMap<&ImageName, Vec<&Package>> = BTreeMap::new();
    for image in images.iter().filter(|image| keep.name.as_ref().is_none_or(|name| image.id.name == *name)) {
        by_name.entry(&image.id.name).or_default().push(image);
    }
    let mut old = Vec::new();
    for versions in by_name.values_mut() {
        versions.sort_by(|a, b| b.id.version.compare(&a.id.version));
        let beyond = versions.iter().skip(keep.versions);
        old.extend(beyond.filter(|image| is_older(image, keep.days, observed, now)));
    }
    old
}

/// The age is counted from the day in the version, or else from when the package was written.
fn is_older(image: &Package, days: Option<i64>, observed: &Observed, now: u64) -> bool {
    let Some(days) = days else { return true };
    let written = observed.packages.get(image.path.as_str()).and_then(|seconds| day(*seconds));
    match (date_of(&image.id.version).or(written), day(now)) {
        (Some(date), Some(today)) => (today - date).num_days() >= days,
        _ => false,
    }
}

/// The images that build on this one.
pub fn dependents_of<'a>(id: &ImageId, images: &'a [Package]) -> Vec<&'a ImageId> {
    let builds = |image: &&Package| image.facts.parent.as_ref().is_some_and(|parent| id.is_exactly(parent));
    images.iter().filter(builds).map(|image| &image.id).collect()
}
