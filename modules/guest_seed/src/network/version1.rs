// SPDX-License-Identifier: GPL-3.0-or-later

//! Version 1 of cloud-init's network configuration. Of version 2, cloud-init 22.4 makes no default route for ifupdown; of this one
//! it makes the right ones for every renderer, and so do all later versions.

use std::fmt::Display;
use std::net::IpAddr;

use ipnet::IpNet;

use super::nic::Nic;
use crate::params::Params;
use crate::values::Address;
use crate::yaml::{Yaml, entry};

/// What the interfaces are called, by their numbers, unless the user gives a name: cloud-init wants one.
const DEFAULT_NAME: &str = "eth";

/// The network of guest `name` with interfaces `nics`.
pub fn config(params: &Params, nics: &[Nic], name: &str) -> Yaml {
    let physical = nics.iter().map(|nic| physical(nic, name));
    let config = physical.chain(nameservers(params)).collect();
    Yaml::Map(vec![entry("version", Yaml::Number(1)), entry("config", Yaml::List(config))])
}

/// What the guest will call `nic`.
pub fn name_of(nic: &Nic) -> String {
    let default = || format!("{DEFAULT_NAME}{}", nic.index);
    nic.network.interface.as_ref().map_or_else(default, ToString::to_string)
}

fn physical(nic: &Nic, name: &str) -> Yaml {
    Yaml::map([
        ("type", Some(Yaml::text("physical"))),
        ("name", Some(Yaml::text(name_of(nic)))),
        ("mac_address", nic.mac(name).map(Yaml::text)),
        ("mtu", nic.network.mtu.map(|mtu| Yaml::Number(mtu.into()))),
        ("subnets", Some(Yaml::List(subnets(nic)))),
    ])
}

/// IPv4 addresses first: ifupdown gives the mtu to the first subnet, and one of IPv6 sets it for IPv6 alone.
fn subnets(nic: &Nic) -> Vec<Yaml> {
    let (mut nets, ipv6): (Vec<_>, Vec<_>) = nic.fixed().partition(|net| net.addr().is_ipv4());
    nets.extend(ipv6);
    let gateway_of = |number| nic.gateways().find(|gateway| subnet_of(*gateway, &nets) == Some(number));
    let numbered = nets.iter().enumerate();
    let mut subnets: Vec<_> = numbered.map(|(number, net)| fixed_subnet(*net, gateway_of(number))).collect();
    subnets.extend(automatic(nic).map(|kind| vec![entry("type", Yaml::text(kind))]));
    if let Some(first) = subnets.first_mut() {
        first.extend(list("dns_nameservers", &nic.nameservers));
        first.extend(list("dns_search", &nic.search));
    }
    subnets.into_iter().map(Yaml::Map).collect()
}

/// Of the words for DHCPv6, the newest cloud-init makes one with NetworkManager that takes no router from advertisements, and 22.4
/// asks for an IPv4 address, too, with network-scripts, but for the plain `dhcp6`.
fn automatic(nic: &Nic) -> impl Iterator<Item = &'static str> {
    let kinds = [(Address::Dhcp, "dhcp4"), (Address::Dhcp6, "dhcp6"), (Address::Advertised, "ipv6_slaac")];
    kinds.into_iter().filter(|(address, _)| nic.has(*address)).map(|(_, kind)| kind)
}

/// The number of the subnet that `gateway` is said of: one that it is in, or else the first of its family.
fn subnet_of(gateway: IpAddr, nets: &[IpNet]) -> Option<usize> {
    let same_family = |net: &IpNet| net.addr().is_ipv4() == gateway.is_ipv4();
    nets.iter().position(|net| net.contains(&gateway)).or_else(|| nets.iter().position(same_family))
}

fn fixed_subnet(net: IpNet, gateway: Option<IpAddr>) -> Vec<(String, Yaml)> {
    let kind = if net.addr().is_ipv4() { "static" } else { "static6" };
    let mut subnet = vec![entry("type", Yaml::text(kind)), entry("address", Yaml::text(net))];
    subnet.extend(gateway.map(|gateway| entry("gateway", Yaml::text(gateway))));
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
            ("type", Some(Yaml::text("nameserver"))),
            ("address", Some(Yaml::texts(&params.nameservers))),
            ("search", Some(Yaml::texts(&params.search))),
        ])
    })
}
