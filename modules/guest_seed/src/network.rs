// SPDX-License-Identifier: GPL-3.0-or-later

//! The network as the guest's first-boot program takes it: nuageinit reads a part of version 2, cloud-init gets version 1.

mod checks;
mod given;
mod nic;
mod nuageinit;
mod version1;
mod version2;
mod warnings;

use anyhow::Result;

pub use self::checks::check;
pub use self::nic::{Nic, nics};
pub use self::nuageinit::check as check_nuageinit;
pub use self::warnings::warnings;
use crate::given_config::GivenConfig;
use crate::params::{Family, Params};
use crate::yaml::{Reader, Yaml, document};

/// The network of guest `name`, or `None` where the image's own configuration shall hold.
pub fn config(params: &Params, name: &str) -> Option<Yaml> {
    if let Some(given) = &params.network_config {
        return Some(given.tree());
    }
    let nics: Vec<_> = nics(params).into_iter().filter(Nic::is_configured).collect();
    if nics.is_empty() {
        return None;
    }
    Some(match params.family {
        Family::FreeBsd => version2::config(&nics, name),
        Family::Linux => version1::config(params, &nics, name),
    })
}

/// The same as a document for `reader`; one that was given as text stays that text.
///
/// # Errors
/// Where it cannot be said in the reader's YAML.
pub fn file(params: &Params, name: &str, reader: Reader) -> Result<Option<String>> {
    if let Some(text) = params.network_config.as_ref().and_then(GivenConfig::text) {
        return Ok(Some(text));
    }
    config(params, name).map(|root| document(&root, reader)).transpose()
}

#[cfg(test)]
mod tests;
