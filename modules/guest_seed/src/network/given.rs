// SPDX-License-Identifier: GPL-3.0-or-later

//! A network configuration as the user wrote it: a document of its own, which the guest's program takes as it is.

use anyhow::{Result, anyhow, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::{Yaml as Parsed, YamlLoader};

use crate::generation::{Reads, names};
use crate::params::{Nuageinit, Params};
use crate::yaml::Yaml;

/// What the program is given, and what it says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub struct GivenConfig {
    /// Where it was given as text, that text.
    text: Option<String>,
    root: Vec<(String, Yaml)>,
}

impl TryFrom<Value> for GivenConfig {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => {
                let root = parsed(&text)?;
                Ok(GivenConfig { text: Some(text), root })
            }
            Value::Object(_) => match told(value)? {
                Yaml::Map(root) => Ok(GivenConfig { text: None, root }),
                _ => Err("invalid `network_config`: expected a dictionary".to_owned()),
            },
            _ => {
                Err("invalid `network_config`: expected a dictionary, or a YAML document as text".to_owned())
            }
        }
    }
}

/// Deeper than any network is.
const DEEPEST: usize = 32;

/// Refuses what would take a reader's whole stack or memory: every document that it reads is a small one.
fn check_shape(text: &str) -> Result<(), String> {
    let tab = |line: &str| line.trim_start_matches(' ').starts_with('\t');
    if let Some(number) = text.lines().position(tab) {
        return Err(format!("`network_config` is indented with a tab in line {}: use spaces", number + 1));
    }
    let mut parser = Parser::new_from_str(text);
    let mut depth = 0_usize;
    loop {
        match parser.next_token().map_err(|error| format!("`network_config` is no YAML document: {error}"))?.0
        {
            Event::StreamEnd => return Ok(()),
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            Event::Alias(..) => {
                return Err("`network_config` has an alias: write out what it stands for".to_owned());
            }
            _ => {}
        }
        if depth > DEEPEST {
            return Err(format!("`network_config` is nested deeper than {DEEPEST}, as no network is"));
        }
    }
}

fn parsed(text: &str) -> Result<Vec<(String, Yaml)>, String> {
    check_shape(text)?;
    let mut documents = YamlLoader::load_from_str(text)
        .map_err(|error| format!("`network_config` is no YAML document: {error}"))?
        .into_iter();
    match (documents.next().map(read).transpose()?, documents.next()) {
        (Some(Yaml::Map(root)), None) => Ok(root),
        (Some(Yaml::Map(_)), Some(_)) => {
            Err("`network_config` has several YAML documents: expected one".to_owned())
        }
        _ => {
            Err("invalid `network_config`: expected a dictionary, or a YAML document that is one".to_owned())
        }
    }
}

fn read(node: Parsed) -> Result<Yaml, String> {
    Ok(match node {
        Parsed::String(text) => Yaml::Text(text),
        Parsed::Integer(number) => Yaml::Plain(number.to_string()),
        Parsed::Real(number) => Yaml::Plain(number),
        Parsed::Boolean(flag) => Yaml::Bool(flag),
        Parsed::Null => Yaml::Plain("null".to_owned()),
        Parsed::Array(items) => Yaml::List(items.into_iter().map(read).collect::<Result<_, _>>()?),
        Parsed::Hash(entries) => {
            let entry = |(key, value)| match read(key)? {
                Yaml::Text(key) | Yaml::Plain(key) => Ok((key, read(value)?)),
                _ => Err("`network_config` has a key that is no text".to_owned()),
            };
            Yaml::Map(entries.into_iter().map(entry).collect::<Result<_, String>>()?)
        }
        Parsed::Alias(_) | Parsed::BadValue => {
            return Err("`network_config` has a value that cannot be read".to_owned());
        }
    })
}

fn told(value: Value) -> Result<Yaml, String> {
    Ok(match value {
        Value::String(text) => Yaml::Text(text),
        Value::Number(number) => Yaml::Plain(number.to_string()),
        Value::Bool(flag) => Yaml::Bool(flag),
        Value::Null => Yaml::Plain("null".to_owned()),
        Value::Array(items) => Yaml::List(items.into_iter().map(told).collect::<Result<_, _>>()?),
        Value::Object(entries) => {
            let entry = |(key, value)| Ok((key, told(value)?));
            Yaml::Map(entries.into_iter().map(entry).collect::<Result<_, String>>()?)
        }
    })
}

impl GivenConfig {
    /// The text that was given, if it was one, ending in a newline.
    pub fn text(&self) -> Option<String> {
        self.text.as_ref().map(|text| format!("{}\n", text.strip_suffix('\n').unwrap_or(text)))
    }

    /// What it says.
    pub fn tree(&self) -> Yaml {
        Yaml::Map(self.root.clone())
    }
}

/// Refuses a configuration that `reads` would not take, and one beside options that it stands in place of.
///
/// # Errors
/// Naming the option or the key, and the reason.
pub fn check(params: &Params, given: &GivenConfig, reads: Reads) -> Result<()> {
    let replaced = names(&[
        ("addresses", !params.addresses.is_empty()),
        ("gateway", params.gateway.is_some()),
        ("gateway6", params.gateway6.is_some()),
        ("nameservers", !params.nameservers.is_empty()),
        ("search", !params.search.is_empty()),
        ("mtu", params.mtu.is_some()),
        ("mac", params.mac.is_some()),
        ("interface", params.interface.is_some()),
        ("networks", !params.networks.is_empty()),
    ]);
    ensure!(
        replaced.is_empty(),
        "`network_config` stands in place of {}: write into it what they say, or leave it out",
        replaced.join(", ")
    );
    ensure!(
        !given.root.iter().any(|(key, _)| key == "network"),
        "`network_config` has a key network around it, which not every version takes off: leave that key out, and give what is below it"
    );
    let version = value(&given.root, "version");
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
        !first || given.text.is_none(),
        "nuageinit 14.1 reads the network from the user data, into which no text can be put: give `network_config` as a dictionary"
    );
    let ethernets = match (value(&given.root, "version"), value(&given.root, "ethernets")) {
        (Some(Yaml::Plain(version)), Some(Yaml::Map(ethernets))) if version == "2" => ethernets,
        _ => bail!(
            "nuageinit reads version 2 with a dictionary `ethernets`: expected these in `network_config`"
        ),
    };
    let others =
        given.root.iter().map(|(key, _)| key).filter(|key| !["version", "ethernets"].contains(&key.as_str()));
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
