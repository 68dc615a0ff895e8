// SPDX-License-Identifier: GPL-3.0-or-later

//! A domain as the user describes it: the XML that was given, checked, and the parts of it that we look at.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use roxmltree::{Document, Node};
use uuid::Uuid;

use crate::document::{self, child, children};
use crate::names::DomainName;
use crate::size;
use crate::turn::Turn;

/// A domain definition that may be given to libvirt.
#[derive(Debug)]
pub struct Definition {
    /// The XML as it was given.
    text: String,
    /// The same without passwords, to be shown and kept.
    shown: String,
    /// Digest of what it says.
    meaning: String,
    secrets: Vec<String>,
    uuid: Option<Uuid>,
    /// Where a UUID goes that it does not have.
    after_name: usize,
    /// Where metadata of ours go.
    metadata: Gap,
    interfaces: Vec<Interface>,
    /// Memory in bytes, where it says so.
    memory: Option<u64>,
    vcpus: Option<u32>,
    disks: Vec<PathBuf>,
    bridges: BTreeSet<String>,
}

#[derive(Debug)]
struct Interface {
    mac: Option<String>,
    /// Where a MAC goes that it does not have.
    gap: Gap,
}

/// Where something goes that is not there: the text to replace, and what comes before and after it.
#[derive(Debug)]
struct Gap {
    place: Range<usize>,
    before: &'static str,
    after: &'static str,
}

impl Definition {
    /// Checks `xml` and takes it apart.
    ///
    /// # Errors
    /// Where it is not well-formed, is too large, is not a domain, or is the definition of another domain than `name`.
    pub fn parse(xml: &str, name: &DomainName) -> Result<Self> {
        Self::take_apart(document::plain(xml), name)
            .with_context(|| format!("reading option `xml` of domain {name}"))
    }

    fn take_apart(text: String, name: &DomainName) -> Result<Self> {
        ensure!(!text.contains('\0'), "expected XML, found a NUL byte");
        let document = document::parse(&text)?;
        let root = document.root_element();
        if root.tag_name().name() != "domain" || root.tag_name().namespace().is_some() {
            bail!("expected a <domain>, found a <{}>", root.tag_name().name());
        }
        ensure!(root.attribute("type").is_some(), "expected <domain type='...'>, found no type");
        let after_name = find_name(root, name)?;
        let devices = child(root, "devices");
        let interfaces = devices
            .into_iter()
            .flat_map(|devices| children(devices, "interface"))
            .map(|node| Interface::find(node, &text))
            .collect::<Result<Vec<_>>>()?;
        expect_different(&interfaces)?;
        expect_few(root, "vcpu", 1)?;
        expect_few(root, "iothreads", 0)?;
        Ok(Self {
            shown: document::without_secrets(&document),
            meaning: document::meaning(&document),
            secrets: document::secrets(&document).map(|secret| secret.value().to_owned()).collect(),
            uuid: find_uuid(root)?,
            after_name,
            metadata: match child(root, "metadata") {
                Some(node) => Gap::inside(node, &text, "</metadata>"),
                None => Gap { place: after_name..after_name, before: "<metadata>", after: "</metadata>" },
            },
            interfaces,
            memory: size::memory(root)?,
            vcpus: size::vcpus(root),
            disks: devices.map(find_disks).unwrap_or_default(),
            bridges: devices.map(find_bridges).unwrap_or_default(),
            text,
        })
    }

    /// The XML to show and to keep: as given, without passwords.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Digest of what the XML says, passwords included.
    pub fn meaning(&self) -> &str {
        &self.meaning
    }

    /// The text with the definition's passwords replaced by asterisks, as they are or with bhyve's doubled commas.
    pub(crate) fn hide_secrets(&self, mut text: String) -> String {
        for secret in self.secrets.iter().filter(|secret| !secret.is_empty()) {
            for form in [secret.replace(',', ",,"), secret.replace('\'', r"'\''"), secret.clone()] {
                text = text.replace(&form, "********");
            }
        }
        text
    }

    /// The UUID it gives.
    pub fn uuid(&self) -> Option<Uuid> {
        self.uuid
    }

    /// The MAC address of each network interface, in lower case, where it gives one.
    pub fn macs(&self) -> impl Iterator<Item = Option<&str>> {
        self.interfaces.iter().map(|interface| interface.mac.as_deref())
    }

    /// Memory in bytes.
    pub fn memory(&self) -> Option<u64> {
        self.memory
    }

    /// Virtual processors.
    pub fn vcpus(&self) -> Option<u32> {
        self.vcpus
    }

    /// Files and devices of this machine that are its disks.
    pub fn disks(&self) -> &[PathBuf] {
        &self.disks
    }

    /// Bridges of this machine that its interfaces are on.
    pub fn bridges(&self) -> &BTreeSet<String> {
        &self.bridges
    }

    /// The XML for libvirt: as given, with `uuid` and one of `macs` per interface where it gives none, and with its turn.
    pub(crate) fn complete(&self, uuid: Uuid, macs: &[String], turn: Option<Turn>) -> String {
        let bare = self.interfaces.iter().zip(macs).filter(|(interface, _)| interface.mac.is_none());
        let mut parts: Vec<_> =
            bare.map(|(interface, mac)| interface.gap.filled(&format!("<mac address='{mac}'/>"))).collect();
        parts.extend(turn.map(|turn| self.metadata.filled(&turn.in_metadata())));
        if self.uuid.is_none() {
            parts.push((self.after_name..self.after_name, format!("<uuid>{uuid}</uuid>")));
        }
        // From the end, so that the places before stay what they are; of two for one place, the later one comes to stand first.
        parts.sort_by_key(|(place, _)| Reverse(place.start));
        let mut text = self.text.clone();
        parts.into_iter().for_each(|(place, part)| text.replace_range(place, &part));
        text
    }
}

impl Gap {
    /// At the beginning of `node`, which ends with `closing` unless it is empty.
    fn inside(node: Node<'_, '_>, text: &str, closing: &'static str) -> Self {
        let range = node.range();
        let (place, before, after) = match node.first_child() {
            Some(first) => (first.range().start..first.range().start, "", ""),
            None if text[range.clone()].ends_with("/>") => (range.end - 2..range.end, ">", closing),
            None => {
                let at = range.start + text[range.clone()].rfind("</").unwrap_or(range.len());
                (at..at, "", "")
            }
        };
        Self { place, before, after }
    }

    fn filled(&self, with: &str) -> (Range<usize>, String) {
        (self.place.clone(), format!("{}{with}{}", self.before, self.after))
    }
}

impl Interface {
    fn find(node: Node<'_, '_>, text: &str) -> Result<Self> {
        let mac = child(node, "mac").and_then(|mac| mac.attribute("address")).map(str::to_lowercase);
        if let Some(mac) = mac.as_deref() {
            let octets: Vec<_> = mac.split(':').collect();
            let valid = |octet: &&str| octet.len() == 2 && octet.bytes().all(|b| b.is_ascii_hexdigit());
            ensure!(
                octets.len() == 6 && octets.iter().all(valid),
                "expected a MAC address as in 52:54:00:12:34:56, found {mac:?}"
            );
        }
        Ok(Self { mac, gap: Gap::inside(node, text, "</interface>") })
    }
}

fn expect_different(interfaces: &[Interface]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for mac in interfaces.iter().filter_map(|interface| interface.mac.as_deref()) {
        ensure!(seen.insert(mac), "expected a MAC address of its own on each interface, found {mac} twice");
    }
    Ok(())
}

/// Most processors and threads of a guest, as many as Linux knows on x86.
const MOST: u64 = 8192;

/// A number in the billions, which -1 is to libvirt, makes its daemon allocate until it aborts (11.3).
fn expect_few(root: Node<'_, '_>, name: &str, least: u64) -> Result<()> {
    let Some(node) = child(root, name) else { return Ok(()) };
    let text = node.text().unwrap_or_default().trim();
    let number: Option<u64> = text.parse().ok();
    ensure!(
        number.is_some_and(|number| (least..=MOST).contains(&number)),
        "expected <{name}> to be {least} to {MOST}, found {text:?}"
    );
    Ok(())
}

/// Checks the name and tells where its element ends.
fn find_name(root: Node<'_, '_>, name: &DomainName) -> Result<usize> {
    let names: Vec<_> = children(root, "name").collect();
    let [node] = names.as_slice() else { bail!("expected one <name>, found {}", names.len()) };
    let found = node.text().unwrap_or_default();
    ensure!(
        node.children().count() <= 1 && found == name.as_str(),
        "expected <name>{name}</name> as in option `name`, found {found:?}"
    );
    Ok(node.range().end)
}

fn find_uuid(root: Node<'_, '_>) -> Result<Option<Uuid>> {
    let uuids: Vec<_> = children(root, "uuid").collect();
    match uuids.as_slice() {
        [] => Ok(None),
        [node] => {
            let text = node.text().unwrap_or_default().trim();
            Uuid::parse_str(text).map(Some).with_context(|| format!("expected a UUID, found {text:?}"))
        }
        more => bail!("expected at most one <uuid>, found {}", more.len()),
    }
}

fn find_disks(devices: Node<'_, '_>) -> Vec<PathBuf> {
    children(devices, "disk")
        .filter_map(|disk| {
            let source = child(disk, "source")?;
            match disk.attribute("type") {
                Some("file") => source.attribute("file"),
                Some("block") => source.attribute("dev"),
                _ => None,
            }
        })
        .map(PathBuf::from)
        .collect()
}

fn find_bridges(devices: Node<'_, '_>) -> BTreeSet<String> {
    children(devices, "interface")
        .filter(|interface| interface.attribute("type") == Some("bridge"))
        .filter_map(|interface| child(interface, "source")?.attribute("bridge"))
        .map(str::to_owned)
        .collect()
}

/// The MAC addresses of a domain that exists, in lower case and in its own order.
pub(crate) fn macs_of(document: &Document<'_>) -> Vec<String> {
    let devices = child(document.root_element(), "devices");
    let interfaces = devices.into_iter().flat_map(|devices| children(devices, "interface"));
    interfaces.filter_map(|node| child(node, "mac")?.attribute("address")).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests;
