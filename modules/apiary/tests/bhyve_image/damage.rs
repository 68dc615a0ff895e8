// SPDX-License-Identifier: GPL-3.0-or-later

//! Repositories that were damaged, exchanged, cut or made to lie: refused, with nothing left in the store.

use std::fs;

use crate::support::{Lab, NEWER, SMALL, refusal, run};
use ansible_module::Task;
use serde_json::json;

/// What is left in the store after a refusal.
fn left(lab: &Lab) -> Vec<String> {
    lab.images()
}

#[test]
fn a_package_of_another_size_is_refused() {
    let lab = Lab::new("pubkey-rsa");
    let whole = fs::read(lab.package(SMALL)).unwrap();
    let place = lab.repository().display().to_string();
    for size in [0, 1, whole.len() - 1, whole.len() + 1, 3 * whole.len()] {
        let mut changed = whole.clone();
        changed.resize(size, 0);
        fs::write(lab.package(SMALL), changed).unwrap();
        let expected = format!(
            "fetching {SMALL} from {place}: All/{SMALL}.pkg has {size} bytes there, the catalogue says {}",
            whole.len()
        );
        assert_eq!(refusal(&lab.options(&[SMALL])), expected);
        assert_eq!(left(&lab), [""; 0]);
    }
    fs::write(lab.package(SMALL), whole).unwrap();
    assert_eq!(run(&lab.options(&[SMALL]))["changed"], true, "the next run is right");
}

#[test]
fn another_package_of_the_same_size_is_refused() {
    let lab = Lab::new("pubkey-rsa");
    let mut changed = fs::read(lab.package(NEWER)).unwrap();
    let half = changed.len() / 2;
    changed[half] ^= 1;
    fs::write(lab.package(NEWER), changed).unwrap();
    let msg = refusal(&lab.options(&[NEWER]));
    let start =
        format!("fetching {NEWER} from {}: All/{NEWER}.pkg has checksum ", lab.repository().display());
    assert!(msg.starts_with(&start) && msg.ends_with("it was damaged or exchanged"), "{msg}");
    assert_eq!(left(&lab), [""; 0]);
}

#[test]
fn a_missing_package_is_named() {
    let lab = Lab::new("pubkey-rsa");
    fs::remove_file(lab.package(SMALL)).unwrap();
    let expected = format!(
        "fetching {SMALL} from {}: the catalogue names All/{SMALL}.pkg, which is not there",
        lab.repository().display()
    );
    assert_eq!(refusal(&lab.options(&[SMALL])), expected);
    assert_eq!(left(&lab), [""; 0]);
}

#[test]
fn one_of_several_that_is_bad_spoils_only_itself() {
    let lab = Lab::new("pubkey-rsa");
    fs::write(lab.package(NEWER), "bad").unwrap();
    refusal(&lab.options(&[SMALL, NEWER]));
    assert_eq!(left(&lab), [format!("{SMALL}.json"), format!("{SMALL}.pkg")]);
}

/// Each byte of each file that leads to a package. Neither `meta.conf` nor the compression of the signed list is signed, so
/// some bytes do not matter: then the image must be the very same. Those of `packagesite.pkg` are walked where it is read.
#[test]
fn no_changed_byte_of_a_catalogue_is_believed() {
    for name in ["data.pkg", "meta.conf"] {
        let lab = Lab::new("pubkey-rsa");
        let path = lab.repository().join(name);
        let whole = fs::read(&path).unwrap();
        let fetch = || {
            let params = serde_json::from_value(lab.options(&[SMALL])).unwrap();
            let fetched = bhyve_image::module(params, &mut Task::default());
            let package = fs::read(lab.store().join(format!("{SMALL}.pkg"))).ok();
            let _ = fs::remove_dir_all(lab.store());
            (fetched.is_ok(), package)
        };
        let (_, right) = fetch();
        assert!(right.is_some());
        let mut believed = 0;
        for position in 0..whole.len() {
            let mut changed = whole.clone();
            changed[position] ^= 0x20;
            fs::write(&path, changed).unwrap();
            match fetch() {
                (true, package) => {
                    assert_eq!(package, right, "byte {position} of {name}");
                    believed += 1;
                }
                (false, package) => assert_eq!(package, None, "byte {position} of {name}"),
            }
        }
        assert!(name == "meta.conf" || believed < 15, "{believed} changed bytes of {name} were believed");
    }
}

#[test]
fn what_was_changed_in_the_store_is_noticed_and_put_right() {
    let lab = Lab::new("pubkey-rsa");
    let options = lab.options(&[SMALL]);
    let right = fs::read(lab.package(SMALL)).unwrap();
    let (package, record) =
        (lab.store().join(format!("{SMALL}.pkg")), lab.store().join(format!("{SMALL}.json")));
    let mut flipped = right.clone();
    flipped[right.len() / 2] ^= 1;
    let put = |contents: &[u8]| {
        let _ = fs::remove_file(&package);
        fs::write(&package, contents).unwrap();
    };
    type Harm<'a> = (&'a str, Box<dyn Fn() + 'a>);
    let table: [Harm<'_>; 7] = [
        ("a flipped byte", Box::new(|| put(&flipped))),
        ("a cut package", Box::new(|| put(&right[..right.len() / 2]))),
        ("a longer package", Box::new(|| put(&[&right[..], b"more"].concat()))),
        ("an empty package", Box::new(|| put(b""))),
        ("no record", Box::new(|| fs::remove_file(&record).unwrap())),
        ("a broken record", Box::new(|| fs::write(&record, "{").unwrap())),
        ("no package", Box::new(|| fs::remove_file(&package).unwrap())),
    ];
    for (harm, do_harm) in table {
        run(&options);
        do_harm();
        assert_eq!(crate::support::triad(&options), [json!(true), json!(true), json!(false)], "{harm}");
        assert_eq!(fs::read(&package).unwrap(), right, "{harm}");
        assert_eq!(left(&lab), [format!("{SMALL}.json"), format!("{SMALL}.pkg")], "{harm}");
    }
}
