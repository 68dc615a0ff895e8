// SPDX-License-Identifier: GPL-3.0-or-later

//! Publishing forgets nothing: what lists packages is read, or refused.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;
use test_support::with;

use crate::support::Lab;

/// A catalogue with `demo-1` from which files are taken away.
fn without(names: &[&str]) -> Lab {
    let lab = Lab::new();
    lab.changed(&lab.publish("1"));
    names.iter().for_each(|name| fs::remove_file(lab.catalogue().join(name)).unwrap());
    lab
}

#[test]
fn a_list_that_old_clients_read_is_as_good() {
    let lab = without(&["data.pkg"]);
    lab.triad(&lab.publish("2"));
    assert_eq!(lab.images(), ["demo-1", "demo-2"]);
}

#[test]
fn lists_that_cannot_be_read_are_refused() {
    let moved = |from: &str, to: &str| {
        let lab = without(&[]);
        fs::rename(lab.catalogue().join(from), lab.catalogue().join(to)).unwrap();
        lab
    };
    let of_old_pkg = || {
        let lab = without(&["data.pkg", "packagesite.pkg", "meta", "meta.conf"]);
        ["meta.txz", "packagesite.txz", "digests.txz"]
            .iter()
            .for_each(|name| fs::write(lab.catalogue().join(name), "x").unwrap());
        lab
    };
    let compressed = || {
        let lab = moved("data.pkg", "data.tzst");
        fs::rename(lab.catalogue().join("packagesite.pkg"), lab.catalogue().join("packagesite.tzst"))
            .unwrap();
        lab
    };
    for (lab, found) in [
        (moved("meta.conf", "meta.bak"), "data.pkg, meta, packagesite.pkg"),
        (of_old_pkg(), "digests.txz, meta.txz, packagesite.txz"),
        (compressed(), "data.tzst, meta, meta.conf, packagesite.tzst"),
    ] {
        let before = lab.files();
        assert_eq!(
            lab.refusal(&lab.publish("2")),
            format!(
                "LAB/catalogue holds {found}, and no catalogue can be read from that: restore what is missing, have \
                 `pkg repo` write it anew, or take these files away to begin with an empty one"
            )
        );
        assert_eq!(lab.files(), before);
    }
}

#[test]
fn a_list_behind_a_dangling_link_is_not_absent() {
    for name in ["data.pkg", "meta.conf"] {
        let lab = without(&[name]);
        symlink("/share/that/is/not/mounted", lab.catalogue().join(name)).unwrap();
        assert_eq!(
            lab.refusal(&lab.publish("2")),
            format!("opening LAB/catalogue/{name}: No such file or directory (os error 2)")
        );
    }
}

/// What people keep beside a catalogue is none.
#[test]
fn other_files_are_no_catalogue() {
    let lab = Lab::new();
    fs::create_dir_all(lab.catalogue().join("All")).unwrap();
    ["All/README", "data.csv", "meta.json"]
        .iter()
        .for_each(|name| fs::write(lab.catalogue().join(name), "x").unwrap());
    lab.triad(&lab.publish("1"));
}

/// A run that was killed, or a file that was restored from a copy of yesterday.
#[test]
fn what_only_the_second_list_has_is_listed_again() {
    let lab = without(&[]);
    let before = fs::read(lab.catalogue().join("data.pkg")).unwrap();
    lab.changed(&lab.publish("2"));
    fs::write(lab.catalogue().join("data.pkg"), &before).unwrap();
    lab.triad(&lab.publish("3"));
    assert_eq!(lab.images(), ["demo-1", "demo-2", "demo-3"]);
    // One whose package is gone was withdrawn.
    fs::write(lab.catalogue().join("data.pkg"), before).unwrap();
    ["2", "3"].iter().for_each(|version| {
        fs::remove_file(lab.catalogue().join(format!("All/demo-{version}.pkg"))).unwrap()
    });
    lab.triad(&lab.publish("4"));
    assert_eq!(lab.images(), ["demo-1", "demo-4"]);
}

#[test]
fn a_second_list_that_cannot_be_read_is_not_replaced() {
    let lab = without(&["packagesite.pkg"]);
    fs::create_dir(lab.catalogue().join("packagesite.pkg")).unwrap();
    assert_eq!(
        lab.refusal(&lab.publish("2")),
        "opening LAB/catalogue/packagesite.pkg: it is a folder, expected a file"
    );
}

#[test]
fn packages_without_any_list_are_not_forgotten() {
    let lab = without(&["data.pkg", "packagesite.pkg", "meta", "meta.conf", "index.html"]);
    assert_eq!(
        lab.refusal(&lab.publish("2")),
        "the catalogue has no list, but All/demo-1.pkg is there: publish it first, withdraw it with state=absent, \
         restore the lists, or take it away"
    );
    lab.triad(&lab.publish("1"));
    lab.triad(&lab.publish("2"));
    assert_eq!(lab.images(), ["demo-1", "demo-2"]);
}

#[test]
fn a_list_that_somebody_else_has_signed_is_not_replaced() {
    let lab = without(&[]);
    let other = Lab::new();
    ["1", "2"].iter().for_each(|version| drop(other.run(&other.publish(version))));
    fs::copy(other.catalogue().join("packagesite.pkg"), lab.catalogue().join("packagesite.pkg")).unwrap();
    let message = lab.refusal(&lab.publish("3"));
    assert!(
        message.starts_with("LAB/catalogue/packagesite.pkg is not signed as this run would sign it: "),
        "{message}"
    );
    // The image that only that list has is published here, too: then nothing of it is lost.
    let lab = without(&[]);
    lab.changed(&lab.publish("2"));
    fs::copy(other.catalogue().join("packagesite.pkg"), lab.catalogue().join("packagesite.pkg")).unwrap();
    lab.triad(&lab.publish("3"));
    assert_eq!(lab.images(), ["demo-1", "demo-2", "demo-3"]);
}

/// What `pkg repo` leaves of a repository whose `data.pkg` nobody copied.
#[test]
fn packages_that_are_no_images_stay_listed() {
    let lab = Lab::new();
    let catalogue = lab.catalogue();
    test_support::copy_folder(&test_support::fixture("pkg-repos/unsigned"), &catalogue);
    fs::remove_file(catalogue.join("data.pkg")).unwrap();
    let options = with(lab.publish("1"), json!({"signature_type": "none", "signing_key": null}));
    let reply = lab.run(&options);
    let images = reply["catalogue"]["images"].as_array().unwrap();
    assert_eq!(images.len(), 5, "{reply}");
}
