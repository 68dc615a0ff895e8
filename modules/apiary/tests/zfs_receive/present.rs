// SPDX-License-Identifier: GPL-3.0-or-later

//! Volumes made, grown, updated, replaced and removed.

use crate::support::*;
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_volume_is_made_once() {
    let mut host = Host::new();
    let done = host.triad(&json!({"src": stream("tiny-plain.zfs")}));
    host.only_volume_is(TINY.1);
    let volume = json!({
        "device": host.volume(), "guid": TINY.0, "size": MIB, "volblocksize": 16384, "replaced": null,
    });
    assert_eq!(done["volume"], volume);
    assert_eq!(done["timings"]["apply"]["bytes"], json!(104120));
    assert_eq!(fs::metadata(host.volume()).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn differences_are_shown_in_the_words_of_the_options() {
    let mut host = Host::new();
    let diff = host.check(&json!({"src": stream("tiny-plain.zfs")}))["diff"].clone();
    assert_eq!(diff["before"], json!("state: absent\n"));
    assert_eq!(
        diff["after"],
        json!(format!("state: present\nguid: {}\nvolsize: that of the image\n", TINY.0))
    );
    host.run(&json!({"src": stream("tiny-plain.zfs")}));
    let diff = host.check(&json!({"src": stream("tiny-plain.zfs"), "volsize": "2M"}))["diff"].clone();
    assert_eq!(diff["before"], json!(format!("state: present\nguid: {}\nvolsize: 1M\n", TINY.0)));
    assert_eq!(diff["after"], json!(format!("state: present\nguid: {}\nvolsize: 2M\n", TINY.0)));
}

#[test]
fn the_image_needs_not_be_there_any_more() {
    let mut host = Host::new();
    let options = json!({"src": "/nonexistent/image.pkg", "guid": TINY.0});
    let foreseen = host.check(&options);
    assert_eq!((&foreseen["changed"], &foreseen["volume"]["size"]), (&json!(true), &json!(null)));
    assert_eq!(
        foreseen["warnings"],
        json!(["/nonexistent/image.pkg is not there yet: only its guid could be compared"])
    );
    host.run(&json!({"src": stream("tiny-plain.zfs")}));
    assert_eq!(host.run(&options)["changed"], json!(false));
}

#[test]
fn volumes_grow_and_never_shrink() {
    let mut host = Host::new();
    let src = stream("tiny-plain.zfs");
    let small = host.run(&json!({"src": src, "volsize": "512K"}));
    let msg = format!(
        "receiving {} into {}: option `volsize` is 512K, but the image has 1M: its end would be cut off",
        src.display(),
        host.volume().display()
    );
    assert_eq!(failure(&small), msg);
    assert_eq!(failure(&host.check(&json!({"src": src, "volsize": "512K"}))), msg);
    assert_eq!(host.content(), []);

    host.triad(&json!({"src": src, "volsize": "2M"}));
    assert_eq!(fs::metadata(host.volume()).unwrap().len(), 2 * MIB);
    assert_eq!(host.run(&json!({"src": src}))["volume"]["size"], json!(2 * MIB));
    assert_eq!(host.triad(&json!({"src": src, "volsize": "3M"}))["volume"]["size"], json!(3 * MIB));
    fs::write(host.at("start"), &fs::read(host.volume()).unwrap()[..MIB as usize]).unwrap();
    assert_eq!(sha256(&host.at("start")), TINY.1);
    assert_eq!(
        failure(&host.run(&json!({"src": src, "volsize": "2M"}))),
        format!(
            "option `volsize` is 2M, but {} has 3M: volumes are grown, never shrunk",
            host.volume().display()
        )
    );
}

#[test]
fn an_incremental_stream_goes_onto_its_image() {
    let mut host = Host::new();
    let missing = host.run(&json!({"src": stream("tiny-incr.zfs")}));
    let expected = format!(
        "the stream is incremental: it needs the image with guid {} in place; receive that image first, or a full stream",
        TINY.0
    );
    assert_eq!(failure(&missing), expected);
    host.run(&json!({"src": stream("tiny-plain.zfs")}));
    let done = host.triad(&json!({"src": stream("tiny-incr.zfs")}));
    assert_eq!((&done["volume"]["guid"], &done["volume"]["size"]), (&json!(TINY2.0), &json!(MIB)));
    host.only_volume_is(TINY2.1);
}

#[test]
fn an_incremental_stream_goes_onto_a_grown_volume() {
    let mut host = Host::new();
    host.run(&json!({"src": stream("tiny-plain.zfs"), "volsize": "2M"}));
    host.run(&json!({"src": stream("tiny-plain.zfs"), "volsize": "4M"}));
    let done = host.triad(&json!({"src": stream("tiny-incr.zfs")}));
    assert_eq!(done["volume"]["size"], json!(4 * MIB));
    let content = fs::read(host.volume()).unwrap();
    assert!(content[MIB as usize..].iter().all(|byte| *byte == 0));
    fs::write(host.volume(), &content[..MIB as usize]).unwrap();
    assert_eq!(sha256(&host.volume()), TINY2.1);
}

#[test]
fn a_used_volume_takes_no_incremental_stream() {
    let mut host = Host::new();
    host.run(&json!({"src": stream("tiny-plain.zfs")}));
    OpenOptions::new().write(true).open(host.volume()).unwrap().write_all(b"a guest was here").unwrap();
    let expected = format!(
        "receiving onto {}: it has been written to since its image was received, so an incremental stream does not fit; \
         receive a full stream",
        host.volume().display()
    );
    assert_eq!(failure(&host.run(&json!({"src": stream("tiny-incr.zfs")}))), expected);
    let same = host.run(&json!({"src": stream("tiny-plain.zfs")}));
    assert_eq!(same["changed"], json!(false), "a guest's writes do not make it another image");
}

#[test]
fn another_image_replaces_only_when_told_and_the_old_one_is_kept() {
    let mut host = Host::new();
    host.run(&json!({"src": stream("tiny-plain.zfs")}));
    let other = json!({"src": stream("empty-plain.zfs")});
    let expected = format!(
        "receiving into {}: another image is there, guid {}, expected {EMPTY_GUID}; set `replace` to keep that volume under \
         a dated name and receive anew",
        host.volume().display(),
        TINY.0
    );
    assert_eq!(failure(&host.run(&other)), expected);
    assert_eq!(failure(&host.check(&other)), expected);
    let done = host.triad(&json!({"src": stream("empty-plain.zfs"), "replace": true}));
    let kept = done["volume"]["replaced"].as_str().unwrap().to_owned();
    let date = kept.strip_prefix(&format!("{}.old-", host.volume().display())).unwrap().to_owned();
    assert!(date.len() == 16 && date.ends_with('Z') && date.as_bytes()[8] == b'T', "{date}");
    assert_eq!(sha256(&kept.clone().into()), TINY.1);
    assert_eq!(host.content().len(), 2);
    // The kept volume is still one of ours.
    assert_eq!(host.run(&json!({"path": kept, "state": "absent"}))["changed"], json!(true));
    assert_eq!(host.content().len(), 1);
}

#[test]
fn a_file_of_unknown_origin_is_left_alone() {
    let mut host = Host::new();
    host.run(&json!({"state": "absent"}));
    fs::write(host.volume(), "precious").unwrap();
    let src = stream("tiny-plain.zfs");
    let receive = format!(
        "receiving into {}: a file is there that zfs_receive has not made; choose another path, or set `replace` and \
         `force` to keep that file under a dated name",
        host.volume().display()
    );
    for options in
        [json!({"src": src}), json!({"src": src, "replace": true}), json!({"src": src, "force": true})]
    {
        assert_eq!(failure(&host.run(&options)), receive);
    }
    let remove = format!(
        "removing {}: it was not made by zfs_receive; remove it yourself, or set `force` if it may go",
        host.volume().display()
    );
    assert_eq!(failure(&host.run(&json!({"state": "absent"}))), remove);
    assert_eq!(fs::read_to_string(host.volume()).unwrap(), "precious");
    let done = host.triad(&json!({"src": src, "replace": true, "force": true}));
    assert_eq!(fs::read_to_string(done["volume"]["replaced"].as_str().unwrap()).unwrap(), "precious");
    fs::write(host.volume(), "foreign again").unwrap();
    fs::remove_file(host.volume()).unwrap();
    fs::write(host.volume(), "new file").unwrap();
    host.triad(&json!({"state": "absent", "force": true}));
}

#[test]
fn volumes_are_removed_with_nothing_left() {
    let mut host = Host::new();
    host.run(&json!({"src": stream("tiny-plain.zfs")}));
    let done = host.triad(&json!({"state": "absent"}));
    assert_eq!(done["volume"]["guid"], json!(TINY.0));
    assert_eq!(host.content(), []);
    fs::remove_dir(host.at("")).unwrap();
    let gone = json!({"path": host.folder.path().join("gone/web1"), "state": "absent"});
    assert_eq!(host.run(&gone)["changed"], json!(false));
}

#[test]
fn the_mode_of_a_new_file_is_the_one_asked_for() {
    let mut host = Host::new();
    host.run(&json!({"src": stream("tiny-plain.zfs"), "mode": "0640"}));
    assert_eq!(fs::metadata(host.volume()).unwrap().permissions().mode() & 0o7777, 0o640);
}

#[test]
fn a_missing_folder_is_made() {
    let mut host = Host::new();
    let path = host.at("new/folder/web1");
    let foreseen = host.check(&json!({"src": stream("tiny-plain.zfs"), "path": path}));
    let folder = format!("folder: {}\n", path.parent().unwrap().display());
    assert!(foreseen["diff"]["after"].as_str().unwrap().ends_with(&folder), "{foreseen}");
    assert!(!host.at("new").exists());
    host.run(&json!({"src": stream("tiny-plain.zfs"), "path": path}));
    assert_eq!(sha256(&path), TINY.1);
}
