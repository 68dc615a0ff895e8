// SPDX-License-Identifier: GPL-3.0-or-later

//! Where a volume is that moves away.

use std::collections::BTreeMap;
use std::io;

use ansible_module::{Reply, Task, moment, stream};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use zfs_command::{DatasetName, Guid, Kind, Sending, SnapshotName, Zfs};

use super::{Snapshot, TAKEN, snapshots};
use crate::dataset::{absent, find_zfs, patiently, user, wait};
use crate::marks;
use crate::moving::{Offered, Sent};
use crate::properties::UNFINISHED;

/// Properties that say what a volume is, which its stream says, or that are its pool's own affair.
const OWN: [&str; 6] = ["volsize", "volblocksize", "encryption", "keyformat", "keylocation", "pbkdf2iters"];

/// Marks that are of this host only.
const HERE: [&str; 4] = [marks::SWAP, marks::RAN, marks::KEEP_UNTIL, marks::ARRIVED];

/// Looks at a volume, and takes a snapshot of it.
pub fn offer(name: &DatasetName, wanted: &Offered, task: &mut Task) -> Result<Reply> {
    let zfs = find_zfs()?;
    let _locks = wait(&[name], task)?;
    let taken = match wanted.take && !task.check_mode && is_there(&zfs, name)? {
        true => {
            task.phase("snapshot", |_| take(&zfs, name, &wanted.known))?;
            task.did_change();
            true
        }
        false => false,
    };
    let volume = task.phase("observe", |_| look(&zfs, name))?;
    Ok(Reply::new(taken).with("volume", volume))
}

pub(super) fn is_there(zfs: &Zfs, name: &DatasetName) -> Result<bool> {
    match zfs.list(&[name.as_str()], 0)?.first().map(|row| row.kind) {
        None => Ok(false),
        Some(Kind::Volume) => Ok(true),
        Some(_) => bail!("looking at {name}: expected a volume or nothing, found a file system"),
    }
}

/// A name for a snapshot that is taken now, which none of those there `before` has.
pub(super) fn new_name(prefix: &str, before: &[Snapshot]) -> String {
    let called = format!("{prefix}{}", moment::now());
    let is_free = |called: &String| !before.iter().any(|snapshot| snapshot.name == *called);
    let mut names = std::iter::once(called.clone()).chain((2..).map(|number| format!("{called}-{number}")));
    names.find(is_free).unwrap_or(called)
}

/// Of ours before, only the last one that the other host has is of any use.
fn take(zfs: &Zfs, name: &DatasetName, known: &[Guid]) -> Result<()> {
    let before = snapshots(zfs, name)?;
    let kept =
        before.iter().rev().find(|snapshot| known.contains(&snapshot.guid)).map(|snapshot| snapshot.guid);
    for old in before.iter().filter(|snapshot| snapshot.is_ours() && Some(snapshot.guid) != kept) {
        let old = &old.point.name;
        // Whoever was cut over sending it goes on for a moment.
        patiently(old, || zfs.destroy(old))
            .with_context(|| format!("destroying {old}, which was taken for a move that was cut"))?;
    }
    let called = new_name(TAKEN, &before);
    let snapshot: SnapshotName = format!("{name}@{called}").parse()?;
    zfs.take(&[snapshot], (&marks::property(marks::MOVE), "yes"))
        .with_context(|| format!("taking snapshot {called} of {name}"))
}

fn look(zfs: &Zfs, name: &DatasetName) -> Result<Value> {
    if !is_there(zfs, name)? {
        return Ok(json!({"there": false}));
    }
    let rows = zfs.list(&[name.as_str()], 0)?;
    let row = rows.first().with_context(|| format!("{name} has gone while it was looked at"))?;
    let origin = match &row.origin {
        Some(origin) => zfs.list(&[origin.as_str()], 0)?.into_iter().next(),
        None => None,
    };
    let told = |snapshot: &Snapshot| json!({"name": snapshot.name, "guid": snapshot.guid, "marked": snapshot.is_marked(), "ours": snapshot.is_ours()});
    let properties = zfs.get("all", &[name.as_str()])?;
    let number = |called: &str| {
        let found = properties.iter().find(|property| property.name == called);
        found.and_then(|property| property.value.parse::<u64>().ok())
    };
    let here = |called: &str| called == UNFINISHED || HERE.iter().any(|mark| marks::property(mark) == called);
    let local: BTreeMap<&str, &str> = properties
        .iter()
        .filter(|property| property.local && !OWN.contains(&property.name.as_str()) && !here(&property.name))
        .map(|property| (property.name.as_str(), property.value.as_str()))
        .collect();
    Ok(json!({
        "there": true,
        "snapshots": snapshots(zfs, name)?.iter().map(told).collect::<Vec<_>>(),
        "origin": origin.map(|origin| json!({"name": origin.name, "guid": origin.guid})),
        "properties": local,
        "size": row.volsize,
        "used": number("used"),
        "referenced": number("referenced"),
        "written": number("written"),
    }))
}

/// Sends a snapshot to standard output. Its reader verifies it: what is wrong with it, and what the way has done to it.
pub fn send(name: &DatasetName, wanted: &Sent, task: &mut Task) -> Result<Reply> {
    let snapshot = wanted.snapshot.as_ref().with_context(|| format!("sending {name}: of which snapshot"))?;
    let zfs = find_zfs()?;
    let doing = || format!("sending {snapshot}");
    if wanted.take {
        take_next(&zfs, name, wanted, task).with_context(doing)?;
        task.did_change();
    }
    let sent = task.phase("send", |_| pass_on(zfs.send_as_stored(snapshot, wanted.base.as_ref())?));
    task.record_bytes("send", sent.with_context(doing)?);
    if !wanted.take {
        return Ok(Reply::new(false));
    }
    let guid = zfs.list(&[snapshot.as_str()], 0)?.first().map(|row| row.guid);
    Ok(Reply::new(true).with("guid", guid))
}

/// Takes the snapshot that is sent, where it comes next to the one that the other host has.
fn take_next(zfs: &Zfs, name: &DatasetName, wanted: &Sent, task: &mut Task) -> Result<()> {
    let _locks = wait(&[name], task)?;
    // The guest is off: one command says it, oldest first.
    let rows = zfs.list(&[name.as_str()], 1)?;
    let newest = rows.iter().rfind(|row| row.kind == Kind::Snapshot);
    ensure!(
        newest.is_some_and(|newest| newest.guid == wanted.guid),
        "the newest snapshot is {}, expected the one with guid {}; somebody has taken one since",
        newest.map_or("none", |newest| newest.name.as_str()),
        wanted.guid
    );
    zfs.take(wanted.snapshot.as_slice(), (&marks::property(marks::MOVE), "yes"))
}

/// Passes all of what zfs sends on to standard output; says how many bytes that was.
pub(super) fn pass_on(mut sending: Sending) -> Result<u64> {
    let mut outlet = stream::outlet()?;
    let sent = io::copy(&mut sending.stream, &mut outlet).context("passing on what zfs sends");
    // Where it has failed, its own words tell more than those of a pipe.
    sending.finish()?;
    let sent = sent?;
    stream::end(outlet)?;
    Ok(sent)
}

/// Destroys a volume whose last snapshot has arrived elsewhere, where nothing has been written to it since.
pub fn give(name: &DatasetName, guid: Guid, task: &mut Task) -> Result<Reply> {
    let zfs = find_zfs()?;
    if is_there(&zfs, name)? {
        let doing = || format!("giving {name} away");
        let all = snapshots(&zfs, name).with_context(doing)?;
        let newest = all.last().filter(|snapshot| snapshot.guid == guid);
        ensure!(
            newest.is_some(),
            "{}: its newest snapshot is {}, expected the one that was sent, with guid {guid}; somebody has taken one since",
            doing(),
            all.last().map_or("none", |snapshot| snapshot.name.as_str())
        );
        if let Some(user) = user::of(name.as_str()) {
            bail!("{}: {user} has it open; stop the guest here", doing());
        }
        let snapshot: SnapshotName =
            newest.map(|newest| newest.point.name.as_str()).unwrap_or_default().parse()?;
        let same = patiently(name.as_str(), || zfs.is_as_in(&snapshot)).with_context(doing)?;
        ensure!(
            same,
            "{}: it has been written to since it was sent: the guest has run here after its move; look which of the two is wanted",
            doing()
        );
    }
    absent(std::slice::from_ref(name), task)
}
