// SPDX-License-Identifier: GPL-3.0-or-later

//! Version 1 of cloud-init's network configuration. Of version 2, cloud-init 22.4 makes no default route for ifupdown; of this one
//! it makes the right ones for every renderer, and so do all later versions.

use std::fmt::Display;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{entry, fixed, gateways, has_dhcp, mac, text};
use crate::params::Params;
use crate::yaml::Yaml;

/// The name that the interface gets unless the user gives another: cloud-init wants one.
const DEFAULT_NAME: &str = "eth0";

/// The network of guest `name`.
pub fn config(params: &Params, name: &str) -> Yaml {
    let interface = params.interface.as_ref().map_or_else(|| DEFAULT_NAME.to_owned(), ToString::to_string);
    let nic = Yaml::map([
        ("type", Some(text("physical"))),
        ("name", Some(text(interface))),
        ("mac_address", mac(params, name).map(text)),
        ("mtu", params.mtu.map(|mtu| Yaml::Number(mtu.into()))),
        ("subnets", Some(Yaml::List(subnets(params)))),
    ]);
    let config = std::iter::once(nic).chain(nameservers(params)).collect();
    Yaml::Map(vec![entry("version", Yaml::Number(1)), entry("config", Yaml::List(config))])
}

/// IPv4 addresses first: ifupdown gives the mtu to the first subnet, and one of IPv6 sets it for IPv6 alone.
fn subnets(params: &Params) -> Vec<Yaml> {
    let (mut nets, ipv6): (Vec<_>, Vec<_>) = fixed(params).partition(|net| net.addr().is_ipv4());
    nets.extend(ipv6);
    let gateway_of = |number| gateways(params).find(|gateway| subnet_of(*gateway, &nets) == Some(number));
    let numbered = nets.iter().enumerate();
    let mut subnets: Vec<_> = numbered.map(|(number, net)| fixed_subnet(*net, gateway_of(number))).collect();
    subnets.extend(has_dhcp(params).then(|| vec![entry("type", text("dhcp4"))]));
    if let Some(first) = subnets.first_mut() {
        first.extend(list("dns_nameservers", &params.nameservers));
        first.extend(list("dns_search", &params.search));
    }
    subnets.into_iter().map(Yaml::Map).collect()
}

/// The number of the subnet that `gateway` is said of: one that it is in, or else the first of its family.
fn subnet_of(gateway: IpAddr, nets: &[IpNet]) -> Option<usize> {
    let same_family = |net: &IpNet| net.addr().is_ipv4() == gateway.is_ipv4();
    nets.iter().position(|net| net.contains(&gateway)).or_else(|| nets.iter().position(same_family))
}

fn fixed_subnet(net: IpNet, gateway: Option<IpAddr>) -> Vec<(String, Yaml)> {
    let kind = if net.addr().is_ipv4() { "static" } else { "static6" };
    let mut subnet = vec![entry("type", text(kind)), entry("address", text(net))];
    subnet.extend(gateway.map(|gateway| entry("gateway", text(gateway))));
    subnet
}

fn list<T: Display>(key: &str, items: &[T]) -> Option<(String, Yaml)> {
    (!items.is_empty()).then(|| entry(key, Yaml::texts(items)))
}

/// The name servers once more, not of a subnet: beside dhcp, systemd-networkd and network-scripts get them from here, and
/// NetworkManager and ifupdown from the first subnet. An entry without the key `address` is dropped.
fn nameservers(params: &Params) -> Option<Yaml> {
    let some = !params.nameservers.is_empty() || !params.search.is_empty();
    some.then(|| {
        Yaml::map([
            ("type", Some(text("nameserver"))),
            ("address", Some(Yaml::texts(&params.nameservers))),
            ("search", Some(Yaml::texts(&params.search))),
        ])
    })
}
