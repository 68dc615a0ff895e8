// SPDX-License-Identifier: GPL-3.0-or-later

//! What each state does, and says of it.

use std::fs;

use crate::support::{BASE, Lab, NEWER, SMALL, fixtures, refusal, run, triad};
use serde_json::{Value, json};
use test_support::{copy_folder, with};

const CHANGE: [Value; 3] = [Value::Bool(true), Value::Bool(true), Value::Bool(false)];
const REST: [Value; 3] = [Value::Bool(false), Value::Bool(false), Value::Bool(false)];

#[test]
fn present_and_absent() {
    let lab = Lab::new("pubkey-rsa");
    let options = lab.options(&[SMALL]);
    assert_eq!(triad(&options), CHANGE);
    assert_eq!(lab.images(), [format!("{SMALL}.json"), format!("{SMALL}.pkg")]);
    assert_eq!(
        fs::read(lab.store().join(format!("{SMALL}.pkg"))).unwrap(),
        fs::read(lab.package(SMALL)).unwrap()
    );
    let absent = json!({"name": SMALL, "store": lab.store(), "state": "absent"});
    assert_eq!(triad(&absent), CHANGE);
    assert_eq!(lab.images(), [""; 0]);
    assert_eq!(triad(&absent), REST);
}

#[test]
fn check_mode_touches_nothing() {
    let lab = Lab::new("pubkey-rsa");
    run(&with(lab.options(&[SMALL]), json!({"_ansible_check_mode": true})));
    assert!(!lab.store().exists());
}

#[test]
fn the_reply_describes_the_image_and_the_difference() {
    let lab = Lab::new("pubkey-rsa");
    let reply = run(&with(lab.options(&[BASE]), json!({"_ansible_diff": true})));
    let path = lab.store().join(format!("{NEWER}.pkg"));
    let expected = json!({
        "name": BASE, "version": "20250515", "path": path, "size": 466_535,
        "sha256": "6be2a243fdc2b8efe0fa51581bf8dae9f10ce600ef97e23300d5ff12ea56f2f3",
        "volsize": 16_777_216, "volblocksize": 16384, "guid": "746768402527732875",
        "fromguid": null, "parent": null, "os": "freebsd", "min_memory": null,
        "loader": null, "disk_driver": null, "network_driver": null, "arch": null, "date": "2025-05-15", "labels": {},
        "comment": "bhyve guest image FreeBSD-14.2-RELEASE-ZFS-20G of 20250515",
    });
    assert_eq!(reply["image"], expected);
    assert_eq!(reply["images"], json!([expected]));
    assert_eq!(reply["diff"]["before"], "");
    let line = format!("{NEWER} guid 746768402527732875 (466535 bytes)\n");
    assert_eq!(reply["diff"]["after"], line);
    assert_eq!(reply["timings"]["apply"]["bytes"], 466_535);
    let again = run(&with(lab.options(&[BASE]), json!({"_ansible_diff": true})));
    assert_eq!((&again["image"], &again["diff"]), (&expected, &Value::Null));
}

#[test]
fn present_is_content_with_any_version_and_latest_is_not() {
    let lab = Lab::new("pubkey-rsa");
    run(&lab.options(&[SMALL]));
    let present = run(&lab.options(&[BASE]));
    assert_eq!((&present["changed"], &present["image"]["version"]), (&json!(false), &json!("20250101")));
    let latest = with(lab.options(&[BASE]), json!({"state": "latest"}));
    assert_eq!(triad(&latest), CHANGE);
    assert_eq!(run(&latest)["image"]["version"], "20250515");
    let kept = [SMALL, NEWER].map(|name| [format!("{name}.json"), format!("{name}.pkg")]).concat();
    assert_eq!(lab.images(), kept);
    let absent = with(lab.options(&[BASE]), json!({"state": "absent"}));
    assert_eq!(triad(&absent), CHANGE);
    assert_eq!(lab.images(), [""; 0]);
}

#[test]
fn present_needs_no_catalogue_once_it_is_there() {
    let lab = Lab::new("pubkey-rsa");
    run(&lab.options(&[SMALL]));
    fs::remove_dir_all(lab.repository()).unwrap();
    assert_eq!(triad(&lab.options(&[SMALL])), REST);
    assert_eq!(triad(&json!({"name": [SMALL, BASE], "store": lab.store()})), REST);
    assert_eq!(
        refusal(&json!({"name": NEWER, "store": lab.store()})),
        "option `repository` is needed to fetch an image"
    );
}

#[test]
fn several_images_at_once() {
    let lab = Lab::new("pubkey-rsa");
    let options = lab.options(&[BASE, SMALL, "debian-12-ZFS-10G", NEWER, BASE]);
    assert_eq!(triad(&options), CHANGE);
    let versions = |reply: &Value| -> Vec<String> {
        let images = reply["images"].as_array().unwrap();
        images.iter().map(|image| image["version"].as_str().unwrap().to_owned()).collect()
    };
    let reply = run(&options);
    assert_eq!(versions(&reply), ["20250515", "20250101", "20250515", "20250515"]);
    assert_eq!(reply["image"], Value::Null);
    assert_eq!(lab.images().len(), 6);
}

#[test]
fn every_repository_of_the_fixtures_is_read() {
    let key = |name: &str| fixtures().join("keys").join(name);
    let fingerprints = fixtures().join("fingerprints-rsa.fingerprints");
    let table = [
        ("unsigned", json!({"signature_type": "none"})),
        ("unsigned-pkg2.4", json!({"signature_type": "none"})),
        ("pubkey-rsa", json!({"pubkey": key("rsa.pub")})),
        ("pubkey-eddsa", json!({"pubkey": key("eddsa.pub")})),
        ("fingerprints-rsa", json!({"signature_type": "fingerprints", "fingerprints": fingerprints})),
    ];
    for (repository, trust) in table {
        let lab = Lab::new(repository);
        let all = [SMALL, NEWER, "debian-12-ZFS-10G-20250515", "FreeBSD-10.3-RELEASE-ZFS-20G-20170515"];
        assert_eq!(triad(&with(lab.options(&all), trust)), CHANGE, "{repository}");
    }
}

#[test]
fn a_package_replaced_under_its_version_is_fetched_again_by_latest() {
    let lab = Lab::new("unsigned");
    let options = with(lab.options(&[SMALL]), json!({"signature_type": "none"}));
    run(&options);
    fs::remove_dir_all(lab.repository()).unwrap();
    copy_folder(&fixtures().join("unsigned-pkg2.4"), &lab.repository());
    assert_eq!(triad(&options), REST);
    assert_eq!(triad(&with(options, json!({"state": "latest"}))), CHANGE);
    let (found, expected) = (lab.store().join(format!("{SMALL}.pkg")), lab.package(SMALL));
    assert_eq!(fs::read(found).unwrap(), fs::read(expected).unwrap());
}

#[test]
fn an_older_catalogue_is_refused() {
    let lab = Lab::new("unsigned");
    let options = with(lab.options(&[BASE]), json!({"signature_type": "none", "state": "latest"}));
    run(&options);
    let swap = |fixture: &str| {
        fs::remove_dir_all(lab.repository()).unwrap();
        copy_folder(&fixtures().join(fixture), &lab.repository());
    };
    swap("unsigned-pkg2.4");
    assert_eq!(run(&options)["changed"], true);
    swap("unsigned");
    let msg = refusal(&options);
    let start = format!(
        "the catalogue of {} is an old one: 1 newer were seen here since; ",
        lab.repository().display()
    );
    assert!(msg.starts_with(&start), "{msg}");
    assert_eq!(run(&with(options, json!({"allow_older": true})))["changed"], true);
}
