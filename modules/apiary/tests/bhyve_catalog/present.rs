// SPDX-License-Identifier: GPL-3.0-or-later

//! Publishing: the triad, the reply, and what clients read.

use std::fs::{self, File};
use std::process;
use std::time::Duration;

use ansible_module::lock::Lock;
use ansible_module::moment;
use image_catalog::archive::PackageArchive;
use serde_json::json;
use test_support::{times_open, wait_for, with};

use crate::support::Lab;

#[test]
fn the_triad() {
    let lab = Lab::new();
    let reply = lab.triad(&lab.publish("20261122"));
    let image = &reply["image"];
    assert_eq!((&image["name"], &image["version"]), (&json!("demo"), &json!("20261122")));
    assert_eq!((&image["volsize"], &image["volblocksize"]), (&json!(4 << 20), &json!(65536)));
    assert_eq!(reply["catalogue"]["images"], json!(["demo-20261122"]));
    assert_eq!(reply["warnings"], json!(null), "{reply}");

    let catalogue = lab.read();
    let package = catalogue.find(&"demo".parse().unwrap()).unwrap();
    assert_eq!(image["guid"], package.facts.guid.to_string());
    assert_eq!(package.facts.min_memory, Some(64 << 20));
    assert_eq!(package.manifest.abi, "FreeBSD:*");
    assert_eq!(json!(package.sum), image["sha256"]);
    assert_eq!(json!(package.size), image["size"]);
    let stream = lab.stream_of(package);
    let summary = zfs_stream::verify(&stream[..], zfs_stream::Expect::default()).unwrap();
    assert_eq!((summary.toguid, summary.volsize), (package.facts.guid, Some(4 << 20)));
    // 20261122, 00:00 UTC.
    assert_eq!(
        (summary.creation_time, summary.toname.as_str()),
        (1_795_305_600, "images/demo-20261122@image")
    );
}

#[test]
fn a_check_before_there_is_a_key_or_a_folder() {
    let lab = Lab::new();
    fs::remove_file(lab.key()).unwrap();
    let reply = lab.check(&lab.publish("1"));
    assert_eq!((&reply["changed"], &reply["image"]["path"]), (&json!(true), &json!(null)));
    assert!(!lab.catalogue().exists());
}

#[test]
fn several_images_are_listed_side_by_side() {
    let lab = Lab::new();
    lab.triad(&lab.publish("20261122"));
    lab.triad(&lab.publish("20261123"));
    lab.triad(&with(lab.publish("1"), json!({"name": "other", "annotations": {"team": "web", "rank": 3}})));
    assert_eq!(lab.images(), ["demo-20261122", "demo-20261123", "other-1"]);
    let catalogue = lab.read();
    let newest = catalogue.find(&"demo".parse().unwrap()).unwrap();
    assert_eq!(newest.id.version.as_str(), "20261123");
    let labels = &catalogue.find(&"other-1".parse().unwrap()).unwrap().manifest.annotations;
    assert_eq!((labels["team"].as_str(), labels["rank"].as_str()), ("web", "3"));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (one, two) = (Lab::new(), Lab::new());
    fs::copy(one.key(), two.key()).unwrap();
    let options = |lab: &Lab, threads: u32| with(lab.publish("1"), json!({"compression_threads": threads}));
    assert!(one.changed(&options(&one, 1)) && two.changed(&options(&two, 2)));
    let shown =
        |lab: &Lab| lab.files().into_iter().map(|(path, _)| fs::read(path).unwrap()).collect::<Vec<_>>();
    assert_eq!(shown(&one), shown(&two));
}

#[test]
fn what_only_concerns_the_packing_makes_no_other_image() {
    let lab = Lab::new();
    assert!(lab.changed(&lab.publish("1")));
    assert!(!lab.changed(&with(lab.publish("1"), json!({"compression": "none"}))));
    assert!(!lab.changed(&with(lab.publish("1"), json!({"compression_level": 19}))));
}

#[test]
fn publishers_at_the_same_time_lose_nothing() {
    let lab = Lab::new();
    let versions: Vec<_> = (1..=8).map(|version| version.to_string()).collect();
    let children: Vec<_> = versions.iter().map(|version| lab.start(&lab.publish(version))).collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    let mut expected: Vec<_> = versions.iter().map(|version| format!("demo-{version}")).collect();
    expected.sort();
    assert_eq!(lab.images(), expected);
}

#[test]
fn a_list_written_twice_within_a_second_is_later_each_time() {
    let lab = Lab::new();
    let time = || lab.catalogue().join("data.pkg").metadata().unwrap().modified().unwrap();
    lab.changed(&lab.publish("1"));
    let first = time();
    lab.changed(&lab.publish("2"));
    assert!(time() >= first + Duration::from_secs(1));
}

#[test]
fn damaged_lists_are_written_anew() {
    let lab = Lab::new();
    lab.changed(&lab.publish("1"));
    let names = || lab.files().into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    let intact = names();
    for damage in ["packagesite.pkg", "meta", "index.html"] {
        fs::write(lab.catalogue().join(damage), "x").unwrap();
        lab.triad(&lab.publish("1"));
        fs::remove_file(lab.catalogue().join(damage)).unwrap();
        lab.triad(&lab.publish("1"));
        assert_eq!(names(), intact);
    }
}

#[test]
fn a_publisher_waits_for_another_and_says_for_whom() {
    let lab = Lab::new();
    lab.changed(&lab.publish("1"));
    let path = lab.catalogue().join(".lock");
    let held = Lock::acquire(&path, Duration::ZERO).unwrap();
    let refusal = lab.refusal(&with(lab.publish("2"), json!({"lock_timeout": 0.1})));
    let since = moment::readable(fs::metadata(&path).unwrap().modified().unwrap());
    assert!(
        refusal.starts_with(&format!("locking LAB/catalogue/.lock: process {} on ", process::id()))
            && refusal.ends_with(&format!(" has held it since {since}; wait for it or end it")),
        "{refusal}"
    );
    let mut waiting = lab.start(&lab.publish("2"));
    wait_for("the publisher to come to the lock", 30, || match times_open(waiting.id(), &path) {
        0 => Err(waiting.try_wait()),
        _ => Ok(()),
    });
    assert_eq!(lab.images(), ["demo-1"]);
    drop(held);
    assert!(waiting.wait_with_output().unwrap().status.success());
    assert_eq!(lab.images(), ["demo-1", "demo-2"]);
}

/// The list is for all, because pkg takes nothing from one that has a package for other machines; the package says it.
#[test]
fn images_for_different_machines_are_in_one_catalogue() {
    let lab = Lab::new();
    for (version, arch) in [("1", "amd64"), ("2", "aarch64")] {
        lab.triad(&with(lab.publish(version), json!({"arch": arch})));
    }
    let catalogue = lab.read();
    for image in &catalogue.images {
        let arch = image.facts.arch.unwrap();
        let file = File::open(lab.catalogue().join(&image.path)).unwrap();
        let package = PackageArchive::open(file).unwrap();
        assert_eq!((image.manifest.abi.as_str(), image.manifest.arch.as_str()), ("FreeBSD:*", "freebsd:*"));
        let manifest = package.manifest();
        assert_eq!((manifest.abi.clone(), manifest.arch.clone()), arch.abi());
        assert_eq!(package.facts(), &image.facts);
    }
    let message = lab.refusal(&with(lab.publish("1"), json!({"arch": "aarch64"})));
    assert!(message.contains("with image_arch amd64, this run has aarch64"), "{message}");
}
