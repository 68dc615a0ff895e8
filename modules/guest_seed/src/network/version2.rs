// SPDX-License-Identifier: GPL-3.0-or-later

//! What nuageinit knows of netplan's version 2: one interface, its addresses, and a router of each family.

use super::{entry, fixed, has_dhcp, mac, text};
use crate::params::Params;
use crate::yaml::Yaml;

/// What the interface is called in the document where it is found by its MAC address.
const ID: &str = "nic";

/// The network of guest `name`.
pub fn config(params: &Params, name: &str) -> Yaml {
    let rename = params.interface.as_ref().map(|interface| entry("set-name", text(interface)));
    let (id, mut nic) = match (mac(params, name), &params.interface) {
        (None, Some(interface)) => (interface.to_string(), Vec::new()),
        (mac, _) => (ID.to_owned(), mac.map(by_mac).into_iter().chain(rename).collect()),
    };
    nic.extend(has_dhcp(params).then(|| entry("dhcp4", Yaml::Bool(true))));
    let fixed: Vec<_> = fixed(params).collect();
    nic.extend((!fixed.is_empty()).then(|| entry("addresses", Yaml::texts(fixed))));
    nic.extend(params.gateway.map(|gateway| entry("gateway4", text(gateway))));
    nic.extend(params.gateway6.map(|gateway| entry("gateway6", text(gateway))));
    nic.extend(params.mtu.map(|mtu| entry("mtu", Yaml::Number(mtu.into()))));
    nic.extend(nameservers(params));
    Yaml::Map(vec![
        entry("version", Yaml::Number(2)),
        entry("ethernets", Yaml::Map(vec![(id, Yaml::Map(nic))])),
    ])
}

fn by_mac(mac: String) -> (String, Yaml) {
    entry("match", Yaml::Map(vec![entry("macaddress", text(mac))]))
}

fn nameservers(params: &Params) -> Option<(String, Yaml)> {
    let servers = (!params.nameservers.is_empty()).then(|| Yaml::texts(&params.nameservers));
    let search = (!params.search.is_empty()).then(|| Yaml::texts(&params.search));
    if servers.is_none() && search.is_none() {
        return None;
    }
    Some(entry("nameservers", Yaml::map([("addresses", servers), ("search", search)])))
}
