// SPDX-License-Identifier: GPL-3.0-or-later

//! Other kinds of signatures, and changing the key.

use std::fs;

use image_catalog::signature::{KeyType, PrivateKey, create_key, load_key};
use serde_json::json;
use test_support::with;

use crate::support::Lab;

#[test]
fn a_new_key_signs_what_the_old_one_has_signed() {
    let lab = Lab::new();
    lab.changed(&lab.publish("1"));
    let old = load_key(&lab.key()).unwrap();
    fs::write(lab.at("old.pub"), old.public_key().encode().unwrap()).unwrap();
    fs::remove_file(lab.key()).unwrap();
    create_key(&lab.key(), &PrivateKey::generate(KeyType::Ecdsa).unwrap()).unwrap();
    let message = lab.refusal(&lab.publish("1"));
    assert!(message.contains("if the key was changed, name the old one as pubkey"), "{message}");
    lab.triad(&with(lab.publish("1"), json!({"pubkey": lab.at("old.pub")})));
    assert!(!lab.changed(&lab.publish("1")));
    assert_eq!(lab.images(), ["demo-1"]);
}

/// The command has the key at hand as a file, as a hardware token's program would not.
#[test]
fn a_signing_command_signs() {
    let lab = Lab::new();
    let shown = lab.folder.path().display().to_string();
    let openssl = |arguments: &str| {
        let mut words = arguments.split(' ');
        let status = std::process::Command::new(words.next().unwrap()).args(words).output().unwrap();
        assert!(status.status.success(), "{status:?}");
    };
    openssl(&format!("openssl genrsa -out {shown}/rsa.key 2048"));
    openssl(&format!("openssl rsa -in {shown}/rsa.key -pubout -out {shown}/rsa.pub"));
    let lab = lab.with_tool(
        "sign",
        &format!(
            "read -r digest\nprintf %s \"$digest\" >{shown}/digest\necho SIGNATURE\n\
             openssl dgst -sha256 -sign \"$1\" {shown}/digest\necho\necho CERT\ncat {shown}/rsa.pub\necho END"
        ),
    );
    let options = with(
        lab.publish("1"),
        json!({
            "signing_key": null, "signature_type": "fingerprints", "pubkey": lab.at("rsa.pub"),
            "signing_command": ["sign", lab.at("rsa.key")],
        }),
    );
    lab.triad(&options);
    let wrong = with(options, json!({"version": "2", "signing_command": ["sign", "/no/such/key"]}));
    assert_eq!(
        lab.refusal(&wrong),
        "verifying what the signing command answered: the catalogue's signature was not made by the trusted key, or \
         the catalogue was changed: verification error"
    );
}

#[test]
fn fingerprints_and_no_signature_at_all() {
    for more in
        [json!({"signature_type": "fingerprints"}), json!({"signature_type": "none", "signing_key": null})]
    {
        let lab = Lab::new();
        lab.triad(&with(lab.publish("1"), more.clone()));
        lab.triad(&with(lab.publish("2"), more));
    }
}
