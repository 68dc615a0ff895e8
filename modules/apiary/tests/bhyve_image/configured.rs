// SPDX-License-Identifier: GPL-3.0-or-later

//! Repositories by the name under which pkg(8) knows them; a stand-in for pkg shows its configuration.

use crate::support::{Lab, SMALL, fixtures, start_with};
use serde_json::{Value, json};
use test_support::{reply, stand_in, with};

/// Runs `bhyve_image` where `pkg -vv` shows `block` for the repository `images`.
fn run(lab: &Lab, block: &str, changes: Value) -> Value {
    let programs = lab.folder.path().join("bin");
    let script = format!(
        "[ \"$*\" = -vv ] || exit 1\ncat <<'END'\nPKG_DBDIR = \"/var/db/pkg\";\n\nRepositories:\n\
         images: {{ \n{block}\n  }}\nEND"
    );
    stand_in(&programs.join("pkg"), &script);
    let options = with(lab.options(&[SMALL]), json!({"repository": "images", "pubkey": null}));
    let path = format!("{}:/usr/bin:/bin", programs.display());
    reply(start_with(&with(options, changes), &[("PATH", &path)]))
}

fn block(lab: &Lab, more: &str) -> String {
    format!(
        "    url             : \"file://{}\",\n    enabled         : yes{more}",
        lab.repository().display()
    )
}

#[test]
fn url_and_trust_come_from_pkg() {
    let lab = Lab::new("pubkey-rsa");
    let key = |name: &str| {
        let key = fixtures().join("keys").join(name).display().to_string();
        block(&lab, &format!(",\n    signature_type  : \"PUBKEY\",\n    pubkey          : \"{key}\""))
    };
    let wrong = run(&lab, &key("other-rsa.pub"), json!({}));
    assert!(wrong["msg"].as_str().unwrap().contains("signature was not made by the trusted key"), "{wrong}");
    assert_eq!(run(&lab, &key("rsa.pub"), json!({}))["changed"], true);
    assert_eq!(run(&lab, &key("rsa.pub"), json!({}))["changed"], false);
}

#[test]
fn fingerprints_come_from_pkg() {
    let lab = Lab::new("fingerprints-rsa");
    let folder = fixtures().join("fingerprints-rsa.fingerprints").display().to_string();
    let more = format!(",\n    signature_type  : \"FINGERPRINTS\",\n    fingerprints    : \"{folder}\"");
    assert_eq!(run(&lab, &block(&lab, &more), json!({}))["changed"], true);
}

#[test]
fn what_cannot_be_used_is_explained() {
    let lab = Lab::new("unsigned");
    let table = [
        ("", json!({}), "it is not signed there; signature_type none takes it even so"),
        (
            ",\n    mirror_type     : \"SRV\"",
            json!({}),
            "it has mirror_type SRV, expected NONE; name the URL of one server instead",
        ),
        (",\n    enabled         : no", json!({}), "it is disabled there"),
        ("", json!({"repository": "other"}), "it knows images"),
    ];
    for (more, changes, why) in table {
        let name = changes["repository"].as_str().unwrap_or("images").to_owned();
        let refused = run(&lab, &block(&lab, more), changes);
        let expected = format!("reading the configuration of pkg(8) for repository {name}: {why}");
        assert_eq!(refused["msg"], expected);
    }
    assert_eq!(run(&lab, &block(&lab, ""), json!({"signature_type": "none"}))["changed"], true);
}
