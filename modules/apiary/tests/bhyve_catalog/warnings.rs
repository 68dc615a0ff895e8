// SPDX-License-Identifier: GPL-3.0-or-later

//! What will hurt later is said while publishing, in check mode too, and keeps nobody from it.

use serde_json::{Value, json};
use test_support::with;

use crate::support::Lab;

#[test]
fn a_publisher_is_told_what_will_hurt_later() {
    let lab = Lab::new();
    let long = "x".repeat(50);
    let table = [
        (json!({}), json!(null)),
        (
            json!({"volblocksize": "8K"}),
            json!([
                "image demo-1 has a volume block size of 8192: every guest's disk inherits it, and small blocks waste \
                    space and time; 64K is a good choice"
            ]),
        ),
        (
            json!({"os": null, "requirements": null}),
            json!([
                "image demo-1 has no annotation image_os and image_min_memory and image_loader: set os and requirements, \
                    so that hosts can tell whether they can run it"
            ]),
        ),
        (
            json!({"requirements": {"memory": "64M"}}),
            json!([
                "image demo-1 has no annotation image_loader: set os and requirements, so that hosts can tell whether \
                    they can run it"
            ]),
        ),
        (
            json!({"name": long}),
            json!([format!(
                "image {long}-1 has a name of 52 characters: the device of its volume may get too long a name"
            )]),
        ),
    ];
    for (more, expected) in table {
        let options = with(lab.publish("1"), more);
        for reply in [lab.check(&options), lab.run(&options)] {
            assert_eq!((&reply["changed"], &reply["warnings"]), (&json!(true), &expected));
        }
        assert_eq!(
            lab.run(&options)["warnings"],
            Value::Null,
            "what is published already is not judged again"
        );
        let absent = json!({"name": options["name"], "version": "1", "state": "absent"});
        lab.changed(&lab.options(absent));
    }
}
