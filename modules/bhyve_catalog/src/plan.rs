// SPDX-License-Identifier: GPL-3.0-or-later

//! Decides what to publish and what to withdraw.

use anyhow::{Context, Result, bail, ensure};
use image_catalog::catalogue_write::package_path;
use image_catalog::manifest::Manifest;
use image_catalog::name::ImageId;
use image_catalog::package::Package;
use image_catalog::signs::is_package;

use crate::changes::Plan;
use crate::manifest::manifest;
use crate::observe::Observed;
use crate::params::{Params, Wanted};
use crate::prune::{self, dependents_of};

/// Compares what is wanted with what is there.
pub fn plan(params: &Params, wanted: &Wanted, observed: &Observed) -> Result<Plan> {
    let images = observed.catalogue.as_ref().map_or(&[][..], |catalogue| &catalogue.images);
    let mut plan = match (wanted, &observed.source) {
        (Wanted::Present { id, labels, .. }, Some(seen)) => {
            refuse_unlisted(id, observed)?;
            refuse_other(id, observed)?;
            let manifest = manifest(params, id, seen, labels)?;
            plan_image(id, manifest, images)?
        }
        (Wanted::Present { id, .. }, None) => {
            refuse_unlisted(id, observed)?;
            refuse_other(id, observed)?;
            let source = params.captured_from().context("planning without having looked at the source")?;
            Plan::announcing(id, &source)
        }
        (Wanted::Absent(id), _) => plan_withdrawal(id, images, observed)?,
        (Wanted::Pruned(keep), _) => prune::plan(keep, images, observed),
    };
    if let (Some(reason), Some(_)) = (&observed.stale, &observed.catalogue) {
        plan.rewrite(reason);
    }
    Ok(plan)
}

fn plan_image(id: &ImageId, manifest: Manifest, images: &[Package]) -> Result<Plan> {
    let Some(listed) = images.iter().find(|image| image.id == *id) else {
        refuse_same_guid(id, &manifest, images)?;
        return Ok(Plan::publishing(id, manifest));
    };
    let (found, wanted) = (&listed.manifest.annotations, &manifest.annotations);
    let advice =
        "a published image never changes: choose another version, or withdraw it first with state=absent";
    let differs = |key: &str| found.get(key) != wanted.get(key);
    ensure!(
        !differs("image_guid"),
        "image {id} is in the catalogue with other content (guid {}, this source has {}); {advice}",
        text(found.get("image_guid")),
        text(wanted.get("image_guid"))
    );
    let mut keys: Vec<_> = found.keys().chain(wanted.keys()).filter(|key| differs(key)).collect();
    // How it is packed, and came, makes no other image.
    keys.retain(|key| !["image_compression", "image_source"].contains(&key.as_str()));
    if let Some(key) = keys.first() {
        bail!(
            "image {id} is in the catalogue with {key} {}, this run has {}; {advice}",
            text(found.get(*key)),
            text(wanted.get(*key))
        );
    }
    Ok(Plan::default())
}

/// Packages without any list: a list of this image alone would forget them. One's own may be left by a run that was killed.
fn refuse_unlisted(id: &ImageId, observed: &Observed) -> Result<()> {
    let own = package_path(id);
    let is_other = |path: &&String| path.as_str() != own.as_str() && is_package(path);
    let others: Vec<_> = observed.packages.keys().filter(is_other).collect();
    match others.first() {
        Some(first) if observed.catalogue.is_none() => bail!(
            "the catalogue has no list, but {first}{} is there: publish it first, withdraw it with state=absent, \
             restore the lists, or take it away",
            if others.len() > 1 { format!(" and {} more", others.len() - 1) } else { String::new() }
        ),
        _ => Ok(()),
    }
}

/// A package of the same name that is no image: two of one name could not be told apart.
fn refuse_other(id: &ImageId, observed: &Observed) -> Result<()> {
    let others = observed.catalogue.as_ref().map_or(&[][..], |catalogue| &catalogue.others);
    match others.iter().find(|other| other.name == id.to_string()) {
        Some(other) if !observed.lists(id) => bail!(
            "the catalogue has a package {id} that is not an image ({}): choose another name or version",
            other.reason
        ),
        _ => Ok(()),
    }
}

/// Two images of one guid could not be told apart on a host.
fn refuse_same_guid(id: &ImageId, manifest: &Manifest, images: &[Package]) -> Result<()> {
    let guid = manifest.annotations.get("image_guid");
    let same = images.iter().find(|image| image.manifest.annotations.get("image_guid") == guid);
    match same {
        Some(same) => bail!(
            "image {id} would have guid {}, which is that of {}: they are the same snapshot",
            text(guid),
            same.id
        ),
        None => Ok(()),
    }
}

fn plan_withdrawal(id: &ImageId, images: &[Package], observed: &Observed) -> Result<Plan> {
    let dependents = dependents_of(id, images);
    ensure!(
        dependents.is_empty(),
        "image {id} cannot be withdrawn: {} built on it; withdraw {} first",
        match &dependents[..] {
            [one] => format!("{one} is"),
            all => format!("{} are", join(all)),
        },
        if dependents.len() == 1 { "that" } else { "those" }
    );
    let mut plan = Plan::default();
    match images.iter().find(|image| image.id == *id) {
        Some(listed) => plan.withdraw(listed),
        // A run that was killed after writing the list has left the file.
        None if observed.has_package_of(id) => plan.remove_file(package_path(id).as_str()),
        None => {}
    }
    Ok(plan)
}

/// Names in a row.
fn join(ids: &[&ImageId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn text(value: Option<&String>) -> &str {
    value.map_or("nothing", String::as_str)
}
