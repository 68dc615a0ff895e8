// SPDX-License-Identifier: GPL-3.0-or-later

//! Everything worth telling about one domain.

use std::net::IpAddr;

use anyhow::{Context, Result};
use roxmltree::{Document, Node};
use serde::Serialize;
use uuid::Uuid;
use virt::sys;

use crate::difference::restart_is_due;
use crate::document::{child, children};
use crate::guest::Guest;
use crate::names::ConnectUri;
use crate::observe::{Found, look_at};
use crate::uptime::Processes;
use crate::{size, turn};

/// One domain, as the module's reply shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Details {
    name: String,
    uuid: Uuid,
    state: &'static str,
    /// Seconds since its process was started, where it runs and that is known.
    uptime: Option<u64>,
    autostart: bool,
    /// Where it starts with the host in its turn, when, and how many seconds the next one then waits.
    order: Option<u32>,
    delay: Option<u32>,
    persistent: bool,
    /// Whether its next start goes on from saved memory.
    memory_saved: bool,
    vcpus: u32,
    /// In bytes.
    memory: u64,
    disks: Vec<Disk>,
    interfaces: Vec<Interface>,
    /// What `libvirt_domain` knows of it; none where it was defined by somebody else.
    managed: Option<Managed>,
}

#[derive(Debug, Serialize)]
struct Disk {
    target: Option<String>,
    bus: Option<String>,
    source: Option<String>,
}

#[derive(Debug, Serialize)]
struct Interface {
    mac: Option<String>,
    kind: Option<String>,
    source: Option<String>,
    addresses: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Managed {
    /// The XML that was given, without passwords.
    xml: String,
    /// Whether its definition was changed by somebody else since.
    edited: bool,
    restart_required: bool,
}

/// Looks at a domain.
///
/// # Errors
/// Where libvirt cannot tell.
pub(crate) fn details(guest: &Guest, uri: &ConnectUri, processes: &Processes) -> Result<Details> {
    let found = look_at(guest, uri)?;
    let document = Document::parse(&found.defined.shown).context("reading libvirt's XML of the domain")?;
    let devices = child(document.root_element(), "devices");
    // What runs may be smaller or larger than what is defined.
    let runs = found.running.as_ref().map_or(found.defined.shown.as_str(), |running| running.shown.as_str());
    let running = Document::parse(runs).context("reading libvirt's XML of the domain")?;
    let addresses = if found.activity.is_active() { addresses(guest)? } else { Vec::new() };
    let name = guest.name()?;
    Ok(Details {
        uptime: if found.activity.is_active() { processes.uptime(&name, found.uuid) } else { None },
        name,
        uuid: found.uuid,
        state: found.activity.word(),
        autostart: found.start.marked || found.start.turn.is_some() && !turn::nobody_starts(uri),
        order: found.start.turn.and_then(|turn| turn.order),
        delay: found.start.turn.map(|turn| turn.delay),
        persistent: found.persistent,
        memory_saved: found.saved.is_some(),
        vcpus: size::online_vcpus(running.root_element()).unwrap_or(1),
        memory: size::memory(running.root_element())?.unwrap_or_default(),
        disks: devices.map(disks).unwrap_or_default(),
        interfaces: devices.map(|devices| interfaces(devices, &addresses)).unwrap_or_default(),
        managed: managed(found),
    })
}

fn managed(found: Found) -> Option<Managed> {
    let (edited, restart_required) = (!found.defined.is_untouched(), restart_is_due(&found));
    found.defined.receipt.map(|receipt| Managed { xml: receipt.given, edited, restart_required })
}

fn disks(devices: Node<'_, '_>) -> Vec<Disk> {
    let disk = |node| {
        let target = |name| child(node, "target")?.attribute(name).map(str::to_owned);
        Disk { target: target("dev"), bus: target("bus"), source: source(node) }
    };
    children(devices, "disk").map(disk).collect()
}

fn interfaces(devices: Node<'_, '_>, addresses: &[(String, IpAddr)]) -> Vec<Interface> {
    let interface = |node: Node<'_, '_>| {
        let mac = child(node, "mac").and_then(|mac| mac.attribute("address")).map(str::to_lowercase);
        let own = addresses.iter().filter(|(other, _)| Some(other) == mac.as_ref());
        let mut addresses: Vec<String> = own.map(|(_, address)| address.to_string()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        Interface { mac, kind: node.attribute("type").map(str::to_owned), source: source(node), addresses }
    };
    children(devices, "interface").map(interface).collect()
}

/// The first attribute of `<source>` that says where: a file, a device, a bridge, a network.
fn source(node: Node<'_, '_>) -> Option<String> {
    let source = child(node, "source")?;
    ["file", "dev", "bridge", "network", "volume"]
        .iter()
        .find_map(|name| source.attribute(*name))
        .map(str::to_owned)
}

/// The addresses of a running guest by MAC address, from each source that the driver has; a source that it has not, or
/// that knows nothing, tells nothing. The agent is not asked: one that hangs would hold everything up.
fn addresses(guest: &Guest) -> Result<Vec<(String, IpAddr)>> {
    let mut all = Vec::new();
    for source in [sys::VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE, sys::VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP]
    {
        for interface in guest.domain().interface_addresses(source, 0).unwrap_or_default() {
            let Some(mac) = interface.hwaddr.map(|mac| mac.to_lowercase()) else { continue };
            for address in interface.addrs {
                all.push((mac.clone(), address.addr.parse().context("reading a guest's address")?));
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::Form;
    use crate::hypervisor::Hypervisor;
    use crate::names::DomainName;
    use serde_json::json;

    #[test]
    fn the_test_drivers_domain_is_told() {
        let hypervisor =
            Hypervisor::open(&ConnectUri::try_from("test:///default".to_owned()).unwrap()).unwrap();
        let guest = hypervisor.guest(&DomainName::try_from("test".to_owned()).unwrap()).unwrap().unwrap();
        assert!(guest.xml(Form::Running).unwrap().contains("<name>test</name>"));
        assert_eq!(
            serde_json::to_value(
                details(&guest, hypervisor.uri(), &Processes::of(hypervisor.uri())).unwrap()
            )
            .unwrap(),
            json!({
                "name": "test", "uuid": "6695eb01-f6a4-8304-79aa-97f2502e193f", "state": "running",
                "uptime": null, "autostart": false, "order": null, "delay": null, "persistent": true, "memory_saved": false, "vcpus": 2, "memory": 8_589_934_592_u64,
                "disks": [{"target": "vda", "bus": "virtio", "source": "/guest/diskimage1"}],
                "interfaces": [{
                    "mac": "aa:bb:cc:dd:ee:ff", "kind": "network", "source": "default",
                    "addresses": ["192.168.122.3"],
                }],
                "managed": null,
            })
        );
    }

    #[test]
    fn devices_are_read_off_the_xml() {
        let document = Document::parse(
            "<devices><disk><source file='/a'/><target dev='vda' bus='virtio'/></disk><disk/>\
             <interface type='bridge'><mac address='52:54:00:AA:00:01'/><source bridge='br0'/></interface></devices>",
        )
        .unwrap();
        let address = |text: &str| ("52:54:00:aa:00:01".to_owned(), text.parse().unwrap());
        let known = [address("192.0.2.7"), address("2001:db8::7"), address("192.0.2.7")];
        assert_eq!(
            json!([disks(document.root_element()), interfaces(document.root_element(), &known)]),
            json!([
                [
                    {"target": "vda", "bus": "virtio", "source": "/a"},
                    {"target": null, "bus": null, "source": null}
                ],
                [{
                    "mac": "52:54:00:aa:00:01", "kind": "bridge", "source": "br0",
                    "addresses": ["192.0.2.7", "2001:db8::7"]
                }]
            ])
        );
    }
}
