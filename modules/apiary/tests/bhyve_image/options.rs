// SPDX-License-Identifier: GPL-3.0-or-later

//! Wrong options and impossible wishes: one line each.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Lab, SMALL, fixtures, refusal};
use serde_json::{Value, json};
use test_support::with;

#[test]
fn each_wrong_option_is_named() {
    let lab = Lab::new("pubkey-rsa");
    let store = lab.store().display().to_string();
    let keys = fixtures().join("keys").display().to_string();
    let repository = lab.repository().display().to_string();
    let trust = "signature_type none takes a catalogue from anyone";
    let table = [
        (json!({"name": []}), "reading option `name`: expected at least one name, found none".to_owned()),
        (
            json!({"name": 3}),
            "reading option `name`: invalid type: integer `3`, expected a name of an image, or a list of names".into(),
        ),
        (
            json!({"name": ["../x"]}),
            "reading option `name[0]`: image name \"../x\" is not made of letters, digits, '.', '_' and '-', \
             starting with a letter or digit"
                .into(),
        ),
        (
            json!({"state": "there"}),
            "reading option `state`: unknown variant `there`, expected one of `present`, `latest`, `absent`".into(),
        ),
        (json!({"store": "images"}), "option `store` is images, expected an absolute path".into()),
        (
            json!({"repository": "ftp://a/b"}),
            "reading option `repository`: reading repository \"ftp://a/b\": ftp:// is not served; use a path, file, \
             http, https or ssh"
                .into(),
        ),
        (
            json!({"pubkey": null}),
            format!("option `pubkey` is missing: signature_type pubkey needs a file with the public key; {trust}"),
        ),
        (
            json!({"signature_type": "fingerprints"}),
            format!(
                "option `fingerprints` is missing: signature_type fingerprints needs a folder with `trusted` and \
                 `revoked` in it; {trust}"
            ),
        ),
        (
            json!({"repository": "/nonexistent"}),
            "reading the catalogue of /nonexistent: opening catalogue /nonexistent: No such file or directory (os \
             error 2)"
                .into(),
        ),
        (
            json!({"repository": keys}),
            format!("reading the catalogue of {keys}: there is no meta.conf, so this is not a repository of packages"),
        ),
        (
            json!({"name": "FreeBSD-15"}),
            "no image FreeBSD-15 is in the catalogue, which has FreeBSD-14.2-RELEASE-ZFS-20G-20250101, \
             FreeBSD-10.3-RELEASE-ZFS-20G-20170515, FreeBSD-14.2-RELEASE-ZFS-20G-20250515"
                .into(),
        ),
        (
            json!({"repository": "ssh://h", "ssh_key": "/no where"}),
            "reading the catalogue of ssh://h: option `ssh_key`: ssh cannot take the path /no where".into(),
        ),
        (
            json!({"repository": "ssh://h", "ssh_known_hosts": "/nowhere"}),
            "reading the catalogue of ssh://h: option `ssh_known_hosts`: there is no file /nowhere".into(),
        ),
    ];
    for (change, expected) in table {
        let found = refusal(&with(lab.options(&[SMALL]), change.clone()));
        assert_eq!(sorted_names(&found), sorted_names(&expected), "{change}");
    }
    let unknown = refusal(&with(lab.options(&[SMALL]), json!({"colour": "red"})));
    assert!(unknown.contains("unknown field `colour`"), "{unknown}");
    assert!(!std::path::Path::new(&store).exists() && lab.images().is_empty(), "{repository}");
}

/// The order of a catalogue is its writer's business.
fn sorted_names(text: &str) -> Vec<&str> {
    let mut words: Vec<_> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    if text.contains("which has") {
        words.sort_unstable();
    }
    words
}

#[test]
fn the_wrong_key_is_refused() {
    let lab = Lab::new("pubkey-rsa");
    let other = fixtures().join("keys/other-rsa.pub");
    let msg = refusal(&with(lab.options(&[SMALL]), json!({"pubkey": other})));
    let start = format!("reading the catalogue of {}: ", lab.repository().display());
    assert!(msg.starts_with(&start) && msg.contains("signature"), "{msg}");
    let unsigned = Lab::new("unsigned");
    let msg = refusal(&unsigned.options(&[SMALL]));
    assert!(msg.ends_with("the catalogue is not signed"), "{msg}");
}

#[test]
fn what_cannot_be_written_is_named() {
    let lab = Lab::new("pubkey-rsa");
    std::fs::write(lab.store(), "a file").unwrap();
    let msg = refusal(&lab.options(&[SMALL]));
    assert_eq!(
        msg,
        format!("looking into the store {}: Not a directory (os error 20)", lab.store().display())
    );
    let hidden = lab.folder.path().join("hidden");
    std::fs::create_dir(&hidden).unwrap();
    std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(0o500)).unwrap();
    // Root may write anywhere: only the answer's form can be compared then.
    let reply = crate::support::run(&with(lab.options(&[SMALL]), json!({"store": hidden.join("store")})));
    match reply["failed"] {
        Value::Null => assert_eq!(reply["changed"], true),
        _ => {
            let expected = format!(
                "making the store {}: Permission denied (os error 13)",
                hidden.join("store").display()
            );
            assert_eq!(reply["msg"], expected);
        }
    }
}
