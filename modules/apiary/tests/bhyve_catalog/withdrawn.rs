// SPDX-License-Identifier: GPL-3.0-or-later

//! Withdrawing images.

use std::fs;

use serde_json::json;
use test_support::with;

use crate::support::{Lab, stream};

fn absent(lab: &Lab, name: &str, version: &str) -> serde_json::Value {
    lab.options(json!({"name": name, "version": version, "state": "absent"}))
}

#[test]
fn the_triad() {
    let lab = Lab::new();
    lab.changed(&lab.publish("1"));
    lab.changed(&lab.publish("2"));
    let reply = lab.triad(&absent(&lab, "demo", "1"));
    assert_eq!(reply["withdrawn"], json!(["demo-1"]));
    assert_eq!(reply["catalogue"]["images"], json!(["demo-2"]));
    assert_eq!(lab.images(), ["demo-2"]);
    assert!(!lab.catalogue().join("All/demo-1.pkg").exists());
    lab.triad(&absent(&lab, "demo", "2"));
    assert!(lab.images().is_empty());
    lab.triad(&lab.publish("1"));
}

#[test]
fn where_there_is_no_catalogue_nothing_is_made() {
    let lab = Lab::new();
    assert!(!lab.changed(&absent(&lab, "demo", "1")));
    assert!(!lab.catalogue().exists());
}

#[test]
fn a_package_that_no_list_names_goes_too() {
    let lab = Lab::new();
    lab.changed(&lab.publish("1"));
    fs::write(lab.catalogue().join("All/demo-2.pkg"), "left over").unwrap();
    lab.triad(&absent(&lab, "demo", "2"));
    assert_eq!(lab.images(), ["demo-1"]);
}

#[test]
fn what_others_build_on_stays() {
    let lab = Lab::new();
    let base = with(
        lab.publish("1"),
        json!({"name": "base", "source": stream("tiny-plain.zfs"), "format": "stream"}),
    );
    lab.triad(&base);
    let next =
        json!({"name": "next", "source": stream("tiny-incr.zfs"), "format": "stream", "parent": "base-1"});
    let reply = lab.triad(&with(lab.publish("1"), next));
    let parent = reply["image"]["fromguid"].clone();
    let catalogue = lab.read();
    let image = catalogue.find(&"next".parse().unwrap()).unwrap();
    assert_eq!(json!(image.facts.fromguid.unwrap().to_string()), parent);
    assert_eq!(image.manifest.deps["base"].version, "1");
    assert_eq!(
        lab.refusal(&absent(&lab, "base", "1")),
        "image base-1 cannot be withdrawn: next-1 is built on it; withdraw that first"
    );
    lab.triad(&absent(&lab, "next", "1"));
    lab.triad(&absent(&lab, "base", "1"));
}
