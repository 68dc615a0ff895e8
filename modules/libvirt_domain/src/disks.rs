// SPDX-License-Identifier: GPL-3.0-or-later

//! Where the disks of a domain are, and those of its snapshots.

use roxmltree::{Document, Node};

use crate::document::{child, children};

/// One disk that a guest writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disk {
    pub(crate) target: String,
    pub(crate) source: String,
    /// What its source is an overlay of, as far as libvirt tells.
    pub(crate) backing: Vec<String>,
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
