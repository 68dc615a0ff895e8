// SPDX-License-Identifier: GPL-3.0-or-later

//! Tests of what is rendered for each reader, word for word.

use serde_json::{Value, json};

use super::*;
use crate::cloud_config::RENDERED;
use crate::params::Params;

fn params(options: Value) -> Params {
    let mut all = json!({"path": "/seeds/web1", "name": "web1"});
    all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn rendered(options: Value) -> Documents {
    wanted(&params(options)).unwrap().unwrap().documents
}

fn error(options: Value) -> String {
    format!("{:#}", wanted(&params(options)).unwrap_err())
}

const KEY: &str = "ssh-ed25519 AAAAC3Nz me";

#[test]
fn the_first_nuageinit_reads_one_document() {
    let documents = rendered(json!({
        "hostname": "web1.example.org", "addresses": ["192.0.2.11/24", "2001:db8::11/64"],
        "gateway": "192.0.2.1", "gateway6": "2001:db8::1", "mac": "58:9C:FC:00:00:0A", "ssh_keys": [KEY],
    }));
    assert_eq!(
        documents.meta_data,
        "instance-id: '06f7ab89-0554-5e2c-9836-192821f92039'\nlocal-hostname: 'web1.example.org'\n"
    );
    assert_eq!(documents.network_config, None);
    assert_eq!(
        documents.user_data,
        "#cloud-config\n# Rendered by apiary.bhyve.guest_seed.\n\
         users:\n  - name: 'freebsd'\n    groups: 'wheel'\n    passwd: 'x'\n    ssh_authorized_keys:\n      - 'ssh-ed25519 AAAAC3Nz me'\n\
         network:\n  version: 2\n  ethernets:\n    nic:\n      match:\n        macaddress: '58:9c:fc:00:00:0a'\n      \
         addresses:\n        - '192.0.2.11/24'\n        - '2001:db8::11/64'\n      gateway4: '192.0.2.1'\n      gateway6: '2001:db8::1'\n"
    );
}

#[test]
fn the_second_nuageinit_reads_three() {
    let documents = rendered(json!({
        "nuageinit": "15.0", "addresses": ["192.0.2.11/24"], "gateway": "192.0.2.1", "nameservers": ["192.0.2.53"],
        "search": ["example.org"], "mtu": 9000, "interface": "vtnet0", "timezone": "Europe/Berlin", "packages": ["bash"],
        "run_commands": ["echo it's \"up\"\nsysrc a=b"], "users": [
            {"name": "web", "groups": ["wheel", "operator"], "shell": "/usr/local/bin/bash", "ssh_keys": [KEY],
             "sudo": ["ALL=(ALL) NOPASSWD:ALL"], "doas": ["permit nopass %u"], "password_hash": "$6$saltsalt$hashhashhash"},
            {"name": "guest"}],
        "write_files": [{"path": "/etc/motd", "content": "größe\n", "owner": "web:wheel", "permissions": "0640"}],
    }));
    assert_eq!(documents.meta_data.lines().nth(1), Some("local-hostname: 'web1'"));
    assert_eq!(
        documents.network_config.unwrap(),
        "version: 2\nethernets:\n  vtnet0:\n    addresses:\n      - '192.0.2.11/24'\n    gateway4: '192.0.2.1'\n    mtu: 9000\n    \
         nameservers:\n      addresses:\n        - '192.0.2.53'\n      search:\n        - 'example.org'\n"
    );
    assert_eq!(
        documents.user_data,
        "#cloud-config\n# Rendered by apiary.bhyve.guest_seed.\n\
         users:\n  - name: 'web'\n    groups: 'wheel,operator'\n    shell: '/usr/local/bin/bash'\n    passwd: '$6$saltsalt$hashhashhash'\n    \
         sudo:\n      - 'ALL=(ALL) NOPASSWD:ALL'\n    doas:\n      - 'permit nopass %u'\n    \
         ssh_authorized_keys:\n      - 'ssh-ed25519 AAAAC3Nz me'\n  - name: 'guest'\n    passwd: 'x'\n\
         chpasswd:\n  expire: false\n  users:\n    - name: 'web'\n      password: '$6$saltsalt$hashhashhash'\n      type: 'hash'\n\
         timezone: 'Europe/Berlin'\npackages:\n  - 'bash'\n\
         write_files:\n  - path: '/etc/motd'\n    content: \"gr\\xf6\\xdfe\\n\"\n    owner: 'web:wheel'\n    permissions: '0640'\n    defer: true\n\
         runcmd:\n  - \"echo it's \\\"up\\\"\\nsysrc a=b\"\n"
    );
}

fn network_of_linux(options: Value) -> String {
    let mut all = json!({"family": "linux", "mac": "52:54:00:00:00:01"});
    all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    rendered(all).network_config.unwrap()
}

#[test]
fn cloud_init_gets_version_1() {
    assert_eq!(
        network_of_linux(json!({
            "addresses": ["2001:db8::11/64", "198.51.100.7/32", "192.0.2.11/24"], "gateway": "192.0.2.1", "gateway6": "fe80::1", "mtu": 1400,
            "nameservers": ["192.0.2.53", "2001:db8::53"], "search": ["a.example"],
        })),
        "version: 1\nconfig:\n  - type: 'physical'\n    name: 'eth0'\n    mac_address: '52:54:00:00:00:01'\n    mtu: 1400\n    \
         subnets:\n      - type: 'static'\n        address: '198.51.100.7/32'\n        \
         dns_nameservers:\n          - '192.0.2.53'\n          - '2001:db8::53'\n        dns_search:\n          - 'a.example'\n      \
         - type: 'static'\n        address: '192.0.2.11/24'\n        gateway: '192.0.2.1'\n      \
         - type: 'static6'\n        address: '2001:db8::11/64'\n        gateway: 'fe80::1'\n  \
         - type: 'nameserver'\n    address:\n      - '192.0.2.53'\n      - '2001:db8::53'\n    search:\n      - 'a.example'\n"
    );
    let subnets = |options: Value| {
        let text = network_of_linux(options);
        text.split_once("subnets:\n").unwrap().1.to_owned()
    };
    assert_eq!(
        subnets(
            json!({"addresses": ["198.51.100.7/32", "2001:db8::11/128"], "gateway": "192.0.2.1", "gateway6": "2001:db8:1::1"})
        ),
        "      - type: 'static'\n        address: '198.51.100.7/32'\n        gateway: '192.0.2.1'\n      \
         - type: 'static6'\n        address: '2001:db8::11/128'\n        gateway: '2001:db8:1::1'\n"
    );
    assert_eq!(
        subnets(
            json!({"addresses": ["dhcp", "2001:db8::11/64"], "gateway6": "2001:db8::1", "search": ["a.example"]})
        ),
        "      - type: 'static6'\n        address: '2001:db8::11/64'\n        gateway: '2001:db8::1'\n        dns_search:\n          - 'a.example'\n      \
         - type: 'dhcp4'\n  - type: 'nameserver'\n    address: []\n    search:\n      - 'a.example'\n"
    );
    let by_name = rendered(json!({"family": "linux", "addresses": ["dhcp"], "interface": "ens3"}));
    assert_eq!(
        by_name.network_config.unwrap(),
        "version: 1\nconfig:\n  - type: 'physical'\n    name: 'ens3'\n    subnets:\n      - type: 'dhcp4'\n"
    );
    let renamed = network_of_linux(json!({"addresses": ["dhcp"], "interface": "wan"}));
    assert!(renamed.contains("    name: 'wan'\n    mac_address: '52:54:00:00:00:01'\n"), "{renamed}");
}

#[test]
fn cloud_init_gets_users_as_it_takes_them_whether_the_image_has_them_or_not() {
    let default = rendered(json!({"family": "linux", "ssh_keys": [KEY]}));
    assert_eq!(
        default.user_data,
        "#cloud-config\n# Rendered by apiary.bhyve.guest_seed.\nusers:\n  - 'default'\nssh_authorized_keys:\n  - 'ssh-ed25519 AAAAC3Nz me'\n"
    );
    let users = rendered(json!({"family": "linux", "users": [
        {"name": "root", "password_hash": "$6$saltsalt$hashhashhash"},
        {"name": "web-1", "doas": ["permit nopass %u", "permit :wheel"]},
        {"name": "ada", "doas": ["permit ada"]}],
        "write_files": [{"path": "/etc/motd", "content": "hi"}]}));
    assert_eq!(
        users.user_data,
        "#cloud-config\n# Rendered by apiary.bhyve.guest_seed.\nusers:\n  \
         - name: 'root'\n    lock_passwd: false\n    hashed_passwd: '$6$saltsalt$hashhashhash'\n  - name: 'web-1'\n  - name: 'ada'\n\
         write_files:\n  - path: '/etc/motd'\n    content: 'hi'\n  \
         - path: '/etc/doas.conf'\n    content: \"\\npermit nopass web-1\\npermit :wheel\\npermit ada\\n\"\n    permissions: '0440'\n    \
         append: true\n    defer: true\n"
    );
}

#[test]
fn what_some_guests_do_otherwise_is_told() {
    let warnings = |options: Value| wanted(&params(options)).unwrap().unwrap().warnings;
    let far = |gateway: &str| {
        format!(
            "the gateway {gateway} is in the network of none of `addresses`: cloud-init before 23.1 with netplan, or before 24.2 with \
             systemd-networkd, as in Debian 12, then sets no default route, nor do RHEL's network-scripts; give an address whose prefix \
             covers the gateway if the guest has one of these"
        )
    };
    for (options, expected) in [
        (json!({"addresses": ["192.0.2.11/32"], "gateway": "198.51.100.1"}), vec![far("198.51.100.1")]),
        (
            json!({"addresses": ["192.0.2.11/24", "2001:db8::1/128"], "gateway": "198.51.100.1", "gateway6": "2001:db8:1::1"}),
            vec![far("198.51.100.1"), far("2001:db8:1::1")],
        ),
        (json!({"addresses": ["192.0.2.11/24", "198.51.100.7/24"], "gateway": "198.51.100.1"}), vec![]),
        (json!({"addresses": ["2001:db8::1/128"], "gateway6": "fe80::1"}), vec![]),
        (
            json!({"addresses": ["dhcp"], "nameservers": ["192.0.2.53"], "search": ["a.example"], "mtu": 1400}),
            vec![
                "cloud-init ignores `nameservers`, `search` beside dhcp where the guest has netplan: let the DHCP server give them there, \
                 or add a fixed address".to_owned(),
                "`mtu` beside dhcp has no effect where the guest has ifupdown: let the DHCP server give it there, or add a fixed IPv4 address"
                    .to_owned(),
            ],
        ),
        (json!({"addresses": ["dhcp", "192.0.2.11/24"], "nameservers": ["192.0.2.53"], "mtu": 1400}), vec![]),
        (
            json!({"users": [{"name": "debian", "shell": "/bin/zsh"}, {"name": "ubuntu"}, {"name": "ada", "groups": ["adm"]}]}),
            vec!["if the image has the user debian already, `groups` and `shell` of `users` are ignored, and what the image says stays".to_owned()],
        ),
        (json!({"user_data": "#!/bin/sh\necho hi\n"}), vec![]),
    ] {
        let mut linux = options.clone();
        linux["family"] = "linux".into();
        assert_eq!(warnings(linux), expected, "{options}");
    }
    assert_eq!(
        warnings(json!({"user_data": "#!/bin/sh\necho hi\n"})),
        [
            "`user_data` is a script, which only nuageinit before FreeBSD 14.4 takes: later ones then set no host name, no network and no users; \
          with `nuageinit: \"15.0\"`, give its lines as `run_commands`"
        ]
    );
    assert_eq!(
        warnings(json!({"addresses": ["192.0.2.11/24"], "gateway": "192.0.2.1"})),
        Vec::<String>::new()
    );
}

#[test]
fn users_are_always_said() {
    for (options, users) in [
        (json!({}), "users: []\n"),
        (json!({"nuageinit": "15.0"}), "users: []\n"),
        (json!({"family": "linux"}), "users:\n  - 'default'\n"),
        (json!({"users": []}), "users: []\n"),
    ] {
        let documents = rendered(options);
        assert_eq!(documents.user_data, format!("#cloud-config\n{RENDERED}\n{users}"));
        assert_eq!(documents.network_config, None);
    }
}

#[test]
fn a_user_without_keys_gets_those_of_all() {
    let text = rendered(
        json!({"ssh_keys": [KEY], "users": [{"name": "a"}, {"name": "b", "ssh_keys": ["ssh-rsa AAAAB3 b"]}]}),
    )
    .user_data;
    assert!(text.ends_with(
        "  - name: 'a'\n    passwd: 'x'\n    ssh_authorized_keys:\n      - 'ssh-ed25519 AAAAC3Nz me'\n  \
         - name: 'b'\n    passwd: 'x'\n    ssh_authorized_keys:\n      - 'ssh-rsa AAAAB3 b'\n"
    ));
}

#[test]
fn the_interface_is_found_by_the_mac_that_the_domain_has() {
    let expected = if cfg!(target_os = "freebsd") { "58:9c:fc:a9:41:71" } else { "52:54:00:9d:41:71" };
    assert!(
        rendered(json!({"addresses": ["dhcp"]}))
            .user_data
            .contains(&format!("macaddress: '{expected}'\n      dhcp4: true\n"))
    );
    let renamed = rendered(
        json!({"nuageinit": "15.0", "addresses": ["dhcp"], "mac": "58:9c:fc:00:00:01", "interface": "wan"}),
    );
    assert_eq!(
        renamed.network_config.unwrap(),
        "version: 2\nethernets:\n  nic:\n    match:\n      macaddress: '58:9c:fc:00:00:01'\n    set-name: 'wan'\n    dhcp4: true\n"
    );
}

/// cloud-init begins anew where the instance id is another one.
#[test]
fn a_renamed_guest_is_the_same_instance() {
    let options = json!({"nuageinit": "15.0", "addresses": ["dhcp"]});
    let mut again = options.clone();
    again
        .as_object_mut()
        .unwrap()
        .extend(json!({"name": "www1", "identity": "web1"}).as_object().unwrap().clone());
    let (before, after) = (rendered(options), rendered(again));
    assert_eq!(before.meta_data.lines().next(), after.meta_data.lines().next());
    assert!(after.meta_data.contains("local-hostname: 'www1'"));
    assert_eq!((before.network_config, before.user_data), (after.network_config, after.user_data));
}

#[test]
fn raw_user_data_is_taken_as_it_is() {
    let raw = "#cloud-config\nusers: []\nfinal_message: hi\n";
    let documents = rendered(json!({"nuageinit": "15.0", "user_data": raw, "addresses": ["192.0.2.11/24"]}));
    assert_eq!(documents.user_data, raw);
    assert!(documents.network_config.is_some());
}

#[test]
fn what_is_missing_or_too_much_is_said() {
    assert_eq!(
        format!("{:#}", wanted(&Params { path: "/seeds/a".into(), ..Params::default() }).unwrap_err()),
        "reading options: missing `name`, the guest's name, which state present needs"
    );
    assert_eq!(
        error(json!({"name": "web_1"})),
        "rendering the seed of guest web_1: the guest's name cannot be its host name, so option `hostname` is needed: \
         invalid host name \"web_1\": expected labels of 1 to 63 letters, digits and inner dashes, joined by dots, 253 characters in all, as in web1.example.org"
    );
    assert_eq!(
        error(json!({"family": "linux", "run_commands": ["x".repeat(990_000)]})),
        "rendering the seed of guest web1: its documents are 990164 bytes, expected at most 983040; let a run command fetch the rest"
    );
    assert_eq!(
        error(json!({"ssh_keys": ["command=\"echo 'hi'\" ssh-rsa AAAA"]})),
        "rendering the seed of guest web1: writing ssh_authorized_keys: nuageinit 14.1 reads no text that has a single quote \
         together with a double quote or a backslash; leave one of them out"
    );
    assert_eq!(wanted(&params(json!({"state": "absent"}))).unwrap(), None);
}

/// A null is what Ansible sends for an option that was not given.
#[test]
fn null_is_absent() {
    let given = serde_json::from_value(json!({
        "path": "/seeds/web1", "state": null, "name": "web1", "family": null, "nuageinit": null, "hostname": null, "addresses": null,
        "gateway": null, "gateway6": null, "nameservers": null, "search": null, "mtu": null, "mac": null, "interface": null,
        "ssh_keys": null, "users": null, "packages": null, "run_commands": null, "write_files": null, "timezone": null, "user_data": null,
    }));
    assert_eq!(wanted(&given.unwrap()).unwrap().unwrap().documents, rendered(json!({})));
}
