// SPDX-License-Identifier: GPL-3.0-or-later

//! Tests: every refusal names the option and the reason.

use serde_json::{Value, json};

use super::*;

fn judged(options: Value) -> Result<(), String> {
    let mut all = json!({"path": "/seeds/web1", "name": "web1"});
    all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    let params: Params = serde_json::from_value(all).unwrap();
    check(&params, Reads::of(&params)).map_err(|error| format!("{error:#}"))
}

fn refused(cases: &[(Value, &str)]) {
    for (options, message) in cases {
        assert_eq!(judged(options.clone()).unwrap_err(), *message, "{options}");
    }
}

#[test]
fn the_first_generation_refuses_what_it_does_not_know() {
    refused(&[
        (
            json!({"addresses": ["192.0.2.11/24"], "nameservers": ["192.0.2.53"], "search": ["a.example"], "mtu": 9000, "interface": "vtnet0",
                   "packages": ["bash"], "run_commands": ["true"], "write_files": [{"path": "/a", "content": ""}], "timezone": "UTC",
                   "users": [{"name": "a", "sudo": ["ALL=(ALL) ALL"], "doas": ["permit a"]}]}),
            "nuageinit 14.1 does not understand `nameservers`, `search`, `mtu`, `interface`, `packages`, `run_commands`, `write_files`, \
             `timezone`, `users.sudo`, `users.doas`: put that into the image, or set `nuageinit: \"15.0\"` if the guest's FreeBSD has that one",
        ),
        (
            json!({"users": [{"name": "a", "password_hash": "$6$saltsalt$hashhashhash"}]}),
            "nuageinit 14.1 passes `users.password_hash` through a shell, which spoils it: use ssh keys, or set `nuageinit: \"15.0\"` \
             if the guest's FreeBSD has that one",
        ),
        (
            json!({"user_data": "#cloud-config\nusers: []\n", "addresses": ["dhcp"]}),
            "nuageinit 14.1 reads the network from the user data, which `user_data` replaces: write `network:` there, in place of `addresses`",
        ),
    ]);
}

#[test]
fn nuageinit_networks_are_not_left_half_done() {
    let generation = "15.0";
    refused(&[
        (
            json!({"nuageinit": generation, "addresses": ["dhcp"], "mtu": 9000}),
            "nuageinit writes dhcp with `mtu` as a line of rc.conf that has no effect: give a fixed address, or set the mtu on the DHCP server",
        ),
        (
            json!({"nuageinit": generation, "addresses": ["dhcp"], "nameservers": ["192.0.2.53"], "gateway": "192.0.2.1", "search": ["a.example"]}),
            "nuageinit ignores `gateway`, `nameservers`, `search` beside dhcp: leave it out, or give fixed addresses only",
        ),
        (
            json!({"addresses": ["dhcp", "2001:db8::11/64"]}),
            "nuageinit takes dhcp or fixed addresses, not both: found both in `addresses`",
        ),
        (
            json!({"addresses": ["192.0.2.11/24", "192.0.2.12/24"]}),
            "nuageinit configures one IPv4 address, the last of several: found 2 in `addresses`; add the others in the image",
        ),
        (
            json!({"addresses": ["2001:db8::11/64", "2001:db8::12/64", "2001:db8::13/64"]}),
            "nuageinit configures one IPv6 address, the last of several: found 3 in `addresses`; add the others in the image",
        ),
        (
            json!({"addresses": ["192.0.2.11/24"], "gateway": "198.51.100.1"}),
            "the gateway 198.51.100.1 is in the network of none of `addresses`: FreeBSD would find no way to it; give an address whose prefix covers it",
        ),
        (
            json!({"addresses": ["192.0.2.11/32"], "gateway": "192.0.2.1"}),
            "the gateway 192.0.2.1 is in the network of none of `addresses`: FreeBSD would find no way to it; give an address whose prefix covers it",
        ),
        (
            json!({"addresses": ["2001:db8::11/128"], "gateway6": "2001:db8::1"}),
            "the gateway 2001:db8::1 is in the network of none of `addresses`: FreeBSD would find no way to it; give an address whose prefix covers it",
        ),
        (
            json!({"addresses": ["2001:db8::11/64"], "gateway6": "fe80::1"}),
            "nuageinit says the gateway fe80::1 without an interface, which FreeBSD needs for a link-local address: \
             give the router's address in the network of one of `addresses`",
        ),
        (
            json!({"addresses": ["fe80::11/64"], "gateway6": "fe80::1"}),
            "nuageinit says the gateway fe80::1 without an interface, which FreeBSD needs for a link-local address: \
             give the router's address in the network of one of `addresses`",
        ),
    ]);
    judged(json!({"addresses": ["192.0.2.11/24", "2001:db8::11/64"], "gateway": "192.0.2.1", "gateway6": "2001:db8::1"})).unwrap();
}

#[test]
fn options_that_would_do_nothing_are_refused() {
    refused(&[
        (
            json!({"family": "linux", "gateway": "192.0.2.1", "gateway6": "2001:db8::1", "nameservers": ["192.0.2.53"], "search": ["a.example"], "mtu": 1400}),
            "`gateway`, `gateway6`, `nameservers`, `search`, `mtu` would have no effect without `addresses`: add addresses, or dhcp",
        ),
        (
            json!({"family": "linux", "addresses": ["2001:db8::11/64"], "gateway": "192.0.2.1"}),
            "`gateway` cannot be reached: `addresses` has no IPv4 address",
        ),
        (
            json!({"family": "linux", "addresses": ["dhcp"], "gateway6": "2001:db8::1"}),
            "`gateway6` cannot be reached: `addresses` has no IPv6 address",
        ),
        (json!({"family": "linux", "addresses": ["dhcp", "dhcp4"]}), "`addresses` says dhcp twice"),
        (
            json!({"family": "linux", "addresses": ["dhcp", "2001:db8::11/64"], "gateway": "192.0.2.1"}),
            "cloud-init ignores `gateway` beside dhcp, which says which router there is: leave it out, or give a fixed address",
        ),
        (
            json!({"addresses": ["192.0.2.11/24"], "gateway": "192.0.2.11"}),
            "`gateway` 192.0.2.11 is the guest's own address: expected the router's",
        ),
        (
            json!({"family": "linux", "addresses": ["2001:db8::11/64"], "gateway6": "::"}),
            "`gateway6` :: cannot be a router's address",
        ),
        (
            json!({"family": "linux", "addresses": ["2001:db8::11/64"], "mtu": 1279}),
            "`mtu` is 1279: expected at least 1280 for these addresses",
        ),
        (
            json!({"family": "linux", "addresses": ["dhcp"], "mtu": 575}),
            "`mtu` is 575: expected at least 576 for these addresses",
        ),
    ]);
}

#[test]
fn raw_user_data_is_looked_at() {
    refused(&[
        (
            json!({"family": "linux", "user_data": "#cloud-config\na: b\n", "ssh_keys": ["ssh-rsa AAAA"], "users": [], "packages": ["bash"],
                   "run_commands": ["true"], "write_files": [{"path": "/a", "content": ""}], "timezone": "UTC"}),
            "`user_data` replaces what `ssh_keys`, `users`, `packages`, `run_commands`, `write_files`, `timezone` would render: give one or the other",
        ),
        (
            json!({"family": "linux", "user_data": "#cloud-config \na: b\n"}),
            "the first line of `user_data` must be exactly #cloud-config: found a space, carriage return or byte order mark beside it",
        ),
        (
            json!({"family": "linux", "user_data": "\u{feff}#cloud-config\na: b\n"}),
            "the first line of `user_data` must be exactly #cloud-config: found a space, carriage return or byte order mark beside it",
        ),
        (
            json!({"family": "linux", "user_data": "#cloud-config\r\na: b\r\n"}),
            "the first line of `user_data` must be exactly #cloud-config: found a space, carriage return or byte order mark beside it",
        ),
        (json!({"user_data": "#cloud-config\n\n"}), "`user_data` has nothing after its first line"),
        (json!({"user_data": ""}), "`user_data` has nothing after its first line"),
        (
            json!({"user_data": "## template: jinja\n#cloud-config\n"}),
            "nuageinit 14.1 takes `user_data` whose first line is #cloud-config, or a script: found \"## template: jinja\"",
        ),
        (
            json!({"nuageinit": "15.0", "user_data": "Content-Type: multipart/mixed\n\n"}),
            "`user_data` has nothing after its first line",
        ),
        (
            json!({"nuageinit": "15.0", "user_data": "Content-Type: multipart/mixed\nMIME-Version: 1.0\n"}),
            "nuageinit 15.0 takes `user_data` whose first line is #cloud-config: found \"Content-Type: multipart/mixed\"",
        ),
        (
            json!({"nuageinit": "15.0", "user_data": "#!/bin/sh\necho hi\n", "addresses": ["192.0.2.11/24"]}),
            "`user_data` is a script: nuageinit 15.0 then sets no host name, no network and no users; give its lines as `run_commands`, \
             or the whole as one of `write_files` and its path as one of `run_commands`",
        ),
        (
            json!({"family": "linux", "user_data": "#!/bin/sh\r\necho hi\r\n"}),
            "the first line of `user_data` must begin with #! and end without a space or carriage return: the kernel would not run the script",
        ),
        (
            json!({"nuageinit": "15.0", "user_data": "\u{feff}#!/bin/sh\necho hi\n"}),
            "the first line of `user_data` must begin with #! and end without a space or carriage return: the kernel would not run the script",
        ),
        (
            json!({"family": "linux", "user_data": "users:\n  - default\n"}),
            "cloud-init takes no `user_data` whose first line is \"users:\": expected #cloud-config, a script's #!, or another beginning that it knows",
        ),
        (
            json!({"user_data": "#cloud-config\nhostname: a\n"}),
            "`user_data` has no line `users:`: nuageinit would make a user freebsd with the password freebsd; add `users: []`",
        ),
    ]);
    for text in [
        "#!/bin/sh\necho hi\n",
        "#cloud-config\nusers: []\n",
        "#cloud-config\nhostname: a\nusers:\n  - name: a\n",
    ] {
        judged(json!({"user_data": text})).unwrap();
    }
    for text in [
        "## template: jinja\n#cloud-config\n",
        "#!/bin/sh\necho hi\n",
        "#include\nhttp://192.0.2.1/\n",
        "Content-Type: multipart/mixed; boundary=\"a\"\nMIME-Version: 1.0\n",
        "#cloud-config-archive\n- a\n",
    ] {
        judged(json!({"family": "linux", "user_data": text})).unwrap();
    }
}

#[test]
fn what_is_ignored_of_users_that_every_image_has_is_refused() {
    let root = json!([{"name": "root", "groups": ["operator", "www"], "shell": "/bin/tcsh"}]);
    refused(&[
        (
            json!({"users": root}),
            "`groups` and `shell` of root in `users` would be ignored, because every image has that account: put that into the image",
        ),
        (
            json!({"nuageinit": "15.0", "users": root}),
            "`groups` and `shell` of root in `users` would be ignored, because every image has that account: leave that out, and add \
             `pw groupmod operator -m root`, `pw groupmod www -m root`, `pw usermod root -s /bin/tcsh` to `run_commands`",
        ),
        (
            json!({"family": "linux", "users": root}),
            "`groups` and `shell` of root in `users` would be ignored, because every image has that account: leave that out, and add \
             `usermod -aG operator root`, `usermod -aG www root`, `usermod -s /bin/tcsh root` to `run_commands`",
        ),
        (
            json!({"nuageinit": "15.0", "users": [{"name": "www", "shell": "/bin/sh"}]}),
            "`shell` of www in `users` would be ignored, because every image has that account: leave that out, and add \
             `pw usermod www -s /bin/sh` to `run_commands`",
        ),
        (
            json!({"users": [{"name": "a"}, {"name": "b"}, {"name": "a"}]}),
            "`users` names a twice: expected each user once",
        ),
    ]);
    let hash = "$6$saltsalt$hashhashhash";
    for family in ["linux", "freebsd"] {
        let users = json!([{"name": "root", "password_hash": hash, "ssh_keys": ["ssh-rsa AAAA"]}, {"name": "a", "shell": "/bin/sh"}]);
        judged(json!({"family": family, "nuageinit": "15.0", "users": users})).unwrap();
    }
}
