// SPDX-License-Identifier: GPL-3.0-or-later

//! What is right with some of what configures a guest, and not with all.

use super::nic::{Nic, is_link_local, nics};
use crate::options::names;
use crate::params::{Family, Params};
use crate::values::Address;

/// What the user should know of the network.
pub fn warnings(params: &Params) -> Vec<String> {
    let nics = nics(params);
    let mut warnings: Vec<_> =
        [true, false].into_iter().filter_map(|ipv4| several_routes(&nics, ipv4)).collect();
    if params.family == Family::Linux {
        warnings.extend(nics.iter().flat_map(|nic| far(nic).chain(beside_automatic(nic))));
    }
    warnings
}

/// Where several interfaces bring a default route, which one counts is nobody's choice.
fn several_routes(nics: &[Nic], is_ipv4: bool) -> Option<String> {
    let kind = if is_ipv4 { "IPv4" } else { "IPv6" };
    let automatic =
        |nic: &Nic| if is_ipv4 { nic.has(Address::Dhcp).then_some("dhcp") } else { nic.automatic_ipv6() };
    let source = |nic: &Nic| {
        let option = if is_ipv4 { "gateway" } else { "gateway6" };
        let given = nic.gateways().any(|gateway| gateway.is_ipv4() == is_ipv4).then(|| nic.option(option));
        given.or_else(|| automatic(nic).map(|word| format!("{word} in {}", nic.option("addresses"))))
    };
    let sources: Vec<_> = nics.iter().filter_map(source).collect();
    (sources.len() > 1).then(|| {
        format!(
            "the guest may get several default routes for {kind}, by {}: let all but one of these networks announce no router, or give fixed \
             addresses without a gateway there",
            sources.join(" and by ")
        )
    })
}

fn far(nic: &Nic) -> impl Iterator<Item = String> {
    let far = nic.gateways().filter(|gateway| !nic.is_near(*gateway) && !is_link_local(*gateway));
    far.map(|gateway| {
        format!(
            "the gateway {gateway} is in the network of none of {}: cloud-init before 23.1 with netplan, or before 24.2 with \
             systemd-networkd, as in Debian 12, then sets no default route, nor do RHEL's network-scripts; give an address whose prefix \
             covers the gateway if the guest has one of these",
            nic.option("addresses")
        )
    })
}

fn beside_automatic(nic: &Nic) -> Vec<String> {
    let mut warnings = Vec::new();
    let Some(word) = nic.automatic() else { return warnings };
    let server = if word == "ra" { "router" } else { "DHCP server" };
    let unknown = names(&[("nameservers", !nic.nameservers.is_empty()), ("search", !nic.search.is_empty())]);
    if nic.fixed().next().is_none() && !unknown.is_empty() {
        warnings.push(format!(
            "cloud-init ignores {} beside {word} where the guest has netplan: let the {server} give them there, or add a fixed address",
            unknown.join(", ")
        ));
    }
    if nic.network.mtu.is_some() && !nic.fixed().any(|net| net.addr().is_ipv4()) {
        warnings.push(format!(
            "{} beside {word} has no effect where the guest has ifupdown: let the {server} give it there, or add a fixed IPv4 address",
            nic.option("mtu")
        ));
    }
    warnings
}
