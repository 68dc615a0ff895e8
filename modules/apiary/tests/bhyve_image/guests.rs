// SPDX-License-Identifier: GPL-3.0-or-later

//! Images for guests: those that are there keep theirs, new ones take the newest, and each has an answer of its own.

use std::fs;

use crate::support::{BASE, Lab, NEWER, SMALL, run};
use serde_json::{Value, json};
use test_support::{module, reply, with};

/// Options for one guest of several: without what the controller leaves out.
fn guest(lab: &Lab, image: &str, volume: &str) -> Value {
    with(lab.options(&[image]), json!({"path": lab.folder.path().join(volume)}))
}

fn ask(guests: &Value) -> Value {
    run(&json!({"guests": guests, "_ansible_diff": true}))
}

/// Makes a guest's volume as `zfs_receive` does.
fn receive(lab: &Lab, answer: &Value, volume: &str) {
    let options = json!({
        "src": answer["image"]["path"], "guid": answer["image"]["guid"], "path": lab.folder.path().join(volume),
    });
    let program = test_support::program!("zfs_receive");
    let made = reply(test_support::start(&mut module(&program), &options));
    assert_eq!((&made["changed"], &made["failed"]), (&json!(true), &Value::Null), "{made}");
}

#[test]
fn a_new_guest_takes_the_newest_and_one_that_is_there_keeps_its_own() {
    let lab = Lab::new("pubkey-rsa");
    let first = ask(&json!({"web1": guest(&lab, SMALL, "web1")}));
    receive(&lab, &first["guests"]["web1"], "web1");
    // An older version is in the store; the catalogue has a newer one.
    let guests = json!({
        "web1": guest(&lab, BASE, "web1"), "web2": guest(&lab, BASE, "web2"), "web3": guest(&lab, BASE, "web3"),
    });
    let both = ask(&guests);
    let versions = ["web1", "web2", "web3"].map(|name| both["guests"][name]["image"]["version"].clone());
    assert_eq!(versions, ["20250101", "20250515", "20250515"]);
    assert_eq!(both["guests"]["web1"]["newer"], "20250515");
    let changed = ["web1", "web2", "web3"].map(|name| both["guests"][name]["changed"].clone());
    assert_eq!(changed, [false, true, false]);
    assert_eq!((both["changed"].clone(), both["diff"].as_array().unwrap().len()), (json!(true), 1));
    assert_eq!(ask(&guests)["changed"], false);
}

#[test]
fn a_guest_that_is_there_needs_its_image_no_more() {
    let lab = Lab::new("pubkey-rsa");
    for (name, image) in [("exact", SMALL), ("base", NEWER)] {
        let answer = ask(&json!({name: guest(&lab, image, name)}));
        receive(&lab, &answer["guests"][name], name);
    }
    fs::remove_dir_all(lab.repository()).unwrap();
    fs::remove_dir_all(lab.store()).unwrap();
    let answer = ask(
        &json!({"exact": guest(&lab, SMALL, "exact"), "base": guest(&lab, BASE, "base"), "new": guest(&lab, BASE, "new")}),
    );
    let guests = &answer["guests"];
    for name in ["exact", "base"] {
        assert_eq!(
            (&guests[name]["failed"], &guests[name]["changed"]),
            (&Value::Null, &json!(false)),
            "{answer}"
        );
        assert!(guests[name]["image"]["guid"].is_string());
    }
    assert_eq!(guests["new"]["failed"], true);
    assert!(answer["msg"].as_str().unwrap().starts_with("1 of 3 guests failed: new: "), "{answer}");
    let warning = answer["warnings"][0].as_str().unwrap();
    assert!(warning.contains("whether there is a newer image cannot be told"), "{warning}");
    assert!(!lab.store().exists());
}

#[test]
fn another_image_than_a_guest_has_is_refused_and_nothing_is_fetched() {
    let lab = Lab::new("pubkey-rsa");
    let answer = ask(&json!({"web1": guest(&lab, SMALL, "web1")}));
    receive(&lab, &answer["guests"]["web1"], "web1");
    let answer = ask(&json!({"web1": guest(&lab, NEWER, "web1"), "web2": guest(&lab, SMALL, "web2")}));
    assert_eq!(
        answer["msg"],
        format!(
            "1 of 2 guests failed: web1: the guest's volume was made from image {SMALL}, expected {NEWER}: write `image: {SMALL}` to keep \
             it, or remove the guest to make it anew"
        )
    );
    assert_eq!(answer["guests"]["web2"]["image"]["version"], "20250101");
    assert_eq!(lab.images(), [format!("{SMALL}.json"), format!("{SMALL}.pkg")]);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let lab = Lab::new("pubkey-rsa");
    let both = with(guest(&lab, SMALL, "web1"), json!({"dataset": "tank/web1"}));
    let absent = with(guest(&lab, SMALL, "web1"), json!({"state": "absent"}));
    let answer = ask(&json!({"both": both, "absent": absent, "none": guest(&lab, "nothing", "none")}));
    let said = |name: &str| answer["guests"][name]["msg"].as_str().unwrap().to_owned();
    assert_eq!(said("both"), "both of the options `dataset` and `path` are given: expected one of them");
    assert_eq!(
        said("absent"),
        "option `state` is not `present`: the options `dataset` and `path` go with that"
    );
    assert!(said("none").starts_with("no image nothing is in the catalogue"));
    let alone = run(&guest(&lab, SMALL, "web1"));
    assert_eq!((&alone["changed"], &alone["image"]["version"]), (&json!(true), &json!("20250101")));
}
