// SPDX-License-Identifier: GPL-3.0-or-later

//! One network interface as it is asked for, by the options for the only one or by an entry of `networks`.

use std::net::IpAddr;

use ansible_module::identity::{self, MacBlock};
use ipnet::IpNet;

use crate::params::{Network, Params};
use crate::values::{Address, HostName};

/// An interface, and what is said of it.
#[derive(Clone, Debug)]
pub struct Nic {
    /// Which of the domain's it is, from 0.
    pub index: usize,
    /// Where its options are: nothing, or as in `networks[1].`.
    place: String,
    /// What is asked for.
    pub network: Network,
    /// The guest's name servers, if it is this interface that they are said of.
    pub nameservers: Vec<IpAddr>,
    /// Domains in which short names are looked up, likewise.
    pub search: Vec<HostName>,
}

/// The interfaces that `params` describe, in the order of the domain's. There is one where nothing is said of any.
pub fn nics(params: &Params) -> Vec<Nic> {
    let mut nics: Vec<_> = if params.networks.is_empty() {
        vec![Nic::new(0, String::new(), only(params))]
    } else {
        let numbered = params.networks.iter().enumerate();
        numbered
            .map(|(index, network)| Nic::new(index, format!("networks[{index}]."), network.clone()))
            .collect()
    };
    let said_of = nics.iter().position(|nic| nic.fixed().next().is_some());
    let said_of = said_of.or_else(|| nics.iter().position(Nic::is_configured)).unwrap_or(0);
    if let Some(nic) = nics.get_mut(said_of) {
        nic.nameservers.clone_from(&params.nameservers);
        nic.search.clone_from(&params.search);
    }
    nics
}

fn only(params: &Params) -> Network {
    Network {
        addresses: params.addresses.clone(),
        gateway: params.gateway,
        gateway6: params.gateway6,
        mtu: params.mtu,
        mac: params.mac.clone(),
        interface: params.interface.clone(),
    }
}

impl Nic {
    fn new(index: usize, place: String, network: Network) -> Nic {
        Nic { index, place, network, nameservers: Vec::new(), search: Vec::new() }
    }

    /// Whether the guest's program has anything to do with it.
    pub fn is_configured(&self) -> bool {
        !self.network.addresses.is_empty()
    }

    /// One of its options as errors name it.
    pub fn option(&self, name: &str) -> String {
        format!("`{}{name}`", self.place)
    }

    /// Those of its options that are given, as errors name them.
    pub fn given(&self, options: &[(&str, bool)]) -> Vec<String> {
        options.iter().filter(|(_, given)| *given).map(|(name, _)| self.option(name)).collect()
    }

    /// By which it is found, unless it is found by its name; the domain's has the address that follows from the guest's `name`.
    pub fn mac(&self, name: &str) -> Option<String> {
        match (&self.network.mac, &self.network.interface) {
            (Some(mac), _) => Some(mac.to_string()),
            (None, Some(_)) => None,
            (None, None) => Some(identity::mac_of(name, self.index, MacBlock::of_this_platform())),
        }
    }

    /// Whether `address` is one of its addresses.
    pub fn has(&self, address: Address) -> bool {
        self.network.addresses.contains(&address)
    }

    /// How it gets its IPv6 addresses from others, if it does, as the option says it.
    pub fn automatic_ipv6(&self) -> Option<&'static str> {
        let ways = [(Address::Dhcp6, "dhcp6"), (Address::Advertised, "ra")];
        ways.into_iter().find(|(address, _)| self.has(*address)).map(|(_, word)| word)
    }

    /// How it gets addresses from others, as the option says it.
    pub fn automatic(&self) -> Option<&'static str> {
        if self.has(Address::Dhcp) { Some("dhcp") } else { self.automatic_ipv6() }
    }

    /// Its fixed addresses.
    pub fn fixed(&self) -> impl Iterator<Item = IpNet> {
        self.network.addresses.iter().filter_map(|address| match address {
            Address::Fixed(net) => Some(*net),
            Address::Dhcp | Address::Dhcp6 | Address::Advertised => None,
        })
    }

    /// Its routers.
    pub fn gateways(&self) -> impl Iterator<Item = IpAddr> {
        [self.network.gateway.map(IpAddr::V4), self.network.gateway6.map(IpAddr::V6)].into_iter().flatten()
    }

    /// Whether one of its fixed addresses is in the same network as `gateway`.
    pub fn is_near(&self, gateway: IpAddr) -> bool {
        self.fixed().any(|net| net.contains(&gateway))
    }
}

/// Whether `gateway` means something on one link only.
pub fn is_link_local(gateway: IpAddr) -> bool {
    matches!(gateway, IpAddr::V6(address) if address.is_unicast_link_local())
}
