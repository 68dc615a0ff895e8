// SPDX-License-Identifier: GPL-3.0-or-later

//! The network as the guest's first-boot program takes it: nuageinit reads a part of version 2, cloud-init gets version 1.

mod checks;
mod version1;
mod version2;

use std::net::IpAddr;

use ansible_module::identity::{self, MacBlock};
use ipnet::IpNet;

pub use self::checks::{check_nuageinit, check_sense, warnings};
use crate::params::{Family, Params};
use crate::values::Address;
use crate::yaml::Yaml;

/// The network of guest `name`, or `None` where the image's own configuration shall hold.
pub fn config(params: &Params, name: &str) -> Option<Yaml> {
    if params.addresses.is_empty() {
        return None;
    }
    Some(match params.family {
        Family::FreeBsd => version2::config(params, name),
        Family::Linux => version1::config(params, name),
    })
}

fn entry(key: &str, value: Yaml) -> (String, Yaml) {
    (key.to_owned(), value)
}

fn text(value: impl ToString) -> Yaml {
    Yaml::Text(value.to_string())
}

/// By which the interface is found, unless it is found by its name.
fn mac(params: &Params, name: &str) -> Option<String> {
    match (&params.mac, &params.interface) {
        (Some(mac), _) => Some(mac.to_string()),
        (None, Some(_)) => None,
        (None, None) => Some(identity::mac_of(name, 0, MacBlock::of_this_platform())),
    }
}

fn has_dhcp(params: &Params) -> bool {
    params.addresses.contains(&Address::Dhcp)
}

fn fixed(params: &Params) -> impl Iterator<Item = IpNet> {
    params.addresses.iter().filter_map(|address| match address {
        Address::Fixed(net) => Some(*net),
        Address::Dhcp => None,
    })
}

fn gateways(params: &Params) -> impl Iterator<Item = IpAddr> {
    [params.gateway.map(IpAddr::V4), params.gateway6.map(IpAddr::V6)].into_iter().flatten()
}

/// Whether one of the fixed addresses is in the same network as `gateway`.
fn is_near(params: &Params, gateway: IpAddr) -> bool {
    fixed(params).any(|net| net.contains(&gateway))
}
