// SPDX-License-Identifier: GPL-3.0-or-later

//! What it takes for volumes to be there: the names, their parents, the golden volume, the space.

use std::collections::BTreeMap;

use ansible_module::Size;
use anyhow::{Result, bail, ensure};
use zfs_command::{DatasetName, Kind, Row};

use super::volume::plan_volume;
use super::{BaseImage, Device, NewVolume, Plan, Step, sweep, volume};
use crate::dataset::describe;
use crate::dataset::observe::Observed;
use crate::dataset::request::Present;
use crate::image::Image;
use crate::job::Wanted;

/// Plans for volumes to be there.
///
/// # Errors
/// Where something else stands in the way, or something needed is not there.
pub fn present(request: &Present, observed: &Observed) -> Result<Plan> {
    check_names(request)?;
    let mut plan = Plan {
        image_size: request.image.volsize,
        volblocksize: request.image.volblocksize,
        ..Plan::default()
    };
    for name in request.names() {
        check_parent(name, observed)?;
        sweep(name, observed, &mut plan);
    }
    if let Some(golden) = &request.golden
        && (observed.rows.contains_key(golden.as_str()) || needs_golden(request, observed))
    {
        plan_golden(golden, request, observed, &mut plan)?;
    }
    for wanted in &request.volumes {
        plan_volume(wanted, request, observed, &mut plan)?;
    }
    refuse_reservations(&request.volumes, plan.image_size, observed)?;
    plan.warnings = doubts_about_space(&plan, request, observed);
    Ok(plan)
}

/// Whether a golden volume is needed: one that is there already needs none, as that of a guest which has moved here with its image.
pub fn needs_golden(request: &Present, observed: &Observed) -> bool {
    let is_there = |wanted: &Wanted| {
        let found = observed.rows.get(wanted.name.as_str());
        found.is_some_and(|found| observed.snapshot_of(found, request.image.guid).is_some())
    };
    request.volumes.is_empty() || !request.volumes.iter().all(is_there)
}

fn check_names(request: &Present) -> Result<()> {
    let mut names = request.names();
    ensure!(!names.is_empty(), "nothing to do: expected `dataset`, `volumes` or `golden`");
    names.sort();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        bail!("volume {} is asked for twice: every volume needs a name of its own", pair[0]);
    }
    ensure!(
        request.image.base.is_none() || request.golden.is_some(),
        "image {} is an increment onto {} (snapshot guid {}): it needs `golden`, the folder of golden volumes that has that one",
        request.image.name,
        request.image.parent.as_deref().unwrap_or("another image"),
        request.image.base.unwrap_or(request.image.guid)
    );
    Ok(())
}

pub(super) fn check_parent(name: &DatasetName, observed: &Observed) -> Result<()> {
    let Some(parent) = name.parent() else {
        bail!("{name} is a pool: expected the name of a volume in it, {name}/NAME");
    };
    match observed.rows.get(parent.as_str()).map(|row| row.kind) {
        Some(Kind::Filesystem) => Ok(()),
        Some(_) => bail!("{parent} is a volume: expected a file system to put {name} into"),
        None => bail!(
            "{parent} does not exist, so {name} cannot be made in it: create it with `zfs create -p {parent}`"
        ),
    }
}

/// The name under which a volume of another image is kept, or the refusal to touch it.
pub(super) fn put_aside(found: &Row, request: &Present, observed: &Observed) -> Result<String> {
    let name = DatasetName::try_from(found.name.clone()).map_err(anyhow::Error::msg)?;
    ensure!(
        request.replace,
        "{name} is there already and is not of image {} (snapshot guid {}): it {}; set `replace: true` to put it aside, or choose another name",
        request.image.name,
        request.image.guid,
        describe::identity(found, observed)
    );
    if let Some(user) = observed.users.get(&found.name) {
        bail!("{name} cannot be replaced while {user} has it open: stop the guest first");
    }
    Ok(name.kept(&observed.moment))
}

fn plan_golden(golden: &DatasetName, request: &Present, observed: &Observed, plan: &mut Plan) -> Result<()> {
    let found = volume(golden, observed)?;
    plan.before += &describe::found_golden(golden, found, observed);
    if let Some(snapshot) = found.and_then(|found| observed.snapshot_of(found, request.image.guid)) {
        plan.after += &describe::found_golden(golden, found, observed);
        plan.golden = Some(snapshot.name.clone());
        plan.image_size = snapshot.volsize;
        plan.volblocksize = found.and_then(|found| found.volblocksize);
        return Ok(());
    }
    let kept = found.map(|found| put_aside(found, request, observed)).transpose()?;
    plan.after += &describe::new_golden(golden, kept.as_deref(), &request.image);
    plan.golden = Some(golden.image());
    plan.steps.push(Step::Receive(NewVolume {
        image: request.image.file.clone(),
        guid: request.image.guid,
        name: golden.clone(),
        kept,
        base: base(golden, request, observed)?,
        properties: vec![("refreservation".to_owned(), "none".to_owned())],
        device: Device::Never,
        later: Vec::new(),
        sizes: request.sizes(),
    }));
    Ok(())
}

fn base(golden: &DatasetName, request: &Present, observed: &Observed) -> Result<Option<BaseImage>> {
    let Image { name, base: Some(wanted), parent, .. } = &request.image else { return Ok(None) };
    let folder = golden.parent().map(String::from).unwrap_or_default() + "/";
    let snapshots =
        observed.rows.values().filter(|row| row.kind == Kind::Snapshot && row.name.starts_with(&folder));
    let found = snapshots.filter(|row| row.guid == *wanted).find_map(|row| {
        let volume = observed.rows.get(row.name.split('@').next()?)?;
        Some(BaseImage {
            snapshot: row.name.clone(),
            guid: row.guid,
            volsize: row.volsize?,
            volblocksize: volume.volblocksize?,
        })
    });
    match found {
        Some(base) => Ok(Some(base)),
        None => bail!(
            "image {name} is an increment onto {} (snapshot guid {wanted}), which no golden volume in {} has: receive that image first",
            parent.as_deref().unwrap_or("another image"),
            folder.trim_end_matches('/')
        ),
    }
}

/// What new volumes reserve has to be there: ZFS would say so only when the whole image has been received.
pub(super) fn refuse_reservations(
    volumes: &[Wanted],
    image_size: Option<u64>,
    observed: &Observed,
) -> Result<()> {
    let mut reserved: BTreeMap<DatasetName, u64> = BTreeMap::new();
    for wanted in volumes.iter().filter(|wanted| !observed.rows.contains_key(wanted.name.as_str())) {
        let size = wanted.volsize.or(image_size);
        let bytes = match wanted.properties.get("refreservation") {
            None | Some("none") => continue,
            Some("auto") => size,
            Some(number) => number.parse::<Size>().ok().map(|size| size.0),
        };
        let (Some(parent), Some(bytes)) = (wanted.name.parent(), bytes) else { continue };
        let sum = reserved.entry(parent).or_default();
        *sum = sum.saturating_add(bytes);
    }
    for (parent, bytes) in reserved {
        let available = observed.rows.get(parent.as_str()).and_then(|row| row.available).unwrap_or(u64::MAX);
        ensure!(
            bytes <= available,
            "new volumes in {parent} would reserve {}, but {} are available there: free some space, or lower their refreservation",
            Size(bytes),
            Size(available)
        );
    }
    Ok(())
}

/// The stream's bytes are an upper bound of what it takes, and no more is known: ZFS may store them compressed to almost nothing.
fn doubts_about_space(plan: &Plan, request: &Present, observed: &Observed) -> Vec<String> {
    let Some(bytes) = request.image.bytes else { return Vec::new() };
    let mut needed = BTreeMap::new();
    for parent in plan.receives().filter_map(|receive| receive.name.parent()) {
        *needed.entry(parent).or_insert(0) += bytes;
    }
    let scarce = needed.into_iter().filter_map(|(parent, bytes)| {
        let available = observed.rows.get(parent.as_str())?.available?;
        (bytes > available).then(|| {
            format!(
                "image {} takes up to {bytes} bytes in {parent}, which has {available} available: it fits only if ZFS stores it in \
                 less; free some space",
                request.image.name
            )
        })
    });
    scarce.collect()
}
