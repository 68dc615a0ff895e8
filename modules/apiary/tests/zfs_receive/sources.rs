// SPDX-License-Identifier: GPL-3.0-or-later

//! Streams as they come: compressed, and in image packages that pkg has written.

use crate::support::*;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::PathBuf;

fn packed(host: &mut Host, codec: &str) -> PathBuf {
    let plain = fs::read(stream("tiny-plain.zfs")).unwrap();
    let bytes = match codec {
        "zstd" => zstd::encode_all(&plain[..], 3).unwrap(),
        "pzstd" => {
            // It writes a frame of its own before each that holds data.
            let mut program = std::process::Command::new("pzstd");
            program.args(["-q", "-c"]).arg(stream("tiny-plain.zfs")).output().unwrap().stdout
        }
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&plain).unwrap();
            encoder.finish().unwrap()
        }
        _ => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
            encoder.write_all(&plain).unwrap();
            encoder.finish().unwrap()
        }
    };
    let path = host.folder.path().join(codec);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn progress_ends_at_the_size_of_the_file() {
    for codec in ["plain", "zstd"] {
        let mut host = Host::new();
        let src = if codec == "plain" { stream("tiny-plain.zfs") } else { packed(&mut host, codec) };
        let records = host.folder.path().join("progress");
        let arguments = host.arguments(&json!({"src": src}));
        let output = command().arg(arguments).env("APIARY_PROGRESS", &records).output().unwrap();
        assert!(output.status.success(), "{codec}");
        let text = fs::read_to_string(records).unwrap();
        let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        let size = fs::metadata(&src).unwrap().len();
        assert_eq!((&last["bytes"], &last["total"]), (&json!(size), &json!(size)), "{codec}");
        assert_eq!(last["label"], json!(format!("reading {}", src.display())), "{codec}");
    }
}

#[test]
fn compressed_streams() {
    for codec in ["zstd", "pzstd", "gzip", "xz"] {
        let mut host = Host::new();
        let src = packed(&mut host, codec);
        host.triad(&json!({"src": src, "sha256": sha256(&src)}));
        host.only_volume_is(TINY.1);

        let mut host = Host::new();
        let whole = fs::read(&src).unwrap();
        let src = host.folder.path().join("damaged");
        for damaged in [&whole[..whole.len() - 5], &[&whole[..], b"more"].concat()] {
            fs::write(&src, damaged).unwrap();
            failure(&host.run(&json!({"src": src})));
            assert_eq!(host.content(), [], "{codec}");
        }
        fs::write(&src, &whole).unwrap();
        let reply = host.run(&json!({"src": src, "sha256": TINY.1}));
        assert!(failure(&reply).contains(&format!("SHA-256 {}, expected {}", sha256(&src), TINY.1)));
        assert_eq!(host.content(), [], "{codec}");
    }
}

fn packages(repository: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![fixture("pkg-repos").join(repository)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if name.ends_with(".pkg") && (name.starts_with("FreeBSD-") || name.starts_with("debian-"))
            {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn image_packages_stream_straight_from_the_archive() {
    let lz4 = "213de5278ceb4369a55895208beb26ad48af5fe711dbfeb04d0343a463bbca25";
    for repository in ["unsigned", "unsigned-pkg2.4"] {
        let packages = packages(repository);
        assert_eq!(packages.len(), 4, "{repository}");
        for src in packages {
            let mut host = Host::new();
            let done = host.triad(&json!({"src": src, "sha256": sha256(&src)}));
            let expected = if done["volume"]["guid"] == json!(TINY.0) { TINY.1 } else { lz4 };
            host.only_volume_is(expected);
        }
    }
}

#[test]
fn a_volsize_below_that_of_the_package_is_refused_before_anything_is_read() {
    let src = packages("unsigned").remove(0);
    let reply = Host::new().run(&json!({"src": src, "volsize": "4K"}));
    assert_eq!(failure(&reply), "option `volsize` is 4K, but the image has 1M: its end would be cut off");
}

#[test]
fn a_damaged_package_leaves_nothing() {
    for src in packages("unsigned") {
        let mut host = Host::new();
        let mut bytes = fs::read(&src).unwrap();
        let at = bytes.len() * 2 / 3;
        bytes[at] ^= 1;
        let damaged = host.folder.path().join("damaged.pkg");
        fs::write(&damaged, bytes).unwrap();
        failure(&host.run(&json!({"src": damaged})));
        assert_eq!(host.content(), [], "{}", src.display());
    }
}
