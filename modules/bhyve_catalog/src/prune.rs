// SPDX-License-Identifier: GPL-3.0-or-later

//! Which old versions go: all but the newest few of each image, unless they are young or something builds on them.

use std::collections::BTreeMap;

use image_catalog::name::{ImageId, ImageName};
use image_catalog::package::Package;

use crate::changes::Plan;
use crate::dates::{date_of, day};
use crate::observe::Observed;
use crate::params::Keep;

/// Plans a pruning as of the moment of the look.
pub fn plan(keep: &Keep, images: &[Package], observed: &Observed) -> Plan {
    let mut plan = Plan::default();
    let old = old_versions(keep, images, observed);
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
    plan
}

fn old_versions<'a>(keep: &Keep, images: &'a [Package], observed: &Observed) -> Vec<&'a Package> {
    let mut by_name: BTreeMap<&ImageName, Vec<&Package>> = BTreeMap::new();
    for image in images.iter().filter(|image| keep.name.as_ref().is_none_or(|name| image.id.name == *name)) {
        by_name.entry(&image.id.name).or_default().push(image);
    }
    let mut old = Vec::new();
    for versions in by_name.values_mut() {
        versions.sort_by(|a, b| b.id.version.compare(&a.id.version));
        let beyond = versions.iter().skip(keep.versions);
        let is_named = |image: &Package| keep.images.iter().any(|name| image.id.is_exactly(name));
        old.extend(beyond.filter(|image| !is_named(image) && is_older(image, keep.days, observed)));
    }
    old
}

/// The age is counted from the day in the version, or else from when the package was written.
fn is_older(image: &Package, days: Option<i64>, observed: &Observed) -> bool {
    let Some(days) = days else { return true };
    let written = observed.packages.get(image.path.as_str()).and_then(|seconds| day(*seconds));
    match (date_of(&image.id.version).or(written), day(observed.now)) {
        (Some(date), Some(today)) => (today - date).num_days() >= days,
        _ => false,
    }
}

/// The images that build on this one.
pub fn dependents_of<'a>(id: &ImageId, images: &'a [Package]) -> Vec<&'a ImageId> {
    let builds = |image: &&Package| image.facts.parent.as_ref().is_some_and(|parent| id.is_exactly(parent));
    images.iter().filter(builds).map(|image| &image.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dates::time_of;
    use image_catalog::catalogue::Catalogue;
    use image_catalog::meta::Meta;
    use image_catalog::signature::Trust;
    use std::fs::{self, File};

    /// An image of the fixtures, under another version.
    fn image(version: &str) -> Package {
        let folder = test_support::fixture("pkg-repos/unsigned");
        let [data, _] =
            Meta::parse(&fs::read(folder.join(Meta::path())).unwrap()).unwrap().sources().unwrap();
        let catalogue =
            Catalogue::read(File::open(folder.join(&data.path)).unwrap(), &data, &Trust::Anyone).unwrap();
        let any = catalogue.images.into_iter().next().unwrap();
        Package { id: ImageId::new("demo", version).unwrap(), ..any }
    }

    #[test]
    fn age_is_counted_to_the_moment_of_the_look() {
        let written = time_of(&image("20250515").id.version);
        let withdrawn = |version: &str, now: u64| {
            let images = [image("20990101"), image(version)];
            let observed = Observed {
                catalogue: None,
                stale: None,
                source: None,
                packages: BTreeMap::from([(images[1].path.to_string(), written)]),
                now,
            };
            let keep = Keep { name: None, versions: 1, days: Some(30), images: Vec::new() };
            plan(&keep, &images, &observed).withdraw.len()
        };
        let days = |days: u64| written + days * 24 * 3600;
        // By the day in the version, or else by the time of the file.
        for version in ["20250515", "1"] {
            assert_eq!((withdrawn(version, days(30) - 1), withdrawn(version, days(30))), (0, 1), "{version}");
        }
        assert_eq!(withdrawn("20250516", days(30)), 0);
    }
}
