// SPDX-License-Identifier: GPL-3.0-or-later

//! What will hurt later, said to the publisher now.

use image_catalog::manifest::Manifest;
use image_catalog::name::{ImageId, ImageName};

use crate::changes::{Plan, Publication};
use crate::observe::Observed;

/// Blocks below this cost receivers space and time for their bookkeeping.
const SMALL_BLOCK: u64 = 16 << 10;
/// `zvol/POOL/images/NAME-VERSION` must stay within the 63 characters that older device systems take.
const LONG_NAME: usize = 44;

/// Warnings about the image that is about to be published.
pub fn warnings(plan: &Plan, observed: &Observed) -> Vec<String> {
    let (Some(Publication { id, manifest }), Some(seen)) = (&plan.publish, &observed.source) else {
        return Vec::new();
    };
    let mut warnings = seen.remarks.clone();
    let mut warn = |applies: bool, text: String| {
        if applies {
            warnings.push(text);
        }
    };
    warn(
        seen.volblocksize < SMALL_BLOCK,
        format!(
            "image {id} has a volume block size of {}: every guest's disk inherits it, and small blocks waste space \
             and time; 64K is a good choice",
            seen.volblocksize
        ),
    );
    let missing: Vec<_> = ["image_os", "image_min_memory", "image_loader"]
        .into_iter()
        .filter(|key| !manifest.annotations.contains_key(*key))
        .collect();
    warn(
        !missing.is_empty(),
        format!(
            "image {id} has no annotation {}: set os and requirements, so that hosts can tell whether they can run it",
            missing.join(" and ")
        ),
    );
    warn(
        long_name(id),
        format!(
            "image {id} has a name of {} characters: the device of its volume may get too long a name",
            id.to_string().len()
        ),
    );
    warnings.extend(newer_parent(id, manifest, observed));
    warnings
}

/// What was mended in the parent since is not in an image that builds on the old one.
fn newer_parent(id: &ImageId, manifest: &Manifest, observed: &Observed) -> Option<String> {
    let parent = ImageName::try_from(manifest.annotations.get("image_parent")?.clone()).ok()?.split()?;
    let images = observed.catalogue.iter().flat_map(|catalogue| &catalogue.images);
    let versions = images.map(|image| &image.id).filter(|other| other.name == parent.name && *other != id);
    let newest = versions.max_by(|a, b| a.version.compare(&b.version))?;
    newest.version.compare(&parent.version).is_gt().then(|| {
        format!("image {id} builds on {parent}, of which the catalogue has a newer version, {newest}: what was mended there is not in it")
    })
}

fn long_name(id: &ImageId) -> bool {
    id.to_string().len() > LONG_NAME
}
