// SPDX-License-Identifier: GPL-3.0-or-later

//! Files that are made empty, and may hold anything from then on.

use crate::support::*;
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

fn data(size: &str) -> Value {
    json!({"blank": true, "volsize": size})
}

#[test]
fn an_empty_file_is_made_once() {
    let mut host = Host::new();
    let done = host.triad(&data("100G"));
    let found = fs::metadata(host.volume()).unwrap();
    assert_eq!((found.len(), found.permissions().mode() & 0o7777), (100 << 30, 0o600));
    assert!(found.blocks() < 64, "it takes {} blocks", found.blocks());
    assert_eq!(
        done["volume"],
        json!({"device": host.volume(), "guid": null, "size": 100_u64 << 30, "volblocksize": null, "replaced": null})
    );
}

#[test]
fn what_is_in_it_stays_and_it_grows() {
    let mut host = Host::new();
    let diff = host.check(&data("1M"))["diff"].clone();
    assert_eq!(diff["before"], json!("state: absent\n"));
    assert_eq!(diff["after"], json!("state: present\nguid: none, made empty\nvolsize: 1M\n"));
    host.run(&data("1M"));
    OpenOptions::new().write(true).open(host.volume()).unwrap().write_all(b"precious").unwrap();
    let unchanged = host.check(&data("1M"));
    assert_eq!(unchanged["changed"], json!(false), "{unchanged}");
    assert_eq!(host.triad(&data("2M"))["volume"]["size"], json!(2 * MIB));
    assert!(fs::read(host.volume()).unwrap().starts_with(b"precious"));
    assert_eq!(
        failure(&host.run(&data("1M"))),
        format!(
            "option `volsize` is 1M, but {} has 2M: volumes are grown, never shrunk",
            host.volume().display()
        )
    );
}

#[test]
fn a_file_of_any_origin_satisfies() {
    let mut host = Host::new();
    host.run(&json!({"src": stream("tiny-plain.zfs")}));
    let unchanged = host.run(&data("1M"));
    assert_eq!((&unchanged["changed"], &unchanged["volume"]["guid"]), (&json!(false), &json!(TINY.0)));
    host.only_volume_is(TINY.1);
    host.run(&data("2M"));
    // It is still known by its image, and its increment still fits.
    assert_eq!(host.run(&json!({"src": stream("tiny-plain.zfs")}))["changed"], json!(false));
    assert_eq!(host.run(&json!({"src": stream("tiny-incr.zfs")}))["changed"], json!(true));

    let mut host = Host::new();
    host.arguments(&json!({}));
    fs::write(host.volume(), [7; 512]).unwrap();
    assert_eq!(host.triad(&data("1K"))["volume"]["size"], json!(1024));
    assert!(fs::read(host.volume()).unwrap().starts_with(&[7; 512]));
    // It is the user's own, and goes only where that is said.
    let refused = host.run(&json!({"state": "absent"}));
    assert!(failure(&refused).contains("it was not made by zfs_receive"), "{refused}");
}

#[test]
fn an_empty_file_is_ours_to_remove_and_no_image_takes_its_place_unasked() {
    let mut host = Host::new();
    host.run(&data("1M"));
    let image = json!({"src": stream("tiny-plain.zfs")});
    let refused = host.run(&image);
    assert_eq!(
        failure(&refused),
        format!(
            "receiving into {}: a volume is there that was made empty, which may hold data; choose another path, or set \
             `replace` to keep that volume under a dated name",
            host.volume().display()
        )
    );
    let gone = host.triad(&json!({"state": "absent"}));
    assert_eq!(gone["volume"]["size"], json!(MIB));
    assert_eq!(host.content(), []);
}

#[test]
fn several_guests_each_with_a_disk_of_its_own() {
    let mut host = Host::new();
    let (root, disk, bad) = (host.at("web1.raw"), host.at("web1:data.raw"), host.at("web2:data.raw"));
    let guests = json!({"guests": {
        "web1": {"path": root, "src": stream("tiny-plain.zfs")},
        "web1:data": {"path": disk, "blank": true, "volsize": "1M"},
        "web2:data": {"path": bad, "blank": true},
    }});
    let arguments = host.arguments(&json!({}));
    fs::write(&arguments, guests.to_string()).unwrap();
    let output = command().arg(arguments).output().unwrap();
    let reply: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        reply["msg"],
        "1 of 3 guests failed: web2:data: option `volsize` is missing: an empty volume needs a size, as in 100G"
    );
    assert_eq!(reply["guests"]["web1:data"]["volume"]["device"], json!(disk));
    assert!(root.exists() && disk.exists() && !bad.exists());
}
