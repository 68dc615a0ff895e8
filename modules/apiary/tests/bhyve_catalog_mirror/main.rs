// SPDX-License-Identifier: GPL-3.0-or-later

//! Copies of a catalogue: only what changed, nothing that is not signed, whole at any moment.

#![cfg(test)]

#[cfg(target_os = "linux")]
mod crash;
mod support;

use std::fs;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use support::{LARGE, Lab, OLD, SMALL, refusal, run, whole};
use test_support::web::{WebServer, send_file};
use test_support::with;

/// A web server of the catalogue's folder, and the packages that were asked for since the last question.
fn serve(lab: &Lab) -> (WebServer, impl Fn() -> Vec<String>) {
    let (root, asked) = (lab.at("source"), Arc::new(Mutex::new(Vec::new())));
    let record = Arc::clone(&asked);
    let server = WebServer::start(move |request, stream| {
        if let Some((_, name)) = request.path().split_once("/All/") {
            record.lock().unwrap().push(name.trim_end_matches(".pkg").to_owned());
        }
        send_file(&root, request, stream);
    });
    let since = move || {
        let mut asked = std::mem::take(&mut *asked.lock().unwrap());
        asked.sort();
        asked
    };
    (server, since)
}

/// Check, run, run, check: what the run copied and removed.
fn triad(options: &Value) -> (Value, Value) {
    let check = with(options.clone(), json!({"_ansible_check_mode": true, "_ansible_diff": true}));
    let replies =
        [run(&check), run(&with(options.clone(), json!({"_ansible_diff": true}))), run(options), run(&check)];
    let changed = replies.each_ref().map(|reply| reply["changed"] == true && reply["failed"].is_null());
    assert_eq!(changed, [true, true, false, false], "{replies:#?}");
    assert_eq!(replies[0]["diff"], replies[1]["diff"]);
    (replies[1]["fetched"].clone(), replies[1]["removed"].clone())
}

#[test]
fn only_what_changed_is_copied() {
    let lab = Lab::new();
    let (server, asked) = serve(&lab);
    let options = lab.options(&server.url);
    run(&with(options.clone(), json!({"_ansible_check_mode": true})));
    assert!(!lab.at("mirror").exists());

    assert_eq!(triad(&options), (json!([OLD, SMALL]), json!([])));
    assert_eq!(asked(), [OLD, SMALL]);
    assert_eq!(lab.mirrored(), whole(&[OLD, SMALL]));
    for name in lab.mirrored() {
        let (here, there) = (fs::read(lab.mirror(&name)).unwrap(), fs::read(lab.source(&name)).unwrap());
        assert!(here == there, "{name}");
    }

    lab.publish(LARGE);
    assert_eq!(triad(&options), (json!([LARGE]), json!([])));
    assert_eq!(asked(), [LARGE]);

    lab.withdraw(OLD);
    assert_eq!(triad(&options), (json!([]), json!([format!("All/{OLD}.pkg")])));
    assert_eq!(asked(), [""; 0]);
    assert_eq!(lab.mirrored(), whole(&[SMALL, LARGE]));
    assert!(lab.listed(&lab.at("mirror")).lists_the_same_as(&lab.listed(&lab.at("source"))));
}

#[test]
fn hosts_fetch_from_a_mirror_as_from_its_origin() {
    let lab = Lab::new();
    run(&lab.folder_options());
    let options = json!({
        "name": SMALL, "repository": lab.at("mirror"), "store": lab.at("store"), "pubkey": lab.at("key.pub"),
    });
    let params = serde_json::from_value(options).unwrap();
    bhyve_image::module(params, &mut ansible_module::Task::default()).unwrap();
    let file = format!("{SMALL}.pkg");
    assert_eq!(
        fs::read(lab.at("store").join(&file)).unwrap(),
        fs::read(lab.source("All").join(&file)).unwrap()
    );
}

#[test]
fn what_was_lost_or_is_there_already_is_known() {
    let lab = Lab::new();
    let (server, asked) = serve(&lab);
    let options = lab.options(&server.url);
    // As after a run that was killed before the lists: one package right, one wrong.
    fs::create_dir_all(lab.mirror("All")).unwrap();
    fs::copy(lab.source(&format!("All/{OLD}.pkg")), lab.mirror(&format!("All/{OLD}.pkg"))).unwrap();
    let size = fs::metadata(lab.source(&format!("All/{SMALL}.pkg"))).unwrap().len();
    fs::write(lab.mirror(&format!("All/{SMALL}.pkg")), vec![0; usize::try_from(size).unwrap()]).unwrap();
    assert_eq!(triad(&options).0, json!([SMALL]));
    assert_eq!(asked(), [SMALL]);
    for harm in ["data.pkg", "packagesite.pkg", "meta", "meta.conf"] {
        fs::write(lab.mirror(harm), "x").unwrap();
        assert_eq!(triad(&options), (json!([]), json!([])), "{harm}");
        assert_eq!(fs::read(lab.mirror("data.pkg")).unwrap(), fs::read(lab.source("data.pkg")).unwrap());
    }
    fs::write(lab.mirror(&format!("All/{SMALL}.pkg")), "cut").unwrap();
    fs::write(lab.mirror("All/.new-abcdef-left"), "").unwrap();
    fs::write(lab.mirror(&format!("All/.{LARGE}.pkg.part")), "").unwrap();
    assert_eq!(triad(&options).0, json!([SMALL]));
    assert_eq!(lab.mirrored(), whole(&[OLD, SMALL]));
}

/// The lists stay as they were, and nothing of what was refused is there.
#[test]
fn what_is_not_as_it_was_signed_is_refused() {
    let lab = Lab::new();
    run(&lab.folder_options());
    let before = lab.mirrored();
    let list = fs::read(lab.mirror("data.pkg")).unwrap();
    lab.publish(LARGE);
    let place = lab.at("source").display().to_string();
    let package = lab.source(&format!("All/{LARGE}.pkg"));
    let right = fs::read(&package).unwrap();
    let mut flipped = right.clone();
    flipped[right.len() / 2] ^= 1;
    let copying = format!("copying {LARGE} from {place}: ");
    let unlike = |size: usize| {
        format!("{copying}All/{LARGE}.pkg has {size} bytes there, the catalogue says {}", right.len())
    };
    let cases = [
        (flipped, format!("{copying}All/{LARGE}.pkg has checksum ")),
        (right[..1000].to_vec(), unlike(1000)),
        ([&right[..], b"x"].concat(), unlike(right.len() + 1)),
    ];
    for (content, expected) in cases {
        fs::write(&package, content).unwrap();
        let msg = refusal(&lab.folder_options());
        assert!(msg.starts_with(&expected), "{msg}");
        assert_eq!(lab.mirrored(), before);
        assert_eq!(fs::read(lab.mirror("data.pkg")).unwrap(), list);
    }
    fs::remove_file(&package).unwrap();
    let gone = format!("{copying}the catalogue names All/{LARGE}.pkg, which is not there");
    assert_eq!(refusal(&lab.folder_options()), gone);
    fs::write(&package, &right).unwrap();

    for name in ["data.pkg", "packagesite.pkg"] {
        let whole = fs::read(lab.source(name)).unwrap();
        fs::copy(support::fixture().join(name), lab.source(name)).unwrap();
        let msg = refusal(&lab.folder_options());
        assert_eq!(
            msg,
            format!(
                "reading the catalogue of {place}: reading the catalogue {name}: the catalogue is not signed"
            )
        );
        assert_eq!(
            (lab.mirrored(), fs::read(lab.mirror("data.pkg")).unwrap()),
            (before.clone(), list.clone())
        );
        fs::write(lab.source(name), whole).unwrap();
    }
    assert_eq!(run(&lab.folder_options())["fetched"], json!([LARGE]), "the next run is right");
}

#[test]
fn an_older_catalogue_is_refused() {
    let lab = Lab::new();
    let lists = ["data.pkg", "packagesite.pkg"].map(|name| (name, fs::read(lab.source(name)).unwrap()));
    lab.publish(LARGE);
    run(&lab.folder_options());
    for (name, content) in lists {
        fs::write(lab.source(name), content).unwrap();
    }
    let msg = refusal(&lab.folder_options());
    assert!(msg.contains("is an old one: it has number 1, 2 was seen here"), "{msg}");
}

#[test]
fn lists_that_disagree_are_not_copied() {
    let lab = Lab::new();
    let old = fs::read(lab.source("packagesite.pkg")).unwrap();
    lab.publish(LARGE);
    fs::write(lab.source("packagesite.pkg"), old).unwrap();
    assert_eq!(
        refusal(&lab.folder_options()),
        format!(
            "reading the catalogue of {}: its two lists, packagesite.pkg and data.pkg, name different packages",
            lab.at("source").display()
        )
    );
}

/// Pointed at one's own catalogue, a mirror would replace it.
#[test]
fn a_catalogue_of_ones_own_is_not_touched() {
    let (lab, other) = (Lab::new(), Lab::new());
    let options = with(lab.folder_options(), json!({"path": other.at("source")}));
    let files = || fs::read_dir(other.at("source")).unwrap().count();
    let before = files();
    assert_eq!(
        refusal(&options),
        format!(
            "{} holds a catalogue of its own: mirror into another folder, or remove that catalogue first",
            other.at("source").display()
        )
    );
    assert_eq!(files(), before);
    for (more, expected) in [
        (json!({"path": "mirror"}), "option `path` is mirror, expected an absolute path"),
        (json!({"repository": null}), "option `repository` is needed: the catalogue to copy"),
    ] {
        assert_eq!(refusal(&with(lab.folder_options(), more)), expected);
    }
}
