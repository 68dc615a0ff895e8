// SPDX-License-Identifier: GPL-3.0-or-later

//! Tests of configurations that were given.

use serde_json::{Value, json};

use super::{network, params, refused, rendered};

#[test]
fn a_given_configuration_is_taken_as_it_is() {
    let text = "# mine\nversion: 2\nethernets: {vtnet0: {dhcp4: yes}}";
    for family in ["linux", "freebsd"] {
        let options =
            |config: Value| json!({"family": family, "nuageinit": "15.0", "network_config": config});
        assert_eq!(network(options(json!(text))), format!("{text}\n"));
        assert_eq!(
            network(options(
                json!({"version": 2, "ethernets": {"vtnet0": {"dhcp4": true, "mtu": 9000, "addresses": []}}})
            )),
            "ethernets:\n  vtnet0:\n    addresses: []\n    dhcp4: true\n    mtu: 9000\nversion: 2\n"
        );
    }
    let first = json!({"network_config": {"version": 2, "ethernets": {"a": {"match": {"macaddress": "58:9c:fc:00:00:01"}, "dhcp4": true}}}});
    let (documents, _) = rendered(first);
    assert_eq!(documents.network_config, None);
    assert!(
        documents.user_data.ends_with(
            "network:\n  ethernets:\n    a:\n      dhcp4: true\n      match:\n        macaddress: '58:9c:fc:00:00:01'\n  version: 2\n"
        ),
        "{}",
        documents.user_data
    );
    let odd = json!({"version": 1, "config": [{"type": "bond", "params": {"bond-lacp-rate": null, "ratio": 1.5, "least": -1}}]});
    assert_eq!(
        network(json!({"family": "linux", "network_config": odd})),
        "config:\n  - params:\n      bond-lacp-rate: null\n      least: -1\n      ratio: 1.5\n    type: 'bond'\nversion: 1\n"
    );
}

#[test]
fn a_given_configuration_that_nobody_would_read_is_refused() {
    let linux = |config: Value| json!({"family": "linux", "network_config": config});
    let freebsd = |ethernets: Value| json!({"nuageinit": "15.0", "network_config": {"version": 2, "ethernets": ethernets}});
    let first = |ethernets: Value| json!({"network_config": {"version": 2, "ethernets": ethernets}});
    let by_mac = "nuageinit 14.1 finds an interface by its MAC address alone: give ethernets.a in `network_config` a `match` with `macaddress`";
    refused(&[
        (
            json!({"family": "linux", "network_config": {"version": 2}, "networks": [{}], "nameservers": ["192.0.2.53"]}),
            "`network_config` stands in place of `nameservers`, `networks`: write into it what they say, or leave it out",
        ),
        (linux(json!("")), "invalid `network_config`: expected a dictionary, or a YAML document that is one"),
        (
            linux(json!("a\n")),
            "invalid `network_config`: expected a dictionary, or a YAML document that is one",
        ),
        (linux(json!(["a"])), "invalid `network_config`: expected a dictionary, or a YAML document as text"),
        (
            linux(json!("version: 2\n---\nversion: 2\n")),
            "`network_config` has several YAML documents: expected one",
        ),
        (
            linux(json!("version: 2\na: &x [1]\nb: *x\n")),
            "`network_config` has an alias: write out what it stands for",
        ),
        (
            linux(json!(format!("version: 2\na: {}", "[".repeat(40)))),
            "`network_config` is nested deeper than 32, as no network is",
        ),
        (
            linux(json!("version: 2\na:\n \tb: 1\n")),
            "`network_config` is indented with a tab in line 3: use spaces",
        ),
        (linux(json!("version: 2\n? [a]\n: 1\n")), "`network_config` has a key that is no text"),
        (
            linux(json!({"network": {"version": 2}})),
            "`network_config` has a key network around it, which not every version takes off: leave that key out, and give what is below it",
        ),
        (
            linux(json!({"ethernets": {}})),
            "`network_config` must have the key `version` with 1 or 2 on its outermost level, found none",
        ),
        (
            linux(json!({"version": "2"})),
            "`network_config` must have the key `version` with 1 or 2 on its outermost level, found another value",
        ),
        (
            linux(json!({"version": 3})),
            "`network_config` must have the key `version` with 1 or 2 on its outermost level, found another value",
        ),
        (
            json!({"nuageinit": "15.0", "network_config": {"version": 1, "config": []}}),
            "nuageinit reads version 2 with a dictionary `ethernets`: expected these in `network_config`",
        ),
        (
            json!({"nuageinit": "15.0", "network_config": {"version": 2, "ethernets": {}, "bridges": {}, "vlans": {}}}),
            "nuageinit reads nothing of bridges, vlans in `network_config`: leave that out",
        ),
        (
            freebsd(json!({"a": {"dhcp6": true, "routes": []}})),
            "nuageinit reads nothing of dhcp6, routes of ethernets.a in `network_config`: leave that out",
        ),
        (
            freebsd(json!({"a": null})),
            "`network_config` must have a dictionary in ethernets.a, found something else",
        ),
        (
            freebsd(json!({"a": {"match": {"macaddress": "58:9C:FC:00:00:01"}}})),
            "nuageinit compares MAC addresses in lower case: found \"58:9C:FC:00:00:01\" in ethernets.a of `network_config`",
        ),
        (
            freebsd(json!({"a": {"match": {"macaddress": 1}}})),
            "`network_config` must have a text as macaddress in ethernets.a: put it in quotes",
        ),
        (
            freebsd(json!({"a": {"match": []}})),
            "`network_config` must have a dictionary in ethernets.a.match, found something else",
        ),
        (
            first(json!({"a": {"mtu": 9000}})),
            "nuageinit reads nothing of mtu of ethernets.a in `network_config`: leave that out",
        ),
        (first(json!({"a": {"dhcp4": true}})), by_mac),
        (first(json!({"a": {"match": {"name": "vtnet0"}}})), by_mac),
        (
            json!({"network_config": "version: 2\nethernets: {}\n"}),
            "nuageinit 14.1 reads the network from the user data, into which no text can be put: give `network_config` as a dictionary",
        ),
        (
            json!({"network_config": {"version": 2}, "user_data": "#cloud-config\nusers: []\n"}),
            "nuageinit 14.1 reads the network from the user data, which `user_data` replaces: write `network:` there, in place of `network_config`",
        ),
    ]);
    for broken in ["version: 2\n  a: [", "version: 2\nversion: 2\n", "a: 'b"] {
        let error = params(linux(json!(broken))).unwrap_err();
        assert!(error.starts_with("`network_config` is no YAML document: "), "{broken:?}: {error}");
    }
    for deep in ["[", "{a: ", "- ", "? "] {
        assert!(params(linux(json!(deep.repeat(20_000)))).is_err(), "{deep}");
    }
}
