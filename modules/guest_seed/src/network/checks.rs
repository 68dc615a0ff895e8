// SPDX-License-Identifier: GPL-3.0-or-later

//! What makes no sense of a network, what nuageinit would get wrong, and what some versions of cloud-init do.

use std::net::IpAddr;

use anyhow::{Result, bail, ensure};

use super::{fixed, gateways, has_dhcp, is_near};
use crate::generation::names;
use crate::params::{Family, Params};
use crate::values::Address;

/// Refuses options that contradict each other or would do nothing.
///
/// # Errors
/// Naming the option and the reason.
pub fn check_sense(params: &Params) -> Result<()> {
    let lonely = names(&[
        ("gateway", params.gateway.is_some()),
        ("gateway6", params.gateway6.is_some()),
        ("nameservers", !params.nameservers.is_empty()),
        ("search", !params.search.is_empty()),
        ("mtu", params.mtu.is_some()),
    ]);
    ensure!(
        !params.addresses.is_empty() || lonely.is_empty(),
        "{} would have no effect without `addresses`: add addresses, or dhcp",
        lonely.join(", ")
    );
    for gateway in gateways(params) {
        check_gateway(params, gateway)?;
    }
    ensure!(
        params.addresses.iter().filter(|address| **address == Address::Dhcp).count() <= 1,
        "`addresses` says dhcp twice"
    );
    if let Some(mtu) = params.mtu {
        let least = if fixed(params).any(|net| net.addr().is_ipv6()) { 1280 } else { 576 };
        ensure!(mtu >= least, "`mtu` is {mtu}: expected at least {least} for these addresses");
    }
    Ok(())
}

fn check_gateway(params: &Params, gateway: IpAddr) -> Result<()> {
    let (option, version) = if gateway.is_ipv4() { ("gateway", 4) } else { ("gateway6", 6) };
    let of_family = fixed(params).any(|net| net.addr().is_ipv4() == gateway.is_ipv4());
    let dhcp = gateway.is_ipv4() && has_dhcp(params);
    ensure!(of_family || dhcp, "`{option}` cannot be reached: `addresses` has no IPv{version} address");
    ensure!(
        of_family || params.family == Family::FreeBsd,
        "cloud-init ignores `{option}` beside dhcp, which says which router there is: leave it out, or give a fixed address"
    );
    ensure!(
        fixed(params).all(|net| net.addr() != gateway),
        "`{option}` {gateway} is the guest's own address: expected the router's"
    );
    ensure!(
        !gateway.is_unspecified() && !gateway.is_multicast() && !gateway.is_loopback(),
        "`{option}` {gateway} cannot be a router's address"
    );
    Ok(())
}

/// Refuses a network that nuageinit would leave half done.
///
/// # Errors
/// Naming the option and the reason.
pub fn check_nuageinit(params: &Params) -> Result<()> {
    if has_dhcp(params) {
        check_nuageinit_dhcp(params)?;
    }
    for (kind, is_ipv4) in [("IPv4", true), ("IPv6", false)] {
        let count = fixed(params).filter(|net| net.addr().is_ipv4() == is_ipv4).count();
        ensure!(
            count <= 1,
            "nuageinit configures one {kind} address, the last of several: found {count} in `addresses`; add the others in the image"
        );
    }
    for gateway in gateways(params) {
        if is_link_local(gateway) {
            bail!(
                "nuageinit says the gateway {gateway} without an interface, which FreeBSD needs for a link-local address: \
                 give the router's address in the network of one of `addresses`"
            );
        }
        if !is_near(params, gateway) {
            bail!(
                "the gateway {gateway} is in the network of none of `addresses`: FreeBSD would find no way to it; \
                 give an address whose prefix covers it"
            );
        }
    }
    Ok(())
}

fn check_nuageinit_dhcp(params: &Params) -> Result<()> {
    ensure!(
        params.mtu.is_none(),
        "nuageinit writes dhcp with `mtu` as a line of rc.conf that has no effect: give a fixed address, or set the mtu on the DHCP server"
    );
    ensure!(
        fixed(params).next().is_none(),
        "nuageinit takes dhcp or fixed addresses, not both: found both in `addresses`"
    );
    let ignored = names(&[
        ("gateway", params.gateway.is_some()),
        ("nameservers", !params.nameservers.is_empty()),
        ("search", !params.search.is_empty()),
    ]);
    ensure!(
        ignored.is_empty(),
        "nuageinit ignores {} beside dhcp: leave it out, or give fixed addresses only",
        ignored.join(", ")
    );
    Ok(())
}

fn is_link_local(gateway: IpAddr) -> bool {
    matches!(gateway, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// What is right with some of what cloud-init configures, and not with all.
pub fn warnings(params: &Params) -> Vec<String> {
    if params.family == Family::FreeBsd {
        return Vec::new();
    }
    let far = gateways(params).filter(|gateway| !is_near(params, *gateway) && !is_link_local(*gateway)).map(|gateway| {
        format!(
            "the gateway {gateway} is in the network of none of `addresses`: cloud-init before 23.1 with netplan, or before 24.2 with \
             systemd-networkd, as in Debian 12, then sets no default route, nor do RHEL's network-scripts; give an address whose prefix \
             covers the gateway if the guest has one of these"
        )
    });
    far.chain(beside_dhcp(params)).collect()
}

fn beside_dhcp(params: &Params) -> Vec<String> {
    let mut warnings = Vec::new();
    let unknown =
        names(&[("nameservers", !params.nameservers.is_empty()), ("search", !params.search.is_empty())]);
    if has_dhcp(params) && fixed(params).next().is_none() && !unknown.is_empty() {
        warnings.push(format!(
            "cloud-init ignores {} beside dhcp where the guest has netplan: let the DHCP server give them there, or add a fixed address",
            unknown.join(", ")
        ));
    }
    if has_dhcp(params) && params.mtu.is_some() && !fixed(params).any(|net| net.addr().is_ipv4()) {
        warnings.push(
            "`mtu` beside dhcp has no effect where the guest has ifupdown: let the DHCP server give it there, or add a fixed IPv4 address"
                .to_owned(),
        );
    }
    warnings
}
