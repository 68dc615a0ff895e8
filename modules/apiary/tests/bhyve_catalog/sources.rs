// SPDX-License-Identifier: GPL-3.0-or-later

//! Images from qcow2 disks, streams and snapshots.

use std::fs;
use std::process::Command;

use image_catalog::digest::Sha256Hex;
use serde_json::json;
use test_support::with;

use crate::support::{Lab, stream};

#[test]
fn a_qcow2_disk_is_the_same_image_as_its_raw_form() {
    let lab = Lab::new();
    let qcow2 = lab.at("disk.qcow2");
    let convert = ["convert", "-f", "raw", "-O", "qcow2", "-c"];
    let status = Command::new("qemu-img").args(convert).arg(lab.disk()).arg(&qcow2).status().unwrap();
    assert!(status.success());
    let raw = lab.run(&lab.publish("1"))["image"]["guid"].clone();
    assert!(!lab.changed(&with(lab.publish("1"), json!({"source": qcow2}))));
    let reply = lab.triad(&with(lab.publish("2"), json!({"source": qcow2})));
    assert_ne!(reply["image"]["guid"], raw);
    assert_eq!(reply["image"]["volsize"], 4 << 20);

    let create = ["create", "-q", "-f", "qcow2", "-F", "raw", "-b"];
    let overlay = Command::new("qemu-img").args(create).arg(lab.disk()).arg(lab.at("overlay.qcow2")).status();
    assert!(overlay.unwrap().success());
    assert_eq!(
        lab.refusal(&with(lab.publish("3"), json!({"source": lab.at("overlay.qcow2")}))),
        "looking at source LAB/overlay.qcow2: LAB/overlay.qcow2 takes data from another file, LAB/disk.raw: make it \
         whole with `qemu-img convert -O qcow2` first"
    );
}

#[test]
fn a_stream_is_packed_as_it_is() {
    let lab = Lab::new();
    let source = stream("tiny-c.zfs");
    let reply = lab.triad(&with(lab.publish("1"), json!({"source": source, "format": "stream"})));
    assert_eq!(reply["image"]["guid"], "7119270074782723516");
    let content = fs::read(&source).unwrap();
    assert_eq!(reply["image"]["stream_sha256"], json!(Sha256Hex::of(&content)));
    let catalogue = lab.read();
    assert_eq!(lab.stream_of(&catalogue.images[0]), content);
    assert_eq!(
        reply["warnings"],
        json!([
            "the blocks of the stream are compressed already: compressing the package again takes time and saves \
             little; set compression to none, or send without -c",
            "the stream names the snapshot it was made from, \"tank/src/tiny@v1\": everybody who gets the image can read that",
        ])
    );
    let message = lab.refusal(&with(lab.publish("2"), json!({"source": source, "format": "stream"})));
    assert_eq!(
        message,
        "image demo-2 would have guid 7119270074782723516, which is that of demo-1: they are the same snapshot"
    );
}

/// A guest writes what it likes into its disk, which then is published, signed, and cloned for others.
#[test]
fn a_disk_that_a_guest_made_look_like_a_stream_is_a_disk() {
    let lab = Lab::new();
    let source = stream("tiny-plain.zfs");
    assert_eq!(
        lab.refusal(&with(lab.publish("1"), json!({"source": source}))),
        format!(
            "looking at source {0}: source {0} begins like a ZFS send stream, but a guest can make its disk begin so, \
             too: set format to stream or to raw",
            source.display()
        )
    );
    let reply = lab.run(&with(lab.publish("1"), json!({"source": source, "format": "raw"})));
    let length = fs::metadata(&source).unwrap().len();
    assert_eq!(reply["image"]["volsize"], length.next_multiple_of(64 << 10));
}

/// Stands for zfs(8): the two snapshots of the fixtures `tiny-plain` and `tiny-incr`, and a record of its calls.
fn with_zfs() -> Lab {
    let lab = Lab::new();
    let script = format!(
        r#"echo "$*" >>{lab}/calls
case "$*" in
"list -Hp -t snapshot -d 1 -o name,guid,clones tank/vm")
    printf 'tank/vm@v1\t7119270074782723516\t-\ntank/vm@v2\t{second}\t-\n' ;;
"send -L tank/vm@v1") cat {full} ;;
"send -L -i tank/vm@v1 tank/vm@v2") cat {difference} ;;
*) echo "cannot open '$*': dataset does not exist" >&2; exit 1 ;;
esac"#,
        lab = lab.folder.path().display(),
        second = second_guid(),
        full = stream("tiny-plain.zfs").display(),
        difference = stream("tiny-incr.zfs").display(),
    );
    lab.with_tool("zfs", &script)
}

fn second_guid() -> u64 {
    zfs_stream::announced(fs::File::open(stream("tiny-incr.zfs")).unwrap()).unwrap().toguid.unwrap()
}

#[test]
fn snapshots_are_sent_whole_and_as_differences() {
    let lab = with_zfs();
    let base = with(lab.publish("1"), json!({"source": "tank/vm@v1"}));
    assert_eq!(lab.triad(&base)["image"]["guid"], "7119270074782723516");
    let calls = fs::read_to_string(lab.at("calls")).unwrap();
    // Once for the check; for the run once for the sum and once for the package; an image that is there is known by its guid.
    assert_eq!(calls.matches("send -L tank/vm@v1\n").count(), 3);

    let next = with(lab.publish("2"), json!({"source": "tank/vm@v2", "parent": "demo-1"}));
    let reply = lab.triad(&next);
    assert_eq!(reply["image"]["guid"], second_guid().to_string());
    assert_eq!(reply["image"]["fromguid"], "7119270074782723516");
}

#[test]
fn an_increment_on_an_old_image_is_told() {
    let lab = with_zfs();
    lab.changed(&with(lab.publish("1"), json!({"source": "tank/vm@v1"})));
    lab.changed(&lab.publish("1.5"));
    let next = with(lab.publish("1.6"), json!({"name": "more", "source": "tank/vm@v2", "parent": "demo-1"}));
    let warnings = lab.run(&next)["warnings"].to_string();
    assert!(
        warnings.contains("image more-1.6 builds on demo-1, of which the catalogue has a newer version, demo-1.5: what was mended"),
        "{warnings}"
    );
}

#[test]
fn what_zfs_complains_about_is_passed_on() {
    let lab = with_zfs();
    let reply = lab.run(&with(lab.publish("1"), json!({"source": "tank/other@v1"})));
    assert_eq!(
        reply["msg"],
        format!(
            "looking at source tank/other@v1: listing the snapshots of tank/other: the dataset or the one above it does not \
             exist; check the name, or create it with `zfs create`: `{}/bin/zfs list -Hp -t snapshot -d 1 -o name,guid,clones \
             tank/other` exited with 1: cannot open 'list -Hp -t snapshot -d 1 -o name,guid,clones tank/other': dataset does not \
             exist",
            lab.folder.path().display()
        )
    );
    assert_eq!(reply["rc"], 1);
    let next = with(lab.publish("2"), json!({"source": "tank/vm@v2", "parent": "demo-1"}));
    assert_eq!(
        lab.refusal(&next),
        "looking at source tank/vm@v2: parent demo-1 is not in the catalogue: publish it first"
    );
}
