// SPDX-License-Identifier: GPL-3.0-or-later

//! Module `libvirt_domain_info`: tells what domains a libvirt host has and how they are. Reads only.

use ansible_module::{Reply, Seconds, Task};
use anyhow::{Context, Result};
use serde::Deserialize;

use crate::details::details;
use crate::hypervisor::Hypervisor;
use crate::names::{ConnectUri, DomainName};
use crate::patience::{default_patience, within};
use crate::uptime::Processes;

/// Options of `libvirt_domain_info`; documented for users in plugins/modules/libvirt_domain_info.py.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InfoParams {
    /// One domain; all of them where absent.
    #[serde(default)]
    name: Option<DomainName>,
    /// Where the hypervisor is.
    #[serde(default)]
    uri: Option<ConnectUri>,
    /// How long libvirt may take for one answer.
    #[serde(default = "default_patience")]
    answer_timeout: Seconds,
}

/// Module `libvirt_domain_info`.
///
/// # Errors
/// Where libvirt cannot be reached or asked.
pub fn info(params: InfoParams, task: &mut Task) -> Result<Reply> {
    within(params.answer_timeout, task, move |task| look(params, task))
}

fn look(params: InfoParams, task: &mut Task) -> Result<Reply> {
    let uri = params.uri.unwrap_or_default();
    let hypervisor = task.phase("connect", |_| Hypervisor::open(&uri))?;
    let (domains, version) = task.phase("observe", |_| {
        let guests = match &params.name {
            Some(name) => hypervisor.guest(name)?.into_iter().collect(),
            None => hypervisor.guests()?,
        };
        let processes = Processes::of(&uri);
        let domains = guests.iter().map(|guest| {
            let name = guest.name()?;
            details(guest, &uri, &processes).with_context(|| format!("looking at domain {name}"))
        });
        anyhow::Ok((domains.collect::<Result<Vec<_>>>()?, hypervisor.version()?))
    })?;
    Ok(Reply::new(false).with("domains", domains).with("libvirt", version.to_string()))
}
