// SPDX-License-Identifier: GPL-3.0-or-later

//! Where the disks of a domain are, and which of them libvirt has put elsewhere since the domain was defined: an external snapshot
//! points a disk at an overlay, a block copy at the copy. What the guest has written since is there and nowhere else.

use roxmltree::{Document, Node};

use crate::document::{child, children};
use crate::observe::Found;

/// One disk that a guest writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disk {
    pub(crate) target: String,
    pub(crate) source: String,
    /// What its source is an overlay of, as far as libvirt tells.
    backing: Vec<String>,
}

/// A disk that is not where it was defined.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) target: String,
    /// Where it is now.
    pub(crate) source: String,
    /// It is the overlay of an external snapshot, by all that libvirt tells.
    pub(crate) is_overlay: bool,
    /// The snapshot's name, where libvirt keeps it.
    pub(crate) snapshot: Option<String>,
}

/// A snapshot that libvirt keeps a description of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// The overlays that were made for it.
    pub overlays: Vec<String>,
}

impl Snapshot {
    /// Reads libvirt's XML of a snapshot.
    pub(crate) fn read(name: String, xml: &str) -> Self {
        let Ok(document) = Document::parse(xml) else { return Self { name, overlays: Vec::new() } };
        let disks = child(document.root_element(), "disks");
        let disks = disks.into_iter().flat_map(|disks| children(disks, "disk"));
        let external = disks.filter(|disk| disk.attribute("snapshot") == Some("external"));
        Self { name, overlays: external.filter_map(source).collect() }
    }
}

/// The disks of a domain's XML; none where it cannot be read.
pub(crate) fn disks(xml: &str) -> Vec<Disk> {
    let Ok(document) = Document::parse(xml) else { return Vec::new() };
    let devices = child(document.root_element(), "devices");
    let nodes = devices.into_iter().flat_map(|devices| children(devices, "disk"));
    nodes.filter_map(Disk::read).collect()
}

impl Disk {
    /// What is in a drive with removable media is not the guest's to write to.
    fn read(node: Node<'_, '_>) -> Option<Self> {
        if matches!(node.attribute("device"), Some("cdrom" | "floppy")) {
            return None;
        }
        let target = child(node, "target")?.attribute("dev")?.to_owned();
        let layers = node.descendants().filter(|node| node.has_tag_name("backingStore"));
        Some(Self { target, source: source(node)?, backing: layers.filter_map(source).collect() })
    }
}

/// The source in one word, by which it can be compared and found: a path wherever there is one.
fn source(node: Node<'_, '_>) -> Option<String> {
    let source = child(node, "source")?;
    let parts = ["file", "dev", "dir", "protocol", "pool", "name", "volume"].iter();
    let parts: Vec<_> = parts.filter_map(|name| source.attribute(*name)).collect();
    (!parts.is_empty()).then(|| plain(&parts.join(":")))
}

/// Slashes that say nothing are left out by libvirt.
fn plain(source: &str) -> String {
    let mut plain = String::with_capacity(source.len());
    for letter in source.chars() {
        if letter != '/' || !plain.ends_with('/') {
            plain.push(letter);
        }
    }
    plain
}

/// The disks of `found` that `given` would put back to where they were.
pub(crate) fn moved_away_from(given: &str, found: &Found) -> Vec<Moved> {
    let given = disks(given);
    let gives = |source: &String| given.iter().any(|disk| disk.source == *source);
    let receipt = found.defined.receipt.as_ref();
    let made = receipt.map(|receipt| disks(&receipt.made)).unwrap_or_default();
    let running = found.running.as_ref().map(|running| disks(&running.shown)).unwrap_or_default();
    let mut moved = Vec::new();
    for disk in disks(&found.defined.shown).into_iter().filter(|disk| !gives(&disk.source)) {
        let layers = running.iter().filter(|other| other.source == disk.source);
        let lies_on = |other: &Disk| other.backing.iter().any(gives);
        let snapshot = found.snapshots.iter().find(|snapshot| snapshot.overlays.contains(&disk.source));
        // Into a definition libvirt writes what a disk lies on when it takes a snapshot; whoever gives it a chain himself has a receipt.
        let lies_on_something = receipt.is_none() && !disk.backing.is_empty();
        let is_overlay =
            snapshot.is_some() || lies_on_something || lies_on(&disk) || layers.into_iter().any(lies_on);
        let was = made.iter().find(|other| other.target == disk.target);
        if is_overlay || was.is_some_and(|was| was.source != disk.source) {
            let snapshot = snapshot.map(|snapshot| snapshot.name.clone());
            moved.push(Moved { target: disk.target, source: disk.source, is_overlay, snapshot });
        }
    }
    moved
}

/// Where `given` puts the disk of that target.
pub(crate) fn source_in(given: &str, target: &str) -> Option<String> {
    disks(given).into_iter().find(|disk| disk.target == target).map(|disk| disk.source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_read_with_what_they_lie_on() {
        let xml = "<domain><devices>\
            <disk device='disk'><source file='//a//o2' index='3'/>\
              <backingStore type='file'><format type='qcow2'/><source file='/a/o1'/>\
                <backingStore type='file'><source file='/a/base'/><backingStore/></backingStore></backingStore>\
              <target dev='vda'/></disk>\
            <disk type='network'><source protocol='rbd' name='p/i'><host name='h'/></source><target dev='vdb'/></disk>\
            <disk type='volume'><source pool='p' volume='v'/><target dev='vdc'/></disk>\
            <disk device='cdrom'><source file='/seed.iso'/><target dev='sda'/></disk>\
            <disk><target dev='vdd'/></disk></devices></domain>";
        let disk = |target: &str, source: &str, backing: &[&str]| Disk {
            target: target.into(),
            source: source.into(),
            backing: backing.iter().map(|&layer| layer.into()).collect(),
        };
        let expected = [
            disk("vda", "/a/o2", &["/a/o1", "/a/base"]),
            disk("vdb", "rbd:p/i", &[]),
            disk("vdc", "p:v", &[]),
        ];
        assert_eq!(disks(xml), expected);
        assert_eq!(disks("<domain>"), []);
        assert_eq!(source_in(xml, "vdc").unwrap(), "p:v");
    }

    #[test]
    fn a_snapshots_overlays_are_read() {
        let xml = "<domainsnapshot><name>n</name><disks>\
            <disk name='vda' snapshot='external' type='file'><driver type='qcow2'/><source file='/a/o'/></disk>\
            <disk name='vdb' snapshot='internal'/><disk name='vdc' snapshot='no'/></disks></domainsnapshot>";
        assert_eq!(
            Snapshot::read("n".into(), xml),
            Snapshot { name: "n".into(), overlays: vec!["/a/o".into()] }
        );
        assert_eq!(Snapshot::read("n".into(), "<").overlays, Vec::<String>::new());
    }
}
