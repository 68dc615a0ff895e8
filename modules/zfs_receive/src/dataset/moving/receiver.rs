// SPDX-License-Identifier: GPL-3.0-or-later

//! Where a volume goes that moves here.

use std::collections::BTreeMap;

use ansible_module::{Reply, Task, stream};
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use zfs_command::{DatasetName, Guid, Kind, Row, Zfs};
use zfs_stream::{Base, Expect, Reader};

use super::{arriving, snapshots};
use crate::dataset::apply::{give_device, set_each};
use crate::dataset::device::VOLMODE;
use crate::dataset::feed::Copied;
use crate::dataset::plan::Device;
use crate::dataset::receive::{self, Destination};
use crate::dataset::{devices, find_zfs, patiently, wait};
use crate::marks;
use crate::moving::{Expected, Finished, Received};
use crate::properties::UNFINISHED;
use crate::snapshot::MARK;

/// What a volume gets when it has its whole size and its name.
const LATER: [&str; 3] = ["volmode", "reservation", "refreservation"];

/// Looks whether there is a place for a volume, and what of it has arrived.
pub fn expect(name: &DatasetName, wanted: &Expected, task: &mut Task) -> Result<Reply> {
    let zfs = find_zfs()?;
    let staged = arriving(name)?;
    let folder = name.parent().with_context(|| format!("{name} is a pool: expected POOL/NAME"))?;
    let volume = task.phase("observe", |_| {
        let rows = zfs.list(&[name.as_str(), staged.as_str(), folder.as_str()], 0)?;
        let row = |called: &DatasetName| rows.iter().find(|row| row.name == called.as_str());
        let parent = row(&folder).filter(|row| row.kind == Kind::Filesystem);
        ensure!(
            parent.is_some(),
            "there is no file system {folder}: create it with `zfs create -p {folder}`"
        );
        let told = match row(&staged) {
            Some(_) => snapshots(&zfs, &staged)?.iter().map(|snapshot| snapshot.guid).collect(),
            None => Vec::new(),
        };
        Ok(json!({
            "there": row(name).is_some(),
            "arrived": row(name).map(|_| arrived(&zfs, name)).transpose()?.flatten(),
            "arriving": row(&staged).is_some(),
            "known": told,
            "available": parent.and_then(|row| row.available),
            "golden": wanted.golden.as_ref().map(|golden| goldens(&zfs, golden)).transpose()?,
        }))
    })?;
    Ok(Reply::new(false).with("volume", volume))
}

/// Guid of the last snapshot that was sent of a volume which has come from another host.
fn arrived(zfs: &Zfs, name: &DatasetName) -> Result<Option<String>> {
    let found = zfs.get(&marks::property(marks::ARRIVED), &[name.as_str()])?.into_iter().next();
    Ok(found.filter(|property| property.local).map(|property| property.value))
}

/// What a volume may become a clone of.
fn goldens(zfs: &Zfs, folder: &DatasetName) -> Result<Vec<serde_json::Value>> {
    let rows = zfs.list(&[folder.as_str()], 2)?;
    let golden = rows.iter().filter(|row| row.kind == Kind::Snapshot && row.name.ends_with("@image"));
    Ok(golden.map(|row| json!({"name": row.name, "guid": row.guid})).collect())
}

/// Receives a stream from standard input. All of it has been verified when ZFS gets the record on which it commits.
pub fn receive(name: &DatasetName, wanted: &Received, task: &mut Task) -> Result<Reply> {
    let zfs = find_zfs()?;
    let staged = arriving(name)?;
    let _locks = wait(&[name, &staged], task)?;
    let doing = || format!("receiving {}@{} ", name, wanted.snapshot);
    let arrived = zfs.list(&[staged.as_str()], 1)?;
    let first = arrived.is_empty();
    let (base, origin) = base(&zfs, arrived, &staged, wanted).with_context(doing)?;
    let expect = Expect { base, guid: wanted.guid.map(|guid| guid.0), volsize: None };
    let reader = Reader::new(stream::inlet()?, expect)?;
    let properties = if first { at_first(wanted) } else { Vec::new() };
    let destination = Destination {
        zfs: &zfs,
        dataset: staged.as_str(),
        snapshot: &wanted.snapshot,
        origin: origin.as_deref(),
        properties: &properties,
    };
    let summary = task.phase("receive", |_| {
        let summary =
            receive::receive(reader, &mut Copied::default(), &destination, |_, inlet| inlet.finish())?;
        receive::check(&summary, &destination)?;
        Ok::<_, anyhow::Error>(summary)
    });
    let summary = summary.with_context(doing)?;
    task.did_change();
    task.record_bytes("receive", summary.bytes);
    if wanted.marked {
        zfs.set(MARK, &wanted.snapshot, &format!("{staged}@{}", wanted.snapshot))?;
    }
    let guid = Guid(summary.toguid);
    if wanted.finish {
        // A guest is off: what has just been seen is not looked at again, and its snapshots go when it is on.
        let doing = || format!("giving {name} its name");
        take_name(&zfs, name, &staged, guid).with_context(doing)?;
        show(&zfs, name, &wanted.properties)?;
        await_device(&zfs, name, &wanted.properties, task)?;
    }
    Ok(Reply::new(true).with("guid", guid))
}

/// What the stream goes on to: nothing, another volume's snapshot, or what has `arrived` before.
fn base(
    zfs: &Zfs,
    arrived: Vec<Row>,
    staged: &DatasetName,
    wanted: &Received,
) -> Result<(Base, Option<String>)> {
    let first = arrived.is_empty();
    let Some(guid) = wanted.base_guid else {
        ensure!(first, "a part of it has arrived, but the stream is none that goes on with it");
        return Ok((Base::None, None));
    };
    let (volume, origin, rows) = match (&wanted.base, first) {
        (Some(origin), true) => {
            (origin.dataset(), Some(origin.to_string()), zfs.list(&[origin.dataset().as_str()], 1)?)
        }
        (None, false) => (staged, None, arrived),
        _ => bail!("it goes on from guid {guid}: expected to find what has that, or its name"),
    };
    let called = |row: &&Row| row.kind == Kind::Snapshot && row.guid == guid;
    let snapshot = rows.iter().find(called).and_then(|row| row.volsize);
    let block = rows.iter().find(|row| row.name == volume.as_str()).and_then(|row| row.volblocksize);
    let (Some(volsize), Some(block)) = (snapshot, block) else {
        bail!("{volume} has no snapshot with guid {guid}, which the stream goes on from")
    };
    let (guid, volblocksize) = (guid.0, u32::try_from(block)?);
    let base = match origin {
        Some(_) => Base::Origin { guid, volsize, volblocksize },
        None => Base::Volume { guid, volsize, volblocksize },
    };
    Ok((base, origin))
}

/// Without a device nobody looks at it, so that nothing is between it and its next stream.
fn at_first(wanted: &Received) -> Vec<(String, String)> {
    let property = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut properties =
        vec![property("volmode", "none"), property(UNFINISHED, "yes"), property("refreservation", "none")];
    let theirs = wanted.properties.iter().filter(|(name, _)| !LATER.contains(&name.as_str()));
    properties.extend(theirs.map(|(name, value)| property(name, value)));
    properties
}

/// Gives a volume that has arrived its name, and what goes with it.
pub fn finish(name: &DatasetName, wanted: &Finished, task: &mut Task) -> Result<Reply> {
    let zfs = find_zfs()?;
    let staged = arriving(name)?;
    let _locks = wait(&[name, &staged], task)?;
    let completed = complete(&zfs, name, wanted, task)?;
    Ok(Reply::new(destroy_ours(&zfs, name)? || completed))
}

/// Removes the snapshots that were taken for the move of a volume which has come.
pub fn sweep(name: &DatasetName, task: &mut Task) -> Result<Reply> {
    let zfs = find_zfs()?;
    let _locks = wait(&[name], task)?;
    Ok(Reply::new(destroy_ours(&zfs, name)?))
}

fn destroy_ours(zfs: &Zfs, name: &DatasetName) -> Result<bool> {
    let ours: Vec<_> = snapshots(zfs, name)?.into_iter().filter(|snapshot| snapshot.is_ours()).collect();
    for snapshot in &ours {
        let called = &snapshot.point.name;
        patiently(called, || zfs.destroy(called)).with_context(|| format!("destroying {called}"))?;
    }
    Ok(!ours.is_empty())
}

/// Whether anything was left to do for a volume to have its name, and its device. The caller holds its locks.
fn complete(zfs: &Zfs, name: &DatasetName, wanted: &Finished, task: &mut Task) -> Result<bool> {
    let (staged, doing) = (arriving(name)?, || format!("giving {name} its name"));
    let arrives = has_to_be_named(zfs, name, &staged, wanted.guid).with_context(doing)?;
    if arrives {
        take_name(zfs, name, &staged, wanted.guid).with_context(doing)?;
    }
    let unfinished = zfs.get(UNFINISHED, &[name.as_str()])?.iter().any(|property| property.local);
    if unfinished {
        show(zfs, name, &wanted.properties)?;
    }
    await_device(zfs, name, &wanted.properties, task)?;
    Ok(arrives || unfinished)
}

/// Gives a volume that has its name what it reserves, and its device.
fn show(zfs: &Zfs, name: &DatasetName, properties: &BTreeMap<String, String>) -> Result<()> {
    let reserved = properties.iter().filter(|(property, _)| property.ends_with("reservation"));
    let reserved: Vec<_> = reserved.map(|(name, value)| (name.clone(), value.clone())).collect();
    set_each(zfs, &reserved, name.as_str())?;
    match device(properties) {
        Device::Never => zfs.inherit(UNFINISHED, name.as_str()),
        device => give_device(zfs, name, &device),
    }
}

fn await_device(
    zfs: &Zfs,
    name: &DatasetName,
    properties: &BTreeMap<String, String>,
    task: &mut Task,
) -> Result<()> {
    match device(properties) {
        Device::Never => Ok(()),
        _ => devices(zfs, std::slice::from_ref(name), task),
    }
}

fn device(properties: &BTreeMap<String, String>) -> Device {
    Device::of(properties.get("volmode").map(String::as_str).or(VOLMODE))
}

/// Whether what has arrived has not got its name yet. Refuses what is not what was sent.
fn has_to_be_named(zfs: &Zfs, name: &DatasetName, staged: &DatasetName, guid: Guid) -> Result<bool> {
    let rows = zfs.list(&[name.as_str(), staged.as_str()], 0)?;
    let is_there = |called: &DatasetName| rows.iter().any(|row| row.name == called.as_str());
    if is_there(name) {
        ensure!(!is_there(staged), "it is there already, beside {staged}, which has arrived to be it");
        let found = arrived(zfs, name)?;
        ensure!(
            found.as_ref() == Some(&guid.to_string()),
            "it is there, but is not what was sent: expected guid {guid}, found {}",
            found.as_deref().unwrap_or("none")
        );
        return Ok(false);
    }
    let newest = snapshots(zfs, staged)?.pop();
    ensure!(
        newest.as_ref().is_some_and(|newest| newest.guid == guid),
        "{staged} ends at {}, expected the snapshot with guid {guid}",
        newest.map_or("nothing".to_owned(), |newest| newest.name)
    );
    Ok(true)
}

fn take_name(zfs: &Zfs, name: &DatasetName, staged: &DatasetName, guid: Guid) -> Result<()> {
    zfs.set(&marks::property(marks::ARRIVED), &guid.to_string(), staged.as_str())?;
    patiently(staged.as_str(), || zfs.rename(staged.as_str(), name.as_str()))
}
