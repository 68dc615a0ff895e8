// SPDX-License-Identifier: GPL-3.0-or-later

//! What nuageinit knows of netplan's version 2: interfaces, their addresses, and a router of each family.

use super::nic::Nic;
use crate::values::Address;
use crate::yaml::{Yaml, entry};

/// What the first interface is called in the document where it is found by its MAC address.
const ID: &str = "nic";

/// The network of guest `name` with interfaces `nics`.
pub fn config(nics: &[Nic], name: &str) -> Yaml {
    let ethernets = nics.iter().map(|nic| ethernet(nic, name)).collect();
    Yaml::Map(vec![entry("version", Yaml::Number(2)), entry("ethernets", Yaml::Map(ethernets))])
}

fn ethernet(nic: &Nic, name: &str) -> (String, Yaml) {
    let network = &nic.network;
    let rename = network.interface.as_ref().map(|interface| entry("set-name", Yaml::text(interface)));
    let (id, mut entries) = match (nic.mac(name), &network.interface) {
        (None, Some(interface)) => (interface.to_string(), Vec::new()),
        (mac, _) => (id(nic.index), mac.map(by_mac).into_iter().chain(rename).collect()),
    };
    entries.extend(nic.has(Address::Dhcp).then(|| entry("dhcp4", Yaml::Bool(true))));
    let fixed: Vec<_> = nic.fixed().collect();
    entries.extend((!fixed.is_empty()).then(|| entry("addresses", Yaml::texts(fixed))));
    entries.extend(network.gateway.map(|gateway| entry("gateway4", Yaml::text(gateway))));
    entries.extend(network.gateway6.map(|gateway| entry("gateway6", Yaml::text(gateway))));
    entries.extend(network.mtu.map(|mtu| entry("mtu", Yaml::Number(mtu.into()))));
    entries.extend(nameservers(nic));
    (id, Yaml::Map(entries))
}

fn id(index: usize) -> String {
    if index == 0 { ID.to_owned() } else { format!("{ID}{index}") }
}

fn by_mac(mac: String) -> (String, Yaml) {
    entry("match", Yaml::Map(vec![entry("macaddress", Yaml::text(mac))]))
}

fn nameservers(nic: &Nic) -> Option<(String, Yaml)> {
    let servers = (!nic.nameservers.is_empty()).then(|| Yaml::texts(&nic.nameservers));
    let search = (!nic.search.is_empty()).then(|| Yaml::texts(&nic.search));
    if servers.is_none() && search.is_none() {
        return None;
    }
    Some(entry("nameservers", Yaml::map([("addresses", servers), ("search", search)])))
}
