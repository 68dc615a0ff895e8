// SPDX-License-Identifier: GPL-3.0-or-later

//! What makes no sense of a network, whoever reads it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use anyhow::{Result, bail, ensure};

use super::nic::{Nic, nics};
use super::{given, version1};
use crate::options::{self, About, names};
use crate::params::{Family, Params};
use crate::reads::Reads;
use crate::values::Address;

/// Refuses options that contradict each other or would do nothing.
///
/// # Errors
/// Naming the option and the reason.
pub fn check(params: &Params, reads: Reads) -> Result<()> {
    if let Some(given) = &params.network_config {
        return given::check(params, given, reads);
    }
    check_forms(params)?;
    let nics = nics(params);
    for nic in &nics {
        check_nic(nic, params.family)?;
    }
    check_together(&nics, params.family)
}

fn check_forms(params: &Params) -> Result<()> {
    let only = options::given(params, &[About::Interface]);
    ensure!(
        params.networks.is_empty() || only.is_empty(),
        "{} beside `networks` would be of no interface: move that into the entry of `networks` that it is meant for",
        only.join(", ")
    );
    Ok(())
}

fn check_nic(nic: &Nic, family: Family) -> Result<()> {
    let network = &nic.network;
    let mut lonely =
        nic.given(&[("gateway", network.gateway.is_some()), ("gateway6", network.gateway6.is_some())]);
    lonely.extend(names(&[("nameservers", !nic.nameservers.is_empty()), ("search", !nic.search.is_empty())]));
    lonely.extend(nic.given(&[("mtu", network.mtu.is_some())]));
    ensure!(
        nic.is_configured() || lonely.is_empty(),
        "{} would have no effect without {}: add addresses, or dhcp",
        lonely.join(", "),
        nic.option("addresses")
    );
    for gateway in nic.gateways() {
        check_gateway(nic, gateway, family)?;
    }
    check_automatic(nic)?;
    if let Some(mtu) = network.mtu {
        let ipv6 = nic.automatic_ipv6().is_some() || nic.fixed().any(|net| net.addr().is_ipv6());
        let least = if ipv6 { 1280 } else { 576 };
        ensure!(
            mtu >= least,
            "{} is {mtu}: expected at least {least} for these addresses",
            nic.option("mtu")
        );
    }
    Ok(())
}

fn check_gateway(nic: &Nic, gateway: IpAddr, family: Family) -> Result<()> {
    let (option, version) = if gateway.is_ipv4() { ("gateway", 4) } else { ("gateway6", 6) };
    let (option, addresses) = (nic.option(option), nic.option("addresses"));
    let of_family = nic.fixed().any(|net| net.addr().is_ipv4() == gateway.is_ipv4());
    let automatic =
        if gateway.is_ipv4() { nic.has(Address::Dhcp).then_some("dhcp") } else { nic.automatic_ipv6() };
    ensure!(
        of_family || automatic.is_some(),
        "{option} cannot be reached: {addresses} has no IPv{version} address"
    );
    ensure!(
        of_family || family == Family::FreeBsd,
        "cloud-init ignores {option} beside {}, which says which router there is: leave it out, or give a fixed address",
        automatic.unwrap_or_default()
    );
    ensure!(
        nic.fixed().all(|net| net.addr() != gateway),
        "{option} {gateway} is the guest's own address: expected the router's"
    );
    ensure!(
        !gateway.is_unspecified() && !gateway.is_multicast() && !gateway.is_loopback(),
        "{option} {gateway} cannot be a router's address"
    );
    Ok(())
}

fn check_automatic(nic: &Nic) -> Result<()> {
    let addresses = nic.option("addresses");
    for (address, word) in [(Address::Dhcp, "dhcp"), (Address::Dhcp6, "dhcp6"), (Address::Advertised, "ra")] {
        let times = nic.network.addresses.iter().filter(|each| **each == address).count();
        ensure!(times <= 1, "{addresses} says {word} twice");
    }
    ensure!(
        !(nic.has(Address::Dhcp6) && nic.has(Address::Advertised)),
        "{addresses} says dhcp6 and ra: with dhcp6 the router is that of the advertisements, too, so give dhcp6 alone where the network \
         has a DHCPv6 server, and ra alone where it has none"
    );
    if let Some(word) = nic.automatic_ipv6() {
        ensure!(
            nic.fixed().all(|net| net.addr().is_ipv4()),
            "{addresses} has a fixed IPv6 address beside {word}: cloud-init then has network-scripts ignore the router's advertisements; \
             give {word} alone, or the fixed address alone, with `gateway6`"
        );
    }
    Ok(())
}

/// What only one of several interfaces can have.
fn check_together(nics: &[Nic], family: Family) -> Result<()> {
    for (option, kind, is_ipv4) in [("gateway", "IPv4", true), ("gateway6", "IPv6", false)] {
        let of_family = |nic: &&Nic| nic.gateways().any(|gateway| gateway.is_ipv4() == is_ipv4);
        let routers: Vec<_> = nics.iter().filter(of_family).map(|nic| nic.option(option)).collect();
        ensure!(
            routers.len() <= 1,
            "{} are default routes for {kind}, of which a guest has one: leave all but one out; for networks behind another router, \
             add their routes in the guest",
            routers.join(" and ")
        );
    }
    let addresses = |nic: &Nic| nic.fixed().map(|net| net.addr().to_string()).collect::<BTreeSet<_>>();
    check_unique(nics, "addresses", |nic| addresses(nic).into_iter().collect())?;
    check_unique(nics, "mac", |nic| nic.network.mac.iter().map(ToString::to_string).collect())?;
    check_unique(nics, "interface", |nic| match &nic.network.interface {
        Some(name) => vec![name.to_string()],
        None if family == Family::Linux && nic.is_configured() => vec![version1::name_of(nic)],
        None => Vec::new(),
    })
}

fn check_unique(nics: &[Nic], option: &str, of: impl Fn(&Nic) -> Vec<String>) -> Result<()> {
    let mut seen: Vec<(String, String)> = Vec::new();
    for nic in nics {
        for value in of(nic) {
            if let Some((first, _)) = seen.iter().find(|(_, known)| *known == value) {
                bail!(
                    "{} and {first} both say {value}: expected each on one interface only",
                    nic.option(option)
                );
            }
            seen.push((nic.option(option), value));
        }
    }
    Ok(())
}
