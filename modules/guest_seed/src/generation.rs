// SPDX-License-Identifier: GPL-3.0-or-later

//! What the guest's first-boot program understands, and what it would get wrong. Nothing is left out silently.

use std::net::IpAddr;

use anyhow::{Result, bail, ensure};
use ipnet::IpNet;

use crate::params::{Family, Nuageinit, Params};
use crate::values::Address;
use crate::yaml::Reader;

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
    check_addresses_are_there(params)?;
    if let Some(raw) = &params.user_data {
        check_raw(params, raw, reads)?;
    }
    match reads {
        Reads::Nuageinit(generation) => {
            if generation == Nuageinit::V14_1 {
                check_first_generation(params)?;
            }
            check_nuageinit_network(params)
        }
        Reads::CloudInit => Ok(()),
    }
}

fn names(options: &[(&str, bool)]) -> Vec<String> {
    options.iter().filter(|(_, given)| *given).map(|(name, _)| format!("`{name}`")).collect()
}

fn check_addresses_are_there(params: &Params) -> Result<()> {
    let lonely = names(&[
        ("gateway", params.gateway.is_some()),
        ("gateway6", params.gateway6.is_some()),
        ("nameservers", !params.nameservers.is_empty()),
        ("search", !params.search.is_empty()),
        ("mtu", params.mtu.is_some()),
    ]);
    ensure!(
        !params.addresses.is_empty() || lonely.is_empty(),
        "{} would have no effect without `addresses`: add addresses, or dhcp",
        lonely.join(", ")
    );
    for (option, given, version) in
        [("gateway", params.gateway.is_some(), 4), ("gateway6", params.gateway6.is_some(), 6)]
    {
        let reachable = params.addresses.iter().any(|address| match address {
            Address::Dhcp => version == 4,
            Address::Fixed(net) => net.addr().is_ipv4() == (version == 4),
        });
        ensure!(!given || reachable, "`{option}` cannot be reached: `addresses` has no IPv{version} address");
    }
    ensure!(
        params.addresses.iter().filter(|address| **address == Address::Dhcp).count() <= 1,
        "`addresses` says dhcp twice"
    );
    if let Some(mtu) = params.mtu {
        let least = if fixed(params).any(|net| net.addr().is_ipv6()) { 1280 } else { 576 };
        ensure!(mtu >= least, "`mtu` is {mtu}: expected at least {least} for these addresses");
    }
    Ok(())
}

fn fixed(params: &Params) -> impl Iterator<Item = IpNet> {
    params.addresses.iter().filter_map(|address| match address {
        Address::Fixed(net) => Some(*net),
        Address::Dhcp => None,
    })
}

fn check_raw(params: &Params, raw: &str, reads: Reads) -> Result<()> {
    let replaced = names(&[
        ("ssh_keys", !params.ssh_keys.is_empty()),
        ("users", params.users.is_some()),
        ("packages", !params.packages.is_empty()),
        ("run_commands", !params.run_commands.is_empty()),
        ("write_files", !params.write_files.is_empty()),
        ("timezone", params.timezone.is_some()),
    ]);
    ensure!(
        replaced.is_empty(),
        "`user_data` replaces what {} would render: give one or the other",
        replaced.join(", ")
    );
    let (first, rest) = raw.split_once('\n').unwrap_or((raw, ""));
    let is_config = first == "#cloud-config";
    ensure!(
        is_config || first.trim_start_matches('\u{feff}').trim() != "#cloud-config",
        "the first line of `user_data` must be exactly #cloud-config: found a space, carriage return or byte order mark beside it"
    );
    ensure!(!rest.trim().is_empty(), "`user_data` has nothing after its first line");
    let Reads::Nuageinit(generation) = reads else { return Ok(()) };
    ensure!(
        is_config || first.starts_with("#!"),
        "nuageinit takes `user_data` whose first line is #cloud-config, or a script: found {:?}",
        first.chars().take(40).collect::<String>()
    );
    ensure!(
        !is_config || rest.lines().any(|line| line.starts_with("users:")),
        "`user_data` has no line `users:`: nuageinit would make a user freebsd with the password freebsd; add `users: []`"
    );
    ensure!(
        generation != Nuageinit::V14_1 || params.addresses.is_empty(),
        "nuageinit 14.1 reads the network from the user data, which `user_data` replaces: write `network:` there, in place of `addresses`"
    );
    Ok(())
}

fn check_first_generation(params: &Params) -> Result<()> {
    let users = params.users.as_deref().unwrap_or_default();
    let unknown = names(&[
        ("nameservers", !params.nameservers.is_empty()),
        ("search", !params.search.is_empty()),
        ("mtu", params.mtu.is_some()),
        ("interface", params.interface.is_some()),
        ("packages", !params.packages.is_empty()),
        ("run_commands", !params.run_commands.is_empty()),
        ("write_files", !params.write_files.is_empty()),
        ("timezone", params.timezone.is_some()),
        ("users.sudo", users.iter().any(|user| !user.sudo.is_empty())),
        ("users.doas", users.iter().any(|user| !user.doas.is_empty())),
    ]);
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

fn check_nuageinit_network(params: &Params) -> Result<()> {
    if params.addresses.contains(&Address::Dhcp) {
        ensure!(
            params.mtu.is_none(),
            "nuageinit writes dhcp with `mtu` as a line of rc.conf that has no effect: give a fixed address, or set the mtu on the DHCP server"
        );
        ensure!(
            fixed(params).next().is_none(),
            "nuageinit takes dhcp or fixed addresses, not both: found both in `addresses`"
        );
        let ignored = names(&[
            ("gateway", params.gateway.is_some()),
            ("nameservers", !params.nameservers.is_empty()),
            ("search", !params.search.is_empty()),
        ]);
        ensure!(
            ignored.is_empty(),
            "nuageinit ignores {} beside dhcp: leave it out, or give fixed addresses only",
            ignored.join(", ")
        );
    }
    for (kind, is_ipv4) in [("IPv4", true), ("IPv6", false)] {
        let count = fixed(params).filter(|net| net.addr().is_ipv4() == is_ipv4).count();
        ensure!(
            count <= 1,
            "nuageinit configures one {kind} address, the last of several: found {count} in `addresses`; add the others in the image"
        );
    }
    for gateway in [params.gateway.map(IpAddr::V4), params.gateway6.map(IpAddr::V6)].into_iter().flatten() {
        if !fixed(params).any(|net| net.contains(&gateway)) {
            bail!(
                "the gateway {gateway} is in the network of none of `addresses`: FreeBSD would find no way to it"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
