// SPDX-License-Identifier: GPL-3.0-or-later

//! What the guest's first-boot program understands, and what it would get wrong. Nothing is left out silently.

use anyhow::{Result, ensure};

use crate::params::{Family, Nuageinit, Params};
use crate::yaml::Reader;
use crate::{accounts, network, raw};

/// The program that reads the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// FreeBSD's own.
    Nuageinit(Nuageinit),
    /// Everybody else's.
    CloudInit,
}

impl Reads {
    /// The program of the guest that `params` describe.
    pub fn of(params: &Params) -> Reads {
        match params.family {
            Family::FreeBsd => Reads::Nuageinit(params.nuageinit),
            Family::Linux => Reads::CloudInit,
        }
    }

    /// Whether it reads a file network-config; otherwise the network is a part of the user data.
    pub fn network_config_file(self) -> bool {
        self != Reads::Nuageinit(Nuageinit::V14_1)
    }

    /// The YAML it takes.
    pub fn yaml(self) -> Reader {
        if self == Reads::Nuageinit(Nuageinit::V14_1) { Reader::WithoutEscapes } else { Reader::Full }
    }
}

/// Refuses what `reads` would not do, or would do wrong.
///
/// # Errors
/// Naming the option and the reason.
pub fn check(params: &Params, reads: Reads) -> Result<()> {
    network::check(params, reads)?;
    if let Some(raw) = &params.user_data {
        raw::check(params, raw, reads)?;
    }
    accounts::check(params, reads)?;
    let Reads::Nuageinit(generation) = reads else { return Ok(()) };
    if generation == Nuageinit::V14_1 {
        check_first_generation(params)?;
    }
    network::check_nuageinit(params)
}

/// What is done by some of the programs that may be in the guest, and not by all.
pub fn warnings(params: &Params, reads: Reads) -> Vec<String> {
    let raw = raw::warning(params, reads);
    network::warnings(params).into_iter().chain(accounts::warning(params)).chain(raw).collect()
}

/// Names of the options that are given, in quotes.
pub fn names(options: &[(&str, bool)]) -> Vec<String> {
    options.iter().filter(|(_, given)| *given).map(|(name, _)| format!("`{name}`")).collect()
}

fn check_first_generation(params: &Params) -> Result<()> {
    let users = params.users.as_deref().unwrap_or_default();
    let mut unknown =
        names(&[("nameservers", !params.nameservers.is_empty()), ("search", !params.search.is_empty())]);
    unknown.extend(network::nics(params).iter().flat_map(|nic| {
        nic.given(&[("mtu", nic.network.mtu.is_some()), ("interface", nic.network.interface.is_some())])
    }));
    unknown.extend(names(&[
        ("packages", !params.packages.is_empty()),
        ("run_commands", !params.run_commands.is_empty()),
        ("write_files", !params.write_files.is_empty()),
        ("timezone", params.timezone.is_some()),
        ("users.sudo", users.iter().any(|user| !user.sudo.is_empty())),
        ("users.doas", users.iter().any(|user| !user.doas.is_empty())),
    ]));
    ensure!(
        unknown.is_empty(),
        "nuageinit 14.1 does not understand {}: put that into the image, or set `nuageinit: \"15.0\"` if the guest's FreeBSD has that one",
        unknown.join(", ")
    );
    ensure!(
        users.iter().all(|user| user.password_hash.is_none()),
        "nuageinit 14.1 passes `users.password_hash` through a shell, which spoils it: use ssh keys, or set `nuageinit: \"15.0\"` if the guest's FreeBSD has that one"
    );
    Ok(())
}

#[cfg(test)]
mod tests;
