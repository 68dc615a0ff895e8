// SPDX-License-Identifier: GPL-3.0-or-later

//! Tests of several interfaces, and of IPv6 addresses that others give.

mod given;

use serde_json::{Value, json};

use crate::documents::{Documents, wanted};
use crate::params::Params;

pub(super) fn params(options: Value) -> Result<Params, String> {
    let mut all = json!({"path": "/seeds/web1", "name": "web1"});
    all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    serde_json::from_value(all).map_err(|error| error.to_string())
}

pub(super) fn rendered(options: Value) -> (Documents, Vec<String>) {
    let wanted = wanted(&params(options).unwrap()).unwrap().unwrap();
    (wanted.documents, wanted.warnings)
}

pub(super) fn network(options: Value) -> String {
    rendered(options).0.network_config.unwrap()
}

pub(super) fn refused(cases: &[(Value, &str)]) {
    for (options, message) in cases {
        let error = match params(options.clone()) {
            Ok(params) => format!("{:#}", wanted(&params).unwrap_err()),
            Err(error) => error,
        };
        let error = error.strip_prefix("rendering the seed of guest web1: ").unwrap_or(&error);
        assert_eq!(error, *message, "{options}");
    }
}

#[test]
fn each_interface_is_found_by_the_address_that_the_domain_gives_it() {
    let networks = json!([{"addresses": ["192.0.2.11/24"], "gateway": "192.0.2.1"}, {}, {"addresses": ["10.0.0.11/24"], "mtu": 9000}]);
    let options = |family: &str| json!({"family": family, "nuageinit": "15.0", "networks": networks, "nameservers": ["192.0.2.53"], "search": ["a.example"]});
    if cfg!(target_os = "freebsd") {
        return;
    }
    // As libvirt_domain makes them of the name and the interface's number.
    assert_eq!(
        network(options("linux")),
        "version: 1\nconfig:\n  - type: 'physical'\n    name: 'eth0'\n    mac_address: '52:54:00:9d:41:71'\n    subnets:\n      \
         - type: 'static'\n        address: '192.0.2.11/24'\n        gateway: '192.0.2.1'\n        dns_nameservers:\n          \
         - '192.0.2.53'\n        dns_search:\n          - 'a.example'\n  \
         - type: 'physical'\n    name: 'eth2'\n    mac_address: '52:54:00:72:bc:f7'\n    mtu: 9000\n    subnets:\n      \
         - type: 'static'\n        address: '10.0.0.11/24'\n  \
         - type: 'nameserver'\n    address:\n      - '192.0.2.53'\n    search:\n      - 'a.example'\n"
    );
    assert_eq!(
        network(options("freebsd")),
        "version: 2\nethernets:\n  nic:\n    match:\n      macaddress: '52:54:00:9d:41:71'\n    addresses:\n      - '192.0.2.11/24'\n    \
         gateway4: '192.0.2.1'\n    nameservers:\n      addresses:\n        - '192.0.2.53'\n      search:\n        - 'a.example'\n  \
         nic2:\n    match:\n      macaddress: '52:54:00:72:bc:f7'\n    addresses:\n      - '10.0.0.11/24'\n    mtu: 9000\n"
    );
}

#[test]
fn the_first_nuageinit_has_several_in_its_one_document() {
    let (documents, _) = rendered(json!({"networks": [
        {"addresses": ["192.0.2.11/24"], "gateway": "192.0.2.1", "mac": "58:9C:FC:00:00:0A"}, {"addresses": ["dhcp"], "mac": "58:9c:fc:00:00:0b"}]}));
    assert!(
        documents.user_data.ends_with(
            "network:\n  version: 2\n  ethernets:\n    nic:\n      match:\n        macaddress: '58:9c:fc:00:00:0a'\n      \
             addresses:\n        - '192.0.2.11/24'\n      gateway4: '192.0.2.1'\n    nic1:\n      match:\n        \
             macaddress: '58:9c:fc:00:00:0b'\n      dhcp4: true\n"
        ),
        "{}",
        documents.user_data
    );
}

#[test]
fn one_of_networks_is_what_the_short_form_is() {
    for family in ["linux", "freebsd"] {
        let one = json!({"addresses": ["192.0.2.11/24", "2001:db8::11/64"], "gateway": "192.0.2.1", "gateway6": "2001:db8::1",
                         "mtu": 1400, "mac": "52:54:00:00:00:01", "interface": "wan"});
        let mut short = json!({"family": family, "nuageinit": "15.0", "nameservers": ["192.0.2.53"]});
        let mut long = short.clone();
        short.as_object_mut().unwrap().extend(one.as_object().unwrap().clone());
        long.as_object_mut().unwrap().insert("networks".into(), json!([one]));
        assert_eq!(rendered(short), rendered(long));
    }
}

#[test]
fn name_servers_are_said_of_an_interface_with_fixed_addresses() {
    let options = json!({"nuageinit": "15.0", "networks": [{"addresses": ["dhcp"]}, {"addresses": ["192.0.2.11/24"]}], "nameservers": ["192.0.2.53"]});
    let text = network(options);
    let (before, after) = text.split_once("nic1:").unwrap();
    assert!(!before.contains("nameservers") && after.contains("192.0.2.53"), "{text}");
}

#[test]
fn interfaces_that_contradict_each_other_are_refused() {
    let of = |networks: Value| json!({"family": "linux", "networks": networks});
    refused(&[
        (
            json!({"family": "linux", "networks": [{}], "addresses": ["dhcp"], "gateway": "192.0.2.1", "mac": "52:54:00:00:00:01"}),
            "`addresses`, `gateway`, `mac` beside `networks` would be of no interface: move that into the entry of `networks` that it is meant for",
        ),
        (
            of(
                json!([{"addresses": ["192.0.2.11/24"], "gateway": "192.0.2.1"}, {"addresses": ["10.0.0.11/24"], "gateway": "10.0.0.1"}]),
            ),
            "`networks[0].gateway` and `networks[1].gateway` are default routes for IPv4, of which a guest has one: leave all but one out; \
             for networks behind another router, add their routes in the guest",
        ),
        (
            of(
                json!([{"addresses": ["2001:db8::11/64"], "gateway6": "2001:db8::1"}, {"addresses": ["2001:db8:1::11/64"], "gateway6": "fe80::1"}]),
            ),
            "`networks[0].gateway6` and `networks[1].gateway6` are default routes for IPv6, of which a guest has one: leave all but one out; \
             for networks behind another router, add their routes in the guest",
        ),
        (
            of(json!([{"addresses": ["192.0.2.11/24"]}, {"addresses": ["192.0.2.11/25"]}])),
            "`networks[1].addresses` and `networks[0].addresses` both say 192.0.2.11: expected each on one interface only",
        ),
        (
            of(json!([{"mac": "52:54:00:00:00:0A"}, {"mac": "52:54:00:00:00:0a"}])),
            "`networks[1].mac` and `networks[0].mac` both say 52:54:00:00:00:0a: expected each on one interface only",
        ),
        (
            of(
                json!([{"addresses": ["dhcp"], "interface": "eth1", "mac": "52:54:00:00:00:01"}, {"addresses": ["192.0.2.11/24"]}]),
            ),
            "`networks[1].interface` and `networks[0].interface` both say eth1: expected each on one interface only",
        ),
        (
            of(json!([{"addresses": ["dhcp"]}, {"mtu": 1400, "gateway": "192.0.2.1"}])),
            "`networks[1].gateway`, `networks[1].mtu` would have no effect without `networks[1].addresses`: add addresses, or dhcp",
        ),
        (
            json!({"family": "linux", "networks": [{}, {}], "nameservers": ["192.0.2.53"]}),
            "`nameservers` would have no effect without `networks[0].addresses`: add addresses, or dhcp",
        ),
        (
            json!({"nuageinit": "14.1", "networks": [{"addresses": ["192.0.2.11/24"]}, {"addresses": ["10.0.0.1/24"], "mtu": 9000, "interface": "lan"}]}),
            "nuageinit 14.1 does not understand `networks[1].mtu`, `networks[1].interface`: put that into the image, or set `nuageinit: \"15.0\"` \
             if the guest's FreeBSD has that one",
        ),
        (
            json!({"networks": [{"addresses": ["192.0.2.11/24"]}], "user_data": "#cloud-config\nusers: []\n"}),
            "nuageinit 14.1 reads the network from the user data, which `user_data` replaces: write `network:` there, in place of `networks[0].addresses`",
        ),
        (
            json!({"networks": [{"addresses": ["dhcp"]}, {"addresses": ["192.0.2.11/24"], "gateway": "10.0.0.1"}]}),
            "the gateway 10.0.0.1 is in the network of none of `networks[1].addresses`: FreeBSD would find no way to it; \
             give an address whose prefix covers it",
        ),
    ]);
}

#[test]
fn several_default_routes_that_others_give_are_told() {
    let warnings = |networks: Value| rendered(json!({"family": "linux", "networks": networks})).1;
    assert_eq!(
        warnings(
            json!([{"addresses": ["192.0.2.11/24"], "gateway": "192.0.2.1"}, {"addresses": ["dhcp", "ra"]}, {"addresses": ["dhcp6"]}])
        ),
        [
            "the guest may get several default routes for IPv4, by `networks[0].gateway` and by dhcp in `networks[1].addresses`: let all but one \
             of these networks announce no router, or give fixed addresses without a gateway there",
            "the guest may get several default routes for IPv6, by ra in `networks[1].addresses` and by dhcp6 in `networks[2].addresses`: let all \
             but one of these networks announce no router, or give fixed addresses without a gateway there",
        ]
    );
    assert!(warnings(json!([{"addresses": ["dhcp", "ra"]}, {"addresses": ["192.0.2.11/24"]}])).is_empty());
}

#[test]
fn ipv6_addresses_that_others_give() {
    let subnets = |addresses: Value| {
        let text = network(json!({"family": "linux", "mac": "52:54:00:00:00:01", "addresses": addresses}));
        text.split_once("subnets:\n").unwrap().1.to_owned()
    };
    assert_eq!(subnets(json!(["ra"])), "      - type: 'ipv6_slaac'\n");
    assert_eq!(subnets(json!(["dhcp6", "dhcp"])), "      - type: 'dhcp4'\n      - type: 'dhcp6'\n");
    assert_eq!(
        subnets(json!(["ra", "192.0.2.11/24"])),
        "      - type: 'static'\n        address: '192.0.2.11/24'\n      - type: 'ipv6_slaac'\n"
    );
    refused(&[
        (
            json!({"family": "linux", "addresses": ["ra", "dhcp6"]}),
            "`addresses` says dhcp6 and ra: with dhcp6 the router is that of the advertisements, too, so give dhcp6 alone where the network \
             has a DHCPv6 server, and ra alone where it has none",
        ),
        (json!({"family": "linux", "addresses": ["ra", "ra"]}), "`addresses` says ra twice"),
        (
            json!({"family": "linux", "addresses": ["ra", "2001:db8::11/64"]}),
            "`addresses` has a fixed IPv6 address beside ra: cloud-init then has network-scripts ignore the router's advertisements; \
             give ra alone, or the fixed address alone, with `gateway6`",
        ),
        (
            json!({"family": "linux", "addresses": ["dhcp6"], "gateway6": "2001:db8::1"}),
            "cloud-init ignores `gateway6` beside dhcp6, which says which router there is: leave it out, or give a fixed address",
        ),
        (
            json!({"family": "linux", "addresses": ["ra"], "mtu": 1279}),
            "`mtu` is 1279: expected at least 1280 for these addresses",
        ),
        (
            json!({"nuageinit": "15.0", "networks": [{}, {"addresses": ["192.0.2.11/24", "ra"]}]}),
            "nuageinit knows no ra, found it in `networks[1].addresses`: put ifconfig_vtnet1_ipv6=\"inet6 accept_rtadv\" into the image's rc.conf, \
             or give a fixed address",
        ),
        (
            json!({"addresses": ["dhcp6"]}),
            "nuageinit knows no dhcp6, found it in `addresses`, and FreeBSD's base system has no client for it: put one into the image, or \
             give a fixed address",
        ),
    ]);
    let warnings = |addresses: Value| {
        rendered(
            json!({"family": "linux", "addresses": addresses, "mtu": 1400, "nameservers": ["2001:db8::53"]}),
        )
        .1
    };
    assert_eq!(
        warnings(json!(["ra"])),
        [
            "cloud-init ignores `nameservers` beside ra where the guest has netplan: let the router give them there, or add a fixed address",
            "`mtu` beside ra has no effect where the guest has ifupdown: let the router give it there, or add a fixed IPv4 address",
        ]
    );
    assert!(warnings(json!(["ra", "192.0.2.11/24"])).is_empty());
}
