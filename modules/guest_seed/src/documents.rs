// SPDX-License-Identifier: GPL-3.0-or-later

//! The three documents of a NoCloud seed, as they are asked for.

use anyhow::{Context, Result, anyhow, ensure};

use ansible_module::{State, identity};

use crate::cloud_config;
use crate::generation;
use crate::network;
use crate::params::Params;
use crate::reads::Reads;
use crate::values::HostName;
use crate::yaml::{Yaml, document};

/// Bytes of documents that surely fit.
pub const ROOM: usize = 960 << 10;

/// What a seed holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Documents {
    /// Name and identity.
    pub meta_data: String,
    /// Users, keys, files, commands.
    pub user_data: String,
    /// The network, where the guest reads it from a file of its own.
    pub network_config: Option<String>,
}

/// A seed as it shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its documents.
    pub documents: Documents,
    /// The guest's identity for cloud-init: it follows from one name alone, so that a changed seed makes no running guest start anew.
    pub instance_id: String,
    /// What the guest may do with it other than asked.
    pub warnings: Vec<String>,
}

/// Renders the seed that `params` ask for; `None` for one that shall be gone.
///
/// # Errors
/// Where options contradict each other, or ask for what the guest's first-boot program does not do.
pub fn wanted(params: &Params) -> Result<Option<Wanted>> {
    if params.state == State::Absent {
        return Ok(None);
    }
    let name = params.name.as_ref().ok_or_else(|| {
        anyhow!("reading options: missing `name`, the guest's name, which state present needs")
    })?;
    let doing = || format!("rendering the seed of guest {name}");
    let reads = Reads::of(params);
    generation::check(params, reads).with_context(doing)?;

    let hostname = match &params.hostname {
        Some(hostname) => hostname.clone(),
        None => HostName::try_from(name.to_string())
            .map_err(|reason| {
                anyhow!("the guest's name cannot be its host name, so option `hostname` is needed: {reason}")
            })
            .with_context(doing)?,
    };
    let identity = params.identity.as_ref().unwrap_or(name).to_string();
    let instance_id = identity::uuid_of(&identity).to_string();
    let meta_data = Yaml::map([
        ("instance-id", Some(Yaml::Text(instance_id.clone()))),
        ("local-hostname", Some(Yaml::text(&hostname))),
    ]);
    let (network_config, network_in_user_data) = if reads.network_config_file() {
        (network::file(params, &identity, reads.yaml()).with_context(doing)?, None)
    } else {
        (None, network::config(params, &identity))
    };
    let user_data = match &params.user_data {
        Some(raw) => raw.clone(),
        None => cloud_config::user_data(params, network_in_user_data).with_context(doing)?,
    };
    let documents = Documents {
        meta_data: document(&meta_data, reads.yaml()).with_context(doing)?,
        user_data,
        network_config,
    };
    let bytes = documents.all().map(|(_, text)| text.len()).sum::<usize>();
    ensure!(
        bytes <= ROOM,
        "{}: its documents are {bytes} bytes, expected at most {}; let a run command fetch the rest",
        doing(),
        ROOM
    );
    Ok(Some(Wanted { documents, instance_id, warnings: generation::warnings(params, reads) }))
}

impl Documents {
    /// Every document with the name of its file, in a fixed order.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("meta-data", Some(self.meta_data.as_str())),
            ("network-config", self.network_config.as_deref()),
            ("user-data", Some(self.user_data.as_str())),
        ]
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)))
    }
}

#[cfg(test)]
mod tests;
