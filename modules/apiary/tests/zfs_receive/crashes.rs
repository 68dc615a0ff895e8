// SPDX-License-Identifier: GPL-3.0-or-later

//! Killed at any moment, and several at once: the next run converges, and no partial file has the final name.

use crate::support::*;
use image_catalog::digest::Sha256Hex;
use serde_json::json;
use std::fs;
use std::process::Child;
use test_support::{kill_before_each_change, module};

fn start(host: &mut Host, options: &serde_json::Value) -> Child {
    let arguments = host.arguments(options);
    command().arg(arguments).spawn().unwrap()
}

#[test]
fn killed_at_any_moment_the_next_run_converges() {
    let digest = "213de5278ceb4369a55895208beb26ad48af5fe711dbfeb04d0343a463bbca25";
    let mut host = Host::new();
    let options = host.options(&json!({"src": stream("lz4-plain.zfs"), "volsize": "32M"}));
    let absent = json!({"state": "absent"});
    kill_before_each_change(
        || module(&program()),
        &options,
        &["create", "write", "sync", "name"],
        || {
            if let Ok(volume) = fs::metadata(host.volume()) {
                assert_eq!(volume.len(), 32 * MIB, "a partial file has the final name");
            }
            let after = host.run(&options);
            assert_eq!(after["failed"], json!(null), "{after}");
            assert_eq!(host.content().len(), 1, "{:?}", host.content());
            let content = fs::read(host.volume()).unwrap();
            assert_eq!(Sha256Hex::of(&content[..16 << 20]).to_string(), digest);
            assert_eq!(host.run(&options)["changed"], json!(false));
            assert_eq!(host.run(&absent)["failed"], json!(null));
        },
    );
}

#[test]
fn what_dead_runs_left_is_swept_and_is_no_change() {
    let mut host = Host::new();
    let options = json!({"src": stream("tiny-plain.zfs")});
    host.run(&options);
    fs::write(host.at(".new-abc123-web1"), "left").unwrap();
    fs::write(host.at(".new-abc123-web2"), "another volume's").unwrap();
    assert_eq!(host.check(&options)["changed"], json!(false));
    assert_eq!(host.run(&options)["changed"], json!(false));
    fs::remove_file(host.at(".new-abc123-web2")).unwrap();
    host.only_volume_is(TINY.1);
}

#[test]
fn a_replacement_that_died_half_way_keeps_one_old_volume() {
    let mut host = Host::new();
    host.run(&json!({"src": stream("tiny-plain.zfs")}));
    let kept = host.at("web1.old-20200101T000000Z");
    fs::hard_link(host.volume(), &kept).unwrap();
    let done = host.run(&json!({"src": stream("empty-plain.zfs"), "replace": true}));
    assert_eq!(done["volume"]["replaced"], json!(kept));
    assert_eq!(host.content().len(), 2);
    assert_eq!(sha256(&kept), TINY.1);
}

#[test]
fn several_runs_at_once_make_one_volume() {
    let mut host = Host::new();
    let options = json!({"src": stream("lz4-plain.zfs")});
    let children: Vec<Child> = (0..6).map(|_| start(&mut host, &options)).collect();
    let mut changed = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let reply: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(reply["failed"], json!(null), "{reply}");
        changed += u32::from(reply["changed"] == json!(true));
    }
    assert_eq!(changed, 1);
    assert_eq!(host.content().len(), 1);
    assert_eq!(host.run(&options)["changed"], json!(false));
}
