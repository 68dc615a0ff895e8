// SPDX-License-Identifier: GPL-3.0-or-later

//! What is refused, with its whole text; and nothing is left on disk.

use crate::support::*;
use serde_json::{Value, json};
use std::fs;

const DAMAGED: &str =
    "checksum mismatch: its header or the data before it are damaged; fetch or send the stream again";

/// Run and check mode refuse with the same words, and neither leaves a file.
fn refused(host: &mut Host, options: &Value) -> String {
    let reply = host.run(options);
    let msg = failure(&reply).to_owned();
    assert_eq!(failure(&host.check(options)), msg);
    assert_eq!(host.content(), []);
    msg
}

#[test]
fn streams_that_are_damaged_or_evil() {
    let table = [
        (
            "tiny-truncated.zfs",
            "the stream ends at byte 20000, within a record: it was cut short; fetch or send it again",
        ),
        (
            "tiny-noend.zfs",
            "the stream ends at byte 103808, without its END record: it was cut short; fetch or send it again",
        ),
        (
            "tiny-trailing.zfs",
            "the stream ends at byte 104120, but more data follow it: not as it was sent; fetch or send it again",
        ),
        ("tiny-bitflip.zfs", &format!("record 10 (WRITE) at byte 68344: {DAMAGED}")),
        (
            "dangerous/evil-noprop.zfs",
            "record 517 (END) at byte 718048: the volume's size is missing: ZFS would crash on this volume; make the \
             stream anew",
        ),
        (
            "evil-badgzip.zfs",
            "record 21 (WRITE) at byte 146528: its gzip data do not unpack to 131072 bytes: the block was already corrupt \
             when it was sent; send the stream anew from an intact source",
        ),
    ];
    for (name, expected) in table {
        let mut host = Host::new();
        let msg = refused(&mut host, &json!({"src": stream(name)}));
        let doing = format!("receiving {} into {}: ", stream(name).display(), host.volume().display());
        assert_eq!(msg, doing + expected);
    }
}

#[test]
fn streams_that_are_refused_at_first_sight() {
    let begin = "record 1 (BEGIN) at byte 0: ";
    let table = [
        ("enc-w.zfs", "encrypted raw stream: cannot be read without its keys; send it without -w"),
        ("fs-Lec.zfs", "stream of a filesystem, not of a volume: tank/src/fs@v1"),
        ("tree-R.zfs", "package of 2 datasets (tank/src/tree, tank/src/tree/vol): send one volume"),
        (
            "tiny-badmagic.zfs",
            "not a ZFS send stream: it starts with record type 0 and magic number 0x2f5bacbbc, expected 0 and 0x2f5bacbac",
        ),
    ];
    for (name, expected) in table {
        let msg = refused(&mut Host::new(), &json!({"src": stream(name)}));
        assert_eq!(msg, format!("reading {}: {begin}{expected}", stream(name).display()));
    }
}

#[test]
fn sources_that_are_not_what_was_asked_for() {
    let src = stream("tiny-plain.zfs");
    let (src, wrong) = (src.display(), "0".repeat(64));
    let found = "1c1f2fe5f4f880f512b55055572134fb7a718eb57d8390631b813133c233f02f";
    let mut host = Host::new();
    let volume = host.volume().display().to_string();
    let table = [
        (
            json!({"src": src.to_string(), "sha256": wrong}),
            format!(
                "receiving {src} into {volume}: reading {src}: SHA-256 {found}, expected {wrong}: damaged or another file; \
                 fetch it again"
            ),
        ),
        (
            json!({"src": src.to_string(), "guid": "5"}),
            format!("{src} holds the image with guid {}, expected 5: another image", TINY.0),
        ),
        (
            json!({"src": "/nonexistent"}),
            "opening /nonexistent: No such file or directory (os error 2)".to_owned(),
        ),
        (json!({"src": "/"}), "opening /: it is a folder, expected a file".to_owned()),
        (json!({"src": "/dev/null"}), "opening /dev/null: it is a device, expected a file".to_owned()),
    ];
    for (options, expected) in table {
        assert_eq!(refused(&mut host, &options), expected);
    }
}

#[test]
fn places_where_no_volume_can_be() {
    let mut host = Host::new();
    let src = stream("tiny-plain.zfs");
    let file = host.folder.path().join("file");
    fs::write(&file, "").unwrap();
    let reply = host.check(&json!({"src": src, "path": file.join("web1")}));
    let expected = format!("looking at {}: Not a directory (os error 20)", file.join("web1").display());
    assert_eq!(failure(&reply), expected);
    let volume = host.volume();
    fs::create_dir(&volume).unwrap();
    let expected = |what: &str| {
        format!(
            "looking at {}: expected a raw file or nothing, found {what}; choose another path",
            volume.display()
        )
    };
    assert_eq!(failure(&host.run(&json!({"src": src}))), expected("a folder"));
    fs::remove_dir(&volume).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &volume).unwrap();
    for options in
        [json!({"src": src, "replace": true, "force": true}), json!({"state": "absent", "force": true})]
    {
        assert_eq!(failure(&host.run(&options)), expected("a link"));
    }
}

#[test]
fn options_by_hand() {
    let mut host = Host::new();
    let table = [
        (json!({"src": "i", "volsise": 1}), "reading option `volsise`: unknown field `volsise`"),
        (
            json!({"src": "i", "sha256": "abc"}),
            "reading option `sha256`: \"abc\" is no SHA-256: expected 64 digits 0-9a-f",
        ),
        (
            json!({"src": "i", "state": "latest"}),
            "reading option `state`: unknown variant `latest`, expected `present` or `absent`",
        ),
        (
            json!({"src": "i", "mode": 640}),
            "reading option `mode`: invalid type: integer `640`, expected a string",
        ),
        (json!({"path": null}), "option `src` is missing: expected the image to make the volume from"),
    ];
    for (options, expected) in table {
        let reply = host.run(&options);
        assert!(failure(&reply).starts_with(expected), "{reply}");
    }
}
