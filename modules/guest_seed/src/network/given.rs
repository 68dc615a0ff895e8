// SPDX-License-Identifier: GPL-3.0-or-later

//! What a program would not take of a network configuration as the user wrote it.

use anyhow::{Result, anyhow, bail, ensure};

use crate::given_config::GivenConfig;
use crate::options::{self, About, names};
use crate::params::{Nuageinit, Params};
use crate::reads::Reads;
use crate::yaml::Yaml;

/// Refuses a configuration that `reads` would not take, and one beside options that it stands in place of.
///
/// # Errors
/// Naming the option or the key, and the reason.
pub fn check(params: &Params, given: &GivenConfig, reads: Reads) -> Result<()> {
    let mut replaced = options::given(params, &[About::Interface, About::Resolver]);
    replaced.extend(names(&[("networks", !params.networks.is_empty())]));
    ensure!(
        replaced.is_empty(),
        "`network_config` stands in place of {}: write into it what they say, or leave it out",
        replaced.join(", ")
    );
    ensure!(
        !given.root().iter().any(|(key, _)| key == "network"),
        "`network_config` has a key network around it, which not every version takes off: leave that key out, and give what is below it"
    );
    let version = value(given.root(), "version");
    ensure!(
        matches!(version, Some(Yaml::Plain(number)) if number == "1" || number == "2"),
        "`network_config` must have the key `version` with 1 or 2 on its outermost level, found {}",
        version.map_or("none", |_| "another value")
    );
    match reads {
        Reads::CloudInit => Ok(()),
        Reads::Nuageinit(generation) => check_nuageinit(params, given, generation),
    }
}

/// What nuageinit reads of one of `ethernets`; the first one knew the first five.
const READ: [&str; 9] =
    ["match", "dhcp4", "addresses", "gateway4", "gateway6", "set-name", "mtu", "wakeonlan", "nameservers"];
const READ_BY_THE_FIRST: usize = 5;

fn check_nuageinit(params: &Params, given: &GivenConfig, generation: Nuageinit) -> Result<()> {
    let first = generation == Nuageinit::V14_1;
    ensure!(
        !first || params.user_data.is_none(),
        "nuageinit 14.1 reads the network from the user data, which `user_data` replaces: write `network:` there, in place of `network_config`"
    );
    ensure!(
        !first || given.text().is_none(),
        "nuageinit 14.1 reads the network from the user data, into which no text can be put: give `network_config` as a dictionary"
    );
    let ethernets = match (value(given.root(), "version"), value(given.root(), "ethernets")) {
        (Some(Yaml::Plain(version)), Some(Yaml::Map(ethernets))) if version == "2" => ethernets,
        _ => bail!(
            "nuageinit reads version 2 with a dictionary `ethernets`: expected these in `network_config`"
        ),
    };
    let others = given
        .root()
        .iter()
        .map(|(key, _)| key)
        .filter(|key| !["version", "ethernets"].contains(&key.as_str()));
    ensure_read(others.cloned().collect(), "")?;
    for (name, ethernet) in ethernets {
        let Yaml::Map(entries) = ethernet else {
            bail!("`network_config` must have a dictionary in ethernets.{name}, found something else");
        };
        let read = if first { &READ[..READ_BY_THE_FIRST] } else { &READ[..] };
        let unread = entries.iter().map(|(key, _)| key).filter(|key| !read.contains(&key.as_str()));
        ensure_read(unread.cloned().collect(), &format!(" of ethernets.{name}"))?;
        check_match(name, entries, first)?;
    }
    Ok(())
}

fn ensure_read(unread: Vec<String>, of: &str) -> Result<()> {
    ensure!(
        unread.is_empty(),
        "nuageinit reads nothing of {}{of} in `network_config`: leave that out",
        unread.join(", ")
    );
    Ok(())
}

/// What has no interface makes nuageinit stop before the rest is done.
fn check_match(name: &str, entries: &[(String, Yaml)], first: bool) -> Result<()> {
    let Some(rule) = value(entries, "match") else {
        ensure!(
            !first,
            "nuageinit 14.1 finds an interface by its MAC address alone: give ethernets.{name} in `network_config` a `match` with `macaddress`"
        );
        return Ok(());
    };
    let mac = match rule {
        Yaml::Map(rules) => value(rules, "macaddress"),
        _ => {
            return Err(anyhow!(
                "`network_config` must have a dictionary in ethernets.{name}.match, found something else"
            ));
        }
    };
    match mac {
        Some(Yaml::Text(mac)) => ensure!(
            mac.chars().all(|c| !c.is_ascii_uppercase()),
            "nuageinit compares MAC addresses in lower case: found {mac:?} in ethernets.{name} of `network_config`"
        ),
        Some(_) => {
            bail!("`network_config` must have a text as macaddress in ethernets.{name}: put it in quotes")
        }
        None => ensure!(
            !first,
            "nuageinit 14.1 finds an interface by its MAC address alone: give ethernets.{name} in `network_config` a `match` with `macaddress`"
        ),
    }
    Ok(())
}

fn value<'a>(entries: &'a [(String, Yaml)], wanted: &str) -> Option<&'a Yaml> {
    entries.iter().find(|(key, _)| key == wanted).map(|(_, value)| value)
}
