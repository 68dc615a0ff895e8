// SPDX-License-Identifier: GPL-3.0-or-later

//! What the caller is told. Pure.

use std::path::PathBuf;

use ansible_module::{Diff, Reply};
use serde::Serialize;
use zfs_command::{DatasetName, Guid};

use super::device;
use super::observe::Observed;
use super::plan::Plan;
use super::request::Present;
use crate::job::Wanted;

#[derive(Debug, Serialize)]
struct Volume {
    dataset: DatasetName,
    /// None where `volmode` is `none`, its own or its folder's.
    device: Option<PathBuf>,
    /// None of a volume that was not made from an image.
    guid: Option<Guid>,
    size: Option<u64>,
    volblocksize: Option<u64>,
    /// The snapshot it is a clone of.
    origin: Option<String>,
    /// Where the volume is kept that was there before.
    replaced: Option<String>,
}

#[derive(Debug, Serialize)]
struct Golden {
    snapshot: String,
    guid: Guid,
    replaced: Option<String>,
}

#[derive(Debug, Serialize)]
struct Gone {
    dataset: DatasetName,
    device: PathBuf,
    size: Option<u64>,
    volblocksize: Option<u64>,
    origin: Option<String>,
}

/// After volumes were made, or in check mode would have been.
pub fn present(plan: &Plan, request: &Present, observed: &Observed) -> Reply {
    let guid = request.image.guid;
    let volumes = request.volumes.iter().map(|wanted| volume(wanted, plan, request, observed));
    let mut reply = Reply::new(plan.changed()).diff(diff(plan));
    if let (Some(name), Some(snapshot)) = (&request.golden, plan.golden.clone()) {
        reply = reply.with("golden", Golden { snapshot, guid, replaced: kept(name, plan) });
    }
    with_volumes(reply, volumes.collect())
}

/// After a volume was made that may hold anything, or in check mode would have been.
pub fn blank(plan: &Plan, wanted: &Wanted, observed: &Observed) -> Reply {
    let found = observed.rows.get(wanted.name.as_str());
    let volume = Volume {
        dataset: wanted.name.clone(),
        device: plan.devices.contains(&wanted.name).then(|| device::path(wanted.name.as_str())),
        guid: None,
        size: wanted.volsize,
        volblocksize: found.and_then(|found| found.volblocksize),
        origin: found.and_then(|found| found.origin.clone()),
        replaced: None,
    };
    with_volumes(Reply::new(plan.changed()).diff(diff(plan)), vec![volume])
}

/// After volumes were destroyed, or in check mode would have been.
pub fn absent(plan: &Plan, names: &[DatasetName], observed: &Observed) -> Reply {
    let gone = names.iter().filter_map(|name| {
        let found = observed.rows.get(name.as_str())?;
        Some(Gone {
            dataset: name.clone(),
            device: device::path(name.as_str()),
            size: found.volsize,
            volblocksize: found.volblocksize,
            origin: found.origin.clone(),
        })
    });
    with_volumes(Reply::new(plan.changed()).diff(diff(plan)), gone.collect())
}

/// `volume` is what a caller who asked for one looks at.
fn with_volumes<V: Serialize>(reply: Reply, volumes: Vec<V>) -> Reply {
    let reply = match &volumes[..] {
        [volume] => reply.with("volume", volume),
        _ => reply,
    };
    reply.with("volumes", volumes)
}

fn volume(wanted: &Wanted, plan: &Plan, request: &Present, observed: &Observed) -> Volume {
    let guid = request.image.guid;
    let there = observed.rows.get(wanted.name.as_str());
    let found = there.filter(|found| observed.snapshot_of(found, guid).is_some());
    Volume {
        dataset: wanted.name.clone(),
        device: plan.devices.contains(&wanted.name).then(|| device::path(wanted.name.as_str())),
        guid: Some(guid),
        size: wanted.volsize.or(found.and_then(|found| found.volsize)).or(plan.image_size),
        volblocksize: found.and_then(|found| found.volblocksize).or(plan.volblocksize),
        origin: found.map_or_else(|| plan.golden.clone(), |found| found.origin.clone()),
        replaced: kept(&wanted.name, plan),
    }
}

fn kept(name: &DatasetName, plan: &Plan) -> Option<String> {
    plan.kept().into_iter().find(|(kept, _)| *kept == name).map(|(_, kept)| kept.to_owned())
}

fn diff(plan: &Plan) -> Diff {
    Diff { before: plan.before.clone(), after: plan.after.clone(), header: "volumes".to_owned() }
}
