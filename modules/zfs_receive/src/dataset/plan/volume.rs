// SPDX-License-Identifier: GPL-3.0-or-later

//! What it takes for one volume to be there: a clone, a copy, or changes to the one that is there.

use ansible_module::Size;
use anyhow::{Result, ensure};
use zfs_command::Row;

use super::present::put_aside;
use super::{Device, NewClone, NewVolume, Plan, Step, volume};
use crate::cut;
use crate::dataset::describe;
use crate::dataset::observe::Observed;
use crate::dataset::request::{Present, volmode_of};
use crate::job::Wanted;
use crate::properties::{Properties, satisfied};

pub(super) fn plan_volume(
    wanted: &Wanted,
    request: &Present,
    observed: &Observed,
    plan: &mut Plan,
) -> Result<()> {
    if let (Some(volsize), Some(image)) = (wanted.volsize, plan.image_size) {
        check_size(volsize, image, plan.volblocksize)?;
    }
    let found = volume(&wanted.name, observed)?;
    plan.before += &describe::found(&wanted.name, found, wanted, observed);
    let of_the_image = found.filter(|found| observed.snapshot_of(found, request.image.guid).is_some());
    if let Some(found) = of_the_image {
        adjust(wanted, found, request.volmode, observed, plan)?;
        plan.after += &describe::adjusted(wanted, found, request, observed);
        return Ok(());
    }
    if found.is_none() {
        cut::refuse(wanted.name.as_str(), &observed.beside)?;
    }
    let kept = found.map(|found| put_aside(found, request, observed)).transpose()?;
    plan.after += &describe::new(wanted, kept.as_deref(), request, plan);
    let device = new_device(wanted, request.volmode, observed);
    plan.steps.push(make(wanted, kept, device, request, plan));
    expect_device(wanted, request.volmode(wanted).or(observed.inherited_volmode(&wanted.name)), plan);
    Ok(())
}

/// Whether a volume of an image can have `volsize` bytes: ZFS itself would cut off the end of the image (2.3.9).
///
/// # Errors
/// Where it cannot.
pub fn check_size(volsize: u64, image: u64, block: Option<u64>) -> Result<()> {
    let size = Size(volsize);
    ensure!(
        volsize >= image,
        "volsize {size} is smaller than the image, which has {}: its end would be cut off",
        Size(image)
    );
    block.map_or(Ok(()), |block| check_blocks(volsize, block))
}

fn check_blocks(volsize: u64, block: u64) -> Result<()> {
    ensure!(
        volsize.is_multiple_of(block),
        "volsize {} is not a multiple of the image's block size {}; the next ones are {} and {}",
        Size(volsize),
        Size(block),
        Size(volsize - volsize % block),
        Size(volsize.next_multiple_of(block))
    );
    Ok(())
}

/// Where the folder has the very `volmode`, the volume inherits it instead of being switched to it.
pub(super) fn new_device(wanted: &Wanted, volmode: Option<&str>, observed: &Observed) -> Device {
    match volmode_of(wanted, volmode) {
        Some(volmode) if volmode != "none" && observed.inherited_volmode(&wanted.name) == Some(volmode) => {
            Device::Inherited
        }
        volmode => Device::of(volmode),
    }
}

fn make(wanted: &Wanted, kept: Option<String>, device: Device, request: &Present, plan: &Plan) -> Step {
    // A reservation depends on the size, which is the image's at first. And ZFS refuses to make a clone of another size while
    // udev looks at it: "dataset is busy" (OpenZFS 2.3.2).
    let mut later = Vec::new();
    later.extend(wanted.volsize.filter(|volsize| Some(*volsize) != plan.image_size).map(volsize_property));
    later.extend(reservation(wanted));
    let properties = at_first(wanted);
    match &plan.golden {
        None => Step::Receive(NewVolume {
            image: request.image.file.clone(),
            guid: request.image.guid,
            name: wanted.name.clone(),
            kept,
            base: None,
            properties,
            device,
            later,
            sizes: request.sizes(),
        }),
        Some(origin) => Step::Clone(NewClone {
            name: wanted.name.clone(),
            origin: origin.clone(),
            kept,
            properties,
            device,
            later,
        }),
    }
}

/// Properties of a new volume from the beginning.
pub(super) fn at_first(wanted: &Wanted) -> Vec<(String, String)> {
    owned(&wanted.properties.clone().with("refreservation", "none").without("volmode"))
}

/// What a new volume reserves once it has its size.
pub(super) fn reservation(wanted: &Wanted) -> Option<(String, String)> {
    let reserved = wanted.properties.get("refreservation").filter(|value| *value != "none");
    reserved.map(|value| ("refreservation".to_owned(), value.to_owned()))
}

fn volsize_property(volsize: u64) -> (String, String) {
    ("volsize".to_owned(), volsize.to_string())
}

/// Changes that a volume which is there needs; `default` is the `volmode` of those that ask for none.
pub(super) fn adjust(
    wanted: &Wanted,
    found: &Row,
    default: Option<&str>,
    observed: &Observed,
    plan: &mut Plan,
) -> Result<()> {
    let mut properties: Vec<(String, String)> =
        growth(wanted, found)?.map(volsize_property).into_iter().collect();
    for (name, value) in wanted.properties.iter() {
        let found = observed.property(found.name.as_str(), name).map_or("-", |found| found.value.as_str());
        if !satisfied(name, value, found) {
            properties.push((name.to_owned(), value.to_owned()));
        }
    }
    if !properties.is_empty() {
        plan.steps.push(Step::Set { name: wanted.name.clone(), properties });
    }
    let mut volmode = wanted.properties.get("volmode").or(found.volmode.as_deref());
    if describe::withheld(wanted, found, observed) {
        let device = Device::of(default);
        plan.steps.push(Step::Show { name: wanted.name.clone(), device });
        volmode = default.or(observed.inherited_volmode(&wanted.name));
    }
    if observed.unfinished(&found.name) {
        plan.steps.push(Step::Unmark(wanted.name.clone()));
    }
    expect_device(wanted, volmode, plan);
    Ok(())
}

/// The size that a volume is to be grown to, if it is not that size already.
fn growth(wanted: &Wanted, found: &Row) -> Result<Option<u64>> {
    let size = found.volsize.unwrap_or(0);
    let Some(volsize) = wanted.volsize.filter(|volsize| *volsize != size) else { return Ok(None) };
    ensure!(
        volsize > size,
        "{} has {}, expected {}: a volume is only ever grown, shrinking would cut off data",
        wanted.name,
        Size(size),
        Size(volsize)
    );
    found.volblocksize.map_or(Ok(()), |block| check_blocks(volsize, block))?;
    Ok(Some(volsize))
}

pub(super) fn expect_device(wanted: &Wanted, volmode: Option<&str>, plan: &mut Plan) {
    if volmode != Some("none") {
        plan.devices.push(wanted.name.clone());
    }
}

fn owned(properties: &Properties) -> Vec<(String, String)> {
    properties.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
