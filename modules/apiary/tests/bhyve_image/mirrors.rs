// SPDX-License-Identifier: GPL-3.0-or-later

//! A catalogue at several places: the next one is asked where one fails, and none may go back behind another.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{BASE, Lab, NEWER, SMALL, fixtures, refusal, run, triad};
use serde_json::{Value, json};
use test_support::web::{WebServer, send_file};
use test_support::{copy_folder, with};

const DONE: [Value; 3] = [Value::Bool(true), Value::Bool(true), Value::Bool(false)];

/// Another copy of the lab's catalogue.
fn copy(lab: &Lab, name: &str) -> PathBuf {
    let folder = lab.folder.path().join(name);
    copy_folder(&lab.repository(), &folder);
    folder
}

fn at(lab: &Lab, places: &[&dyn AsRef<str>]) -> Value {
    let places: Vec<_> = places.iter().map(|place| place.as_ref().to_owned()).collect();
    with(lab.options(&[NEWER]), json!({"repository": places}))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn warnings(reply: &Value) -> String {
    assert_eq!(reply["failed"], Value::Null, "{reply}");
    reply["warnings"].to_string()
}

#[test]
fn a_place_that_is_not_there_is_left_for_the_next() {
    let lab = Lab::new("pubkey-rsa");
    let (here, closed) = (text(&lab.repository()), "http://127.0.0.1:1/images");
    let reply = run(&at(&lab, &[&closed, &"/nowhere", &here]));
    let said = warnings(&reply);
    assert!(
        said.contains("reading the catalogue of http://127.0.0.1:1/images: ") && said.contains("/nowhere"),
        "{said}"
    );
    assert_eq!(lab.images(), [format!("{NEWER}.json"), format!("{NEWER}.pkg")]);
    // Who vouched for it is one of them, in whatever order.
    assert_eq!(triad(&at(&lab, &[&here, &closed])), [false, false, false].map(Value::Bool));
    fs::remove_dir_all(lab.repository()).unwrap();
    let options = with(at(&lab, &[&closed, &here]), json!({"name": [SMALL]}));
    let message = refusal(&options);
    assert!(
        message.starts_with("all 2 places of the catalogue have failed: reading the catalogue of http"),
        "{message}"
    );
    let message = refusal(&at(&lab, &[&"images", &here]));
    assert!(
        message.starts_with("option `repository` names images, a repository of pkg(8), among others"),
        "{message}"
    );
}

/// What one place has sent of a package is not sent again by the next.
#[test]
fn a_package_that_one_place_breaks_off_is_completed_by_the_next() {
    let lab = Lab::new("pubkey-rsa");
    let whole = fs::read(lab.package(NEWER)).unwrap();
    let root = lab.repository();
    let breaks = WebServer::start(move |request, stream| {
        match request.path().ends_with(".pkg") && request.path().contains("/All/") {
            true => {
                // Nothing says that it is the same file another time, so it is not taken up at this place.
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    whole.len()
                );
                let _ = stream.write_all(head.as_bytes());
                let _ = stream.write_all(&whole[..200_000]);
            }
            false => send_file(&root, request, stream),
        }
    });
    let root = lab.repository();
    let works = WebServer::start(move |request, stream| send_file(&root, request, stream));
    let reply = run(&at(&lab, &[&breaks.url, &works.url]));
    let said = warnings(&reply);
    assert!(said.contains(&format!("fetching {NEWER} from {}", breaks.url)), "{said}");
    let asked = works.requests();
    assert!(asked.contains(&"200000".to_owned()), "{asked:?}");
    assert_eq!(
        fs::read(lab.store().join(format!("{NEWER}.pkg"))).unwrap(),
        fs::read(lab.package(NEWER)).unwrap()
    );
}

#[test]
fn a_mirror_that_lags_behind_or_that_somebody_else_has_signed_is_left() {
    let lab = Lab::new("pubkey-rsa");
    let (here, other) = (text(&lab.repository()), copy(&lab, "other"));
    run(&at(&lab, &[&here, &text(&other)]));
    fs::remove_dir_all(&other).unwrap();
    copy_folder(&fixtures().join("pubkey-eddsa"), &other);
    let latest = with(at(&lab, &[&text(&other), &here]), json!({"name": [BASE], "state": "latest"}));
    assert!(warnings(&run(&latest)).contains("reading the catalogue of "), "the other key is not taken");

    // Of lists without a number it is remembered which were replaced.
    let lab = Lab::new("unsigned");
    let unsigned = |options: Value| with(options, json!({"signature_type": "none", "state": "latest"}));
    let newer = lab.folder.path().join("newer");
    copy_folder(&fixtures().join("unsigned-pkg2.4"), &newer);
    let (old, new) = (text(&lab.repository()), text(&newer));
    run(&unsigned(at(&lab, &[&old])));
    let both = unsigned(at(&lab, &[&old, &new]));
    run(&unsigned(at(&lab, &[&new, &old])));
    let said = warnings(&run(&both));
    assert!(said.contains("is an old one: 1 newer were seen here since"), "{said}");
}

/// A publisher who withdraws an image with pkg(8) signs once more what he has signed before.
#[test]
fn an_older_list_is_taken_where_the_user_says_so() {
    let lab = Lab::new("unsigned");
    let options = with(lab.options(&[NEWER]), json!({"signature_type": "none", "state": "latest"}));
    run(&options);
    let old = copy(&lab, "old");
    let replace = |by: &Path| {
        fs::remove_dir_all(lab.repository()).unwrap();
        copy_folder(by, &lab.repository());
    };
    replace(&fixtures().join("unsigned-pkg2.4"));
    run(&options);
    replace(&old);
    let message = refusal(&options);
    assert!(
        message.ends_with(
            "has withdrawn an image with pkg(8) or begun anew: in that case set allow_older for one call"
        ),
        "{message}"
    );
    assert_eq!(triad(&with(options.clone(), json!({"allow_older": true}))), DONE);
    // From then on it is the newest.
    assert_eq!(run(&options)["changed"], false);
}
