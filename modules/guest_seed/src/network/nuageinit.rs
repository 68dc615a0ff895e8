// SPDX-License-Identifier: GPL-3.0-or-later

//! What nuageinit would get wrong of a network.

use anyhow::{Result, bail, ensure};

use super::nic::{Nic, is_link_local, nics};
use crate::options::names;
use crate::params::Params;
use crate::values::Address;

/// Refuses a network that nuageinit would leave half done.
///
/// # Errors
/// Naming the option and the reason.
pub fn check(params: &Params) -> Result<()> {
    nics(params).iter().try_for_each(check_nic)
}

fn check_nic(nic: &Nic) -> Result<()> {
    let addresses = nic.option("addresses");
    check_ipv6(nic, &addresses)?;
    if nic.has(Address::Dhcp) {
        check_dhcp(nic, &addresses)?;
    }
    for (kind, is_ipv4) in [("IPv4", true), ("IPv6", false)] {
        let count = nic.fixed().filter(|net| net.addr().is_ipv4() == is_ipv4).count();
        ensure!(
            count <= 1,
            "nuageinit configures one {kind} address, the last of several: found {count} in {addresses}; add the others in the image"
        );
    }
    for gateway in nic.gateways() {
        if is_link_local(gateway) {
            bail!(
                "nuageinit says the gateway {gateway} without an interface, which FreeBSD needs for a link-local address: \
                 give the router's address in the network of one of {addresses}"
            );
        }
        if !nic.is_near(gateway) {
            bail!(
                "the gateway {gateway} is in the network of none of {addresses}: FreeBSD would find no way to it; \
                 give an address whose prefix covers it"
            );
        }
    }
    Ok(())
}

fn check_ipv6(nic: &Nic, addresses: &str) -> Result<()> {
    ensure!(
        !nic.has(Address::Advertised),
        "nuageinit knows no ra, found it in {addresses}: put ifconfig_vtnet{}_ipv6=\"inet6 accept_rtadv\" into the image's rc.conf, or \
         give a fixed address",
        nic.index
    );
    ensure!(
        !nic.has(Address::Dhcp6),
        "nuageinit knows no dhcp6, found it in {addresses}, and FreeBSD's base system has no client for it: put one into the image, or \
         give a fixed address"
    );
    Ok(())
}

fn check_dhcp(nic: &Nic, addresses: &str) -> Result<()> {
    ensure!(
        nic.network.mtu.is_none(),
        "nuageinit writes dhcp with {} as a line of rc.conf that has no effect: give a fixed address, or set the mtu on the DHCP server",
        nic.option("mtu")
    );
    ensure!(
        nic.fixed().next().is_none(),
        "nuageinit takes dhcp or fixed addresses, not both: found both in {addresses}"
    );
    let mut ignored = nic.given(&[("gateway", nic.network.gateway.is_some())]);
    ignored
        .extend(names(&[("nameservers", !nic.nameservers.is_empty()), ("search", !nic.search.is_empty())]));
    ensure!(
        ignored.is_empty(),
        "nuageinit ignores {} beside dhcp: leave it out, or give fixed addresses only",
        ignored.join(", ")
    );
    Ok(())
}
