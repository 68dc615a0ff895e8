//! Volumes of ZFS: received once as a golden volume and cloned, or received as independent copies.

mod apply;
mod describe;
mod device;
mod feed;
mod locks;
mod name;
mod observe;
mod plan;
mod problem;
mod properties;
mod receive;
mod request;
mod zfs;

use ansible_module::{Diff, Reply, Task};
use anyhow::Result;
use serde::Serialize;

pub use name::DatasetName;
pub use properties::Properties;

use self::observe::Observed;
use self::plan::Plan;
use self::request::Present;
use self::zfs::Zfs;
use crate::params::{Guid, Params, State};

const HEADER: &str = "volumes";

/// A volume in the reply.
#[derive(Debug, Serialize)]
struct Volume {
    dataset: DatasetName,
    /// Absent for `volmode=none`.
    device: Option<std::path::PathBuf>,
    guid: Guid,
    /// Bytes; unknown before an image is received that does not say it in its package.
    size: Option<u64>,
    /// The snapshot it is a clone of.
    origin: Option<String>,
}

/// Does what `params` asks for.
pub fn run(params: &Params, task: &mut Task) -> Result<Reply> {
    let zfs = Zfs::find()?;
    match params.state {
        State::Present => present(params, &zfs, task),
        State::Absent => absent(params, &zfs, task),
    }
}

fn present(params: &Params, zfs: &Zfs, task: &mut Task) -> Result<Reply> {
    let (request, from) = task.phase("source", |_| request::from_params(params))?;
    // Under the locks nothing that was observed changes, so that the plan need not be questioned when it is carried out.
    let _locks =
        if task.check_mode { Vec::new() } else { task.phase("lock", |_| locks::acquire(&request.names()))? };
    let observed = task.phase("observe", |_| observe::present(zfs, &request))?;
    let plan = plan::present(&request, &observed)?;
    let mut size = plan.image_size;
    if !task.check_mode {
        size = size.or(task.phase("apply", |task| apply::apply(zfs, &plan, Some(&from), task))?);
        let shown = request.volumes.iter().filter(|wanted| wanted.properties.get("volmode") != Some("none"));
        apply::devices(shown.map(|wanted| &wanted.name), task)?;
    }
    Ok(reply(&plan, &request, &observed, size))
}

fn absent(params: &Params, zfs: &Zfs, task: &mut Task) -> Result<Reply> {
    let volumes = params.datasets()?;
    let names: Vec<&DatasetName> = volumes.iter().collect();
    let _locks = if task.check_mode { Vec::new() } else { task.phase("lock", |_| locks::acquire(&names))? };
    let observed = task.phase("observe", |_| observe::absent(zfs, &volumes))?;
    let plan = plan::absent(&volumes, &observed)?;
    if !task.check_mode {
        task.phase("apply", |task| apply::apply(zfs, &plan, None, task))?;
    }
    Ok(Reply::new(plan.changed()).diff(diff(&plan)))
}

fn diff(plan: &Plan) -> Diff {
    Diff { before: plan.before.clone(), after: plan.after.clone(), header: HEADER.to_owned() }
}

fn reply(plan: &Plan, request: &Present, observed: &Observed, image_size: Option<u64>) -> Reply {
    let guid = Guid(request.image.guid);
    let volumes: Vec<Volume> = request
        .volumes
        .iter()
        .map(|wanted| {
            let found = observed
                .rows
                .get(wanted.name.as_str())
                .filter(|found| observed.snapshot_of(found, request.image.guid).is_some());
            let visible = wanted.properties.get("volmode") != Some("none");
            Volume {
                dataset: wanted.name.clone(),
                device: visible.then(|| device::path(&wanted.name)),
                guid,
                size: wanted.volsize.or(found.and_then(|found| found.volsize)).or(image_size),
                origin: found.map_or_else(|| plan.golden.clone(), |found| found.origin.clone()),
            }
        })
        .collect();
    let kept: Vec<_> = plan
        .kept()
        .into_iter()
        .map(|(name, kept)| Kept { dataset: name.clone(), kept_as: kept.to_owned() })
        .collect();
    let mut reply = Reply::new(plan.changed()).diff(diff(plan)).with("replaced", kept);
    if let Some(golden) = &plan.golden {
        reply = reply.with("golden", Golden { snapshot: golden.clone(), guid });
    }
    if let [volume] = &volumes[..] {
        reply = reply.with("volume", volume);
    }
    reply.with("volumes", volumes)
}

#[derive(Debug, Serialize)]
struct Golden {
    snapshot: String,
    guid: Guid,
}

#[derive(Debug, Serialize)]
struct Kept {
    dataset: DatasetName,
    kept_as: String,
}
