// SPDX-License-Identifier: GPL-3.0-or-later

//! The network, as netplan's version 2 says it and each reader takes it.

use std::net::IpAddr;

use ansible_module::identity::{self, MacBlock};

use crate::params::{Family, Params};
use crate::values::Address;
use crate::yaml::Yaml;

/// What the interface is called in the document where it is found by its MAC address.
const ID: &str = "nic";

/// The name that Linux gives the interface unless the user gives another: without one, cloud-init takes the id for its name.
const LINUX_NAME: &str = "eth0";

/// The network of guest `name`, or `None` where the image's own configuration shall hold.
pub fn config(params: &Params, name: &str) -> Option<Yaml> {
    if params.addresses.is_empty() {
        return None;
    }
    let by_name = params.interface.as_ref().filter(|_| params.mac.is_none());
    let (id, mut nic) = match by_name {
        Some(interface) => (interface.to_string(), Vec::new()),
        None => (ID.to_owned(), found_by_mac(params, name)),
    };
    nic.extend(addresses(params));
    if params.family == Family::Linux {
        nic.extend(routes(params));
    } else {
        nic.extend(params.gateway.map(|gateway| entry("gateway4", text(gateway))));
        nic.extend(params.gateway6.map(|gateway| entry("gateway6", text(gateway))));
    }
    nic.extend(params.mtu.map(|mtu| entry("mtu", Yaml::Number(mtu.into()))));
    nic.extend(nameservers(params));
    let version2 = Yaml::Map(vec![
        entry("version", Yaml::Number(2)),
        entry("ethernets", Yaml::Map(vec![(id, Yaml::Map(nic))])),
    ]);
    Some(version2)
}

fn entry(key: &str, value: Yaml) -> (String, Yaml) {
    (key.to_owned(), value)
}

fn text(value: impl ToString) -> Yaml {
    Yaml::Text(value.to_string())
}

fn found_by_mac(params: &Params, name: &str) -> Vec<(String, Yaml)> {
    let mac = match &params.mac {
        Some(mac) => mac.to_string(),
        None => identity::mac_of(name, 0, MacBlock::of_this_platform()),
    };
    let rename = match (&params.interface, params.family) {
        (Some(interface), _) => Some(interface.to_string()),
        (None, Family::Linux) => Some(LINUX_NAME.to_owned()),
        (None, Family::FreeBsd) => None,
    };
    let by_mac = entry("match", Yaml::Map(vec![entry("macaddress", text(mac))]));
    std::iter::once(by_mac).chain(rename.map(|interface| entry("set-name", text(interface)))).collect()
}

fn addresses(params: &Params) -> Vec<(String, Yaml)> {
    let fixed_only = |address: &Address| match address {
        Address::Fixed(net) => Some(*net),
        Address::Dhcp => None,
    };
    let fixed: Vec<_> = params.addresses.iter().filter_map(fixed_only).collect();
    let dhcp = params.addresses.contains(&Address::Dhcp).then(|| entry("dhcp4", Yaml::Bool(true)));
    let fixed = (!fixed.is_empty()).then(|| entry("addresses", Yaml::texts(fixed)));
    dhcp.into_iter().chain(fixed).collect()
}

/// Default routes: cloud-init gives gateway4 and gateway6 up, nuageinit knows nothing else.
fn routes(params: &Params) -> Option<(String, Yaml)> {
    let gateway6 = params.gateway6.map(IpAddr::V6);
    // In two halves: cloud-init 22.4 makes ::/64 of ::/0.
    let gateways =
        [("0.0.0.0/0", params.gateway.map(IpAddr::V4)), ("::/1", gateway6), ("8000::/1", gateway6)];
    let routes: Vec<_> = gateways
        .into_iter()
        .filter_map(|(to, gateway)| Some((to, gateway?)))
        .map(|(to, gateway)| {
            Yaml::map([
                ("to", Some(text(to))),
                ("via", Some(text(gateway))),
                ("on-link", (!is_near(params, gateway)).then_some(Yaml::Bool(true))),
            ])
        })
        .collect();
    (!routes.is_empty()).then(|| entry("routes", Yaml::List(routes)))
}

/// Whether the kernel knows a way to `gateway` once the addresses are set.
fn is_near(params: &Params, gateway: IpAddr) -> bool {
    let link_local = matches!(gateway, IpAddr::V6(address) if address.is_unicast_link_local());
    let dhcp = gateway.is_ipv4() && params.addresses.contains(&Address::Dhcp);
    let within = params
        .addresses
        .iter()
        .any(|address| matches!(address, Address::Fixed(net) if net.contains(&gateway)));
    link_local || dhcp || within
}

fn nameservers(params: &Params) -> Option<(String, Yaml)> {
    let servers = (!params.nameservers.is_empty()).then(|| Yaml::texts(&params.nameservers));
    let search = (!params.search.is_empty()).then(|| Yaml::texts(&params.search));
    if servers.is_none() && search.is_none() {
        return None;
    }
    Some(entry("nameservers", Yaml::map([("addresses", servers), ("search", search)])))
}
