// SPDX-License-Identifier: GPL-3.0-or-later

//! Pruning old versions.

use serde_json::{Value, json};
use test_support::with;

use crate::support::{Lab, stream};

fn prune(lab: &Lab, more: Value) -> Value {
    with(lab.options(json!({"state": "pruned"})), more)
}

fn with_images(images: &[(&str, &str)]) -> Lab {
    let lab = Lab::new();
    for (name, version) in images {
        lab.changed(&with(lab.publish(version), json!({"name": name})));
    }
    lab
}

#[test]
fn the_newest_stay() {
    let lab = with_images(&[("a", "9"), ("a", "10"), ("a", "20200101"), ("b", "1"), ("b", "2")]);
    let reply = lab.triad(&prune(&lab, json!({"keep": 1, "name": "a"})));
    assert_eq!(reply["withdrawn"], json!(["a-10", "a-9"]));
    lab.triad(&prune(&lab, json!({"keep": 1})));
    assert_eq!(lab.images(), ["a-20200101", "b-2"]);
}

/// An image that a playbook publishes would come back with every run.
#[test]
fn those_that_are_named_stay() {
    let lab = with_images(&[("a", "1"), ("a", "2"), ("a", "3"), ("a", "4")]);
    let reply = lab.triad(&prune(&lab, json!({"keep": 1, "keep_images": ["a-2", "b-1"]})));
    assert_eq!(reply["withdrawn"], json!(["a-1", "a-3"]));
    assert_eq!(lab.images(), ["a-2", "a-4"]);
}

#[test]
fn the_young_stay() {
    let lab = with_images(&[
        ("a", "20200101"),
        ("a", "20200102"),
        ("a", "20990101"),
        ("a", "20990102"),
        ("b", "1"),
        ("b", "2"),
    ]);
    let reply = lab.triad(&prune(&lab, json!({"keep": 1, "keep_days": 30})));
    assert_eq!(reply["withdrawn"], json!(["a-20200101", "a-20200102"]));
    assert_eq!(lab.images(), ["a-20990101", "a-20990102", "b-1", "b-2"]);
}

#[test]
fn what_those_that_stay_build_on_stays() {
    let lab = Lab::new();
    let image = |name: &str, version: &str, more: Value| {
        with(with(lab.publish(version), json!({"name": name})), more)
    };
    lab.changed(&image("base", "1", json!({"source": stream("tiny-plain.zfs"), "format": "stream"})));
    lab.changed(&image("base", "2", json!({})));
    lab.changed(&image(
        "next",
        "1",
        json!({"source": stream("tiny-incr.zfs"), "format": "stream", "parent": "base-1"}),
    ));
    assert!(!lab.changed(&prune(&lab, json!({"keep": 1}))));
    lab.changed(&image("next", "2", json!({})));
    let reply = lab.triad(&prune(&lab, json!({"keep": 1})));
    assert_eq!(reply["withdrawn"], json!(["base-1", "next-1"]));
}
