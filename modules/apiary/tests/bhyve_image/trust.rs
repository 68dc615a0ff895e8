// SPDX-License-Identifier: GPL-3.0-or-later

//! An image in the store is trusted for who vouched for it, and proved again when somebody else has to.

use std::fs;

use crate::support::{BASE, Lab, SMALL, fixtures, refusal, run, triad};
use serde_json::{Value, json};
use test_support::{copy_folder, with};

const REST: [Value; 3] = [Value::Bool(false), Value::Bool(false), Value::Bool(false)];

fn record(lab: &Lab) -> Value {
    let text = fs::read(lab.store().join(format!("{SMALL}.json"))).unwrap();
    serde_json::from_slice::<Value>(&text).unwrap()["vouched"].clone()
}

/// Puts another repository of the fixtures in the place of the one that is there.
fn replace(lab: &Lab, fixture: &str) {
    fs::remove_dir_all(lab.repository()).unwrap();
    copy_folder(&fixtures().join(fixture), &lab.repository());
}

#[test]
fn what_was_taken_from_anyone_is_proved_by_the_first_who_asks_for_a_key() {
    let lab = Lab::new("pubkey-rsa");
    run(&with(lab.options(&[SMALL]), json!({"signature_type": "none"})));
    assert_eq!(record(&lab)["signature_type"], "none");
    // The same package is in a list that is signed: read, and not fetched again.
    fs::remove_file(lab.package(SMALL)).unwrap();
    assert_eq!(triad(&lab.options(&[SMALL])), REST);
    assert_eq!(record(&lab)["signature_type"], "pubkey");
    fs::remove_dir_all(lab.repository()).unwrap();
    assert_eq!(triad(&lab.options(&[SMALL])), REST);
    assert_eq!(triad(&with(lab.options(&[SMALL]), json!({"signature_type": "none"}))), REST);
}

#[test]
fn what_was_taken_from_anyone_is_refused_where_nobody_signs() {
    let lab = Lab::new("unsigned");
    run(&with(lab.options(&[SMALL]), json!({"signature_type": "none"})));
    let message = refusal(&lab.options(&[SMALL]));
    assert!(message.ends_with(": the catalogue is not signed"), "{message}");
    assert_eq!(
        refusal(&json!({"name": SMALL, "store": lab.store()})),
        "option `repository` is needed to fetch an image"
    );
}

#[test]
fn another_key_has_to_vouch_again() {
    let lab = Lab::new("pubkey-rsa");
    run(&lab.options(&[SMALL]));
    let other = with(lab.options(&[SMALL]), json!({"pubkey": fixtures().join("keys/eddsa.pub")}));
    let message = refusal(&other);
    assert!(message.contains("reading the catalogue"), "{message}");
    let rsa = record(&lab)["key"].clone();
    replace(&lab, "pubkey-eddsa");
    assert_eq!(triad(&other)[2], false);
    assert_ne!(record(&lab)["key"], rsa);
    assert_eq!(triad(&other), REST);
}

#[test]
fn another_catalogue_has_to_vouch_again() {
    let lab = Lab::new("pubkey-rsa");
    run(&lab.options(&[SMALL]));
    let moved = lab.folder.path().join("moved");
    let elsewhere = with(lab.options(&[SMALL]), json!({"repository": moved}));
    let message = refusal(&elsewhere);
    assert!(message.contains("moved: No such file or directory"), "{message}");
    copy_folder(&lab.repository(), &moved);
    assert_eq!(triad(&elsewhere), REST);
    assert_eq!(record(&lab)["repository"], json!(moved));
}

/// A name without a version means any version: which one must not depend on who vouches for it.
#[test]
fn an_older_version_that_is_still_listed_stays() {
    let lab = Lab::new("pubkey-rsa");
    run(&with(lab.options(&[SMALL]), json!({"signature_type": "none"})));
    assert_eq!(triad(&lab.options(&[BASE])), REST);
    assert_eq!(record(&lab)["signature_type"], "pubkey");
    // A record of before this was kept.
    let path = lab.store().join(format!("{SMALL}.json"));
    let mut old: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    old.as_object_mut().unwrap().remove("vouched");
    fs::write(&path, old.to_string()).unwrap();
    assert_eq!(triad(&lab.options(&[BASE])), REST);
    assert_eq!(record(&lab)["signature_type"], "pubkey");
}

#[test]
fn an_image_stays_until_another_one_of_its_name_is_whole() {
    let lab = Lab::new("unsigned");
    let options = with(lab.options(&[SMALL]), json!({"signature_type": "none"}));
    run(&options);
    let kept = fs::read(lab.store().join(format!("{SMALL}.pkg"))).unwrap();
    replace(&lab, "unsigned-pkg2.4");
    let there = fs::read(lab.package(SMALL)).unwrap();
    fs::write(lab.package(SMALL), &there[..there.len() - 1]).unwrap();
    let latest = with(options, json!({"state": "latest"}));
    let message = refusal(&latest);
    assert!(message.contains("the catalogue says"), "{message}");
    assert_eq!(fs::read(lab.store().join(format!("{SMALL}.pkg"))).unwrap(), kept);
    assert_eq!(record(&lab)["signature_type"], "none");
    fs::write(lab.package(SMALL), there).unwrap();
    assert_eq!(run(&latest)["changed"], true);
}

#[test]
fn a_revoked_key_ends_the_trust_in_what_it_signed() {
    let lab = Lab::new("fingerprints-rsa");
    let keys = lab.folder.path().join("fingerprints");
    copy_folder(&fixtures().join("fingerprints-rsa.fingerprints"), &keys);
    let options =
        with(lab.options(&[SMALL]), json!({"signature_type": "fingerprints", "fingerprints": keys}));
    run(&options);
    assert_eq!(triad(&options), REST);
    let trusted = fs::read_dir(keys.join("trusted")).unwrap().next().unwrap().unwrap().path();
    fs::create_dir_all(keys.join("revoked")).unwrap();
    fs::copy(&trusted, keys.join("revoked/it")).unwrap();
    let message = refusal(&options);
    assert!(message.contains(": the catalogue is signed by the revoked key "), "{message}");
    // To be rid of it, nobody has to be believed.
    assert_eq!(triad(&with(options, json!({"state": "absent"})))[1], true);
}

#[test]
fn revoked_keys_that_cannot_be_read_are_not_none() {
    let lab = Lab::new("fingerprints-rsa");
    let keys = lab.folder.path().join("fingerprints");
    copy_folder(&fixtures().join("fingerprints-rsa.fingerprints"), &keys);
    let revoked = keys.join("revoked");
    let _ = fs::remove_dir_all(&revoked);
    std::os::unix::fs::symlink("/share/that/is/not/mounted", &revoked).unwrap();
    let options =
        with(lab.options(&[SMALL]), json!({"signature_type": "fingerprints", "fingerprints": keys}));
    let message = refusal(&options);
    assert_eq!(
        message,
        format!("reading fingerprints from {}: No such file or directory (os error 2)", revoked.display())
    );
}
