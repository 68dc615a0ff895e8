// SPDX-License-Identifier: GPL-3.0-or-later

//! Runs that are killed.

use std::fs;

use serde_json::json;
use test_support::kill_before_each_change;

use crate::support::{LARGE, Lab, OLD, SMALL, program, run, whole};

/// Whatever the lists of a mirror name whose run was killed is there, and the next run completes it.
#[test]
fn a_killed_run_is_put_right_by_the_next() {
    let lab = Lab::new();
    let options = lab.folder_options();
    run(&options);
    lab.publish(LARGE);
    kill_before_each_change(program, &options, &["create", "write", "sync", "name"], || {
        for image in lab.lists(&lab.at("mirror")).into_iter().flat_map(|list| list.images) {
            let mut check = image.check(fs::File::open(lab.mirror(image.path.as_str())).unwrap());
            std::io::copy(&mut check, &mut std::io::sink()).unwrap();
            check.finish().unwrap();
        }
        assert_eq!(run(&options)["failed"], json!(null));
        assert_eq!(lab.mirrored(), whole(&[OLD, SMALL, LARGE]));
        lab.withdraw(LARGE);
        run(&options);
        lab.publish(LARGE);
    });
}
