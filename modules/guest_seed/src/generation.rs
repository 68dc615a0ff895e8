// SPDX-License-Identifier: GPL-3.0-or-later

//! What the guest's first-boot program understands, and what it would get wrong. Nothing is left out silently.

use anyhow::{Result, ensure};

use crate::options::{About, names, unknown_to_the_first};
use crate::params::{Nuageinit, Params};
use crate::reads::Reads;
use crate::{accounts, network, raw};

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

fn check_first_generation(params: &Params) -> Result<()> {
    let users = params.users.as_deref().unwrap_or_default();
    let nics = network::nics(params);
    let of_nics = nics.iter().flat_map(|nic| {
        nic.given(&[("mtu", nic.network.mtu.is_some()), ("interface", nic.network.interface.is_some())])
    });
    let mut unknown = unknown_to_the_first(params, About::Resolver);
    unknown.extend(of_nics);
    unknown.extend(unknown_to_the_first(params, About::UserData));
    unknown.extend(names(&[
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
