// SPDX-License-Identifier: GPL-3.0-or-later

//! Runs that are killed.

use std::fs;

use serde_json::json;
use test_support::{kill_before_each_change, wait_for, with};

use crate::support::Lab;

/// What clients can read when publishing was killed is whole, and the next run puts all right.
#[test]
fn a_killed_publication_is_put_right_by_the_next() {
    let lab = Lab::new();
    lab.changed(&lab.publish("1"));
    let options = lab.publish("2");
    kill_before_each_change(
        || lab.program(),
        &options,
        &["create", "write", "sync", "name"],
        || {
            let data = readable_images(&lab);
            assert!(data == ["demo-1"] || data == ["demo-1", "demo-2"], "{data:?}");
            let reply = lab.run(&options);
            assert_eq!(reply["failed"], json!(null), "{reply}");
            assert_eq!(lab.images(), ["demo-1", "demo-2"]);
            assert!(!lab.changed(&options));
            let left: Vec<_> = lab.files().into_iter().filter(|(path, _)| path.contains("/.new-")).collect();
            assert_eq!(left, []);
            lab.changed(&lab.options(json!({"name": "demo", "version": "2", "state": "absent"})));
        },
    );
}

/// The images of `data.pkg`, every package of which must be whole.
fn readable_images(lab: &Lab) -> Vec<String> {
    use image_catalog::{catalogue::Catalogue, meta::Meta};
    let meta = fs::read(lab.catalogue().join("meta.conf")).unwrap();
    let [data, _] = Meta::parse(&meta).unwrap().sources().unwrap();
    let file = fs::File::open(lab.catalogue().join(&data.path)).unwrap();
    let catalogue = Catalogue::read(file, &data, &lab.trust()).unwrap();
    catalogue.images.iter().for_each(|package| drop(lab.stream_of(package)));
    crate::support::names(&catalogue)
}

#[test]
fn a_first_publication_that_was_killed_is_done_again() {
    let lab = Lab::new();
    let options = lab.publish("1");
    kill_before_each_change(
        || lab.program(),
        &options,
        &["create", "write", "sync", "name"],
        || {
            lab.run(&options);
            assert_eq!(lab.images(), ["demo-1"]);
            assert!(!lab.changed(&options));
            fs::remove_dir_all(lab.catalogue()).unwrap();
        },
    );
}

/// A check knows no catalogue whose folder it could use, and takes no lock: the raw copy of a qcow2 disk goes all the same.
#[test]
fn the_raw_copy_of_a_killed_check_goes_with_the_next_run() {
    // The first conversion lives on while its target does.
    let script = r#"case "$1" in
info) echo '{"format": "qcow2", "virtual-size": 1048576}' ;;
convert) eval "target=\${$#}"; [ -e AT_WORK ] || while : >AT_WORK; [ -e "$target" ]; do sleep 0.1; done ;;
esac"#;
    let lab = Lab::new();
    let at_work = lab.at("at-work");
    let lab = lab.with_tool("qemu-img", &script.replace("AT_WORK", at_work.to_str().unwrap()));
    fs::write(lab.at("disk.qcow2"), b"QFI\xfb\0\0\0\x03").unwrap();
    let options =
        with(lab.publish("1"), json!({"source": lab.at("disk.qcow2"), "_ansible_check_mode": true}));
    let staged = || fs::read_dir(lab.at("tmp")).unwrap().count();
    let mut child = lab.start(&options);
    wait_for("qemu-img to be at work", 30, || fs::metadata(&at_work));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(staged(), 1);
    assert_eq!(lab.run(&options)["changed"], true);
    assert_eq!(staged(), 0);
    kill_before_each_change(
        || lab.program(),
        &options,
        &["create", "resize", "remove"],
        || {
            assert_eq!(lab.run(&options)["changed"], true);
            assert_eq!(staged(), 0);
        },
    );
}

/// A package that a killed run left is in no list: another image may take its name.
#[test]
fn a_package_left_behind_is_replaced() {
    let lab = Lab::new();
    lab.changed(&lab.publish("1"));
    fs::write(lab.catalogue().join("All/demo-2.pkg"), "left over").unwrap();
    lab.triad(&with(lab.publish("2"), json!({"volblocksize": "16K"})));
    let catalogue = lab.read();
    lab.stream_of(catalogue.find(&"demo-2".parse().unwrap()).unwrap());
}
