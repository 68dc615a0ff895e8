// SPDX-License-Identifier: GPL-3.0-or-later

//! Runs that are killed, runs at the same time, and what dead runs leave.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::{Lab, NEWER, SMALL, fixtures, program, run, start};
use serde_json::json;
use test_support::web::{WebServer, file_of, send_file};
use test_support::{kill_before_each_change, patience, reply, times_open, wait_for, with};

/// Whatever is in the store of a run that was killed, nothing but the very package may be called verified, and the next run
/// makes it right.
#[test]
fn a_killed_run_is_put_right_by_the_next() {
    let lab = Lab::new("pubkey-rsa");
    let options = lab.options(&[NEWER]);
    let right = fs::read(lab.package(NEWER)).unwrap();
    let package = lab.store().join(format!("{NEWER}.pkg"));
    kill_before_each_change(program, &options, &["create", "write", "sync", "name"], || {
        if lab.images().contains(&format!("{NEWER}.json")) {
            assert_eq!(fs::read(&package).unwrap(), right);
        }
        let after = run(&options);
        assert_eq!(after["failed"], json!(null), "{after}");
        assert_eq!(fs::read(&package).unwrap(), right);
        assert_eq!(lab.images(), [format!("{NEWER}.json"), format!("{NEWER}.pkg")]);
        assert_eq!(run(&options)["changed"], false);
        fs::remove_dir_all(lab.store()).unwrap();
    });
}

#[test]
fn removing_can_be_killed_too() {
    let lab = Lab::new("pubkey-rsa");
    let fetch = || assert_eq!(run(&lab.options(&[SMALL]))["changed"], true);
    fetch();
    let absent = with(lab.options(&[SMALL]), json!({"state": "absent"}));
    kill_before_each_change(program, &absent, &["remove"], || {
        run(&absent);
        assert_eq!(lab.images(), [""; 0]);
        fetch();
    });
}

/// What a run killed in the middle of the package has left is used where the server can send the rest.
#[test]
fn the_beginning_left_by_a_killed_run_is_not_fetched_again() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&sent);
    let server = WebServer::start(move |request, stream| {
        if request.path().ends_with(".pkg") && request.path().contains("/All/") {
            record.lock().unwrap().push(request.range_start().unwrap_or(0));
        }
        send_file(&fixtures().join("pubkey-rsa"), request, stream);
    });
    let lab = Lab::at("pubkey-rsa", &server.url);
    let whole = fs::read(lab.package(NEWER)).unwrap();
    let part = lab.store().join(format!(".{NEWER}.pkg.part"));
    fs::create_dir(lab.store()).unwrap();
    for (contents, ranges) in [
        (whole[..100_000].to_vec(), vec![100_000]),
        (whole.clone(), vec![]),
        (vec![0; 100_000], vec![100_000, 0]),
        ([&whole[..], b"more"].concat(), vec![0]),
    ] {
        sent.lock().unwrap().clear();
        fs::write(&part, contents).unwrap();
        assert_eq!(run(&lab.options(&[NEWER]))["changed"], true);
        assert_eq!(*sent.lock().unwrap(), ranges);
        assert_eq!(fs::read(lab.store().join(format!("{NEWER}.pkg"))).unwrap(), whole);
        run(&with(lab.options(&[NEWER]), json!({"state": "absent"})));
    }
}

#[test]
fn runs_at_the_same_time_fetch_once() {
    let (packages, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(())));
    let (count, open) = (Arc::clone(&packages), Arc::clone(&gate));
    let server = WebServer::start(move |request, stream| {
        if request.path().contains("/All/") {
            count.fetch_add(1, Ordering::SeqCst);
            drop(open.lock().unwrap());
        }
        send_file(&fixtures().join("pubkey-rsa"), request, stream);
    });
    let lab = Lab::at("pubkey-rsa", &server.url);
    let closed = gate.lock().unwrap();
    let options = with(lab.options(&[NEWER]), json!({"timeout": patience(30).as_secs()}));
    let runs: Vec<_> = (0..8).map(|_| start(&options)).collect();
    // All have planned the same when one has the lock and the others wait for it.
    let lock = lab.store().join(format!(".{NEWER}.lock"));
    wait_for("eight runs at the lock", 30, || {
        match runs.iter().filter(|run| times_open(run.id(), &lock) > 0).count() {
            8 => Ok(()),
            fewer => Err(fewer),
        }
    });
    drop(closed);
    let replies: Vec<_> = runs.into_iter().map(reply).collect();
    assert!(replies.iter().all(|reply| reply["failed"].is_null()), "{replies:?}");
    assert_eq!(replies.iter().filter(|reply| reply["changed"] == true).count(), 1);
    assert!(replies.iter().all(|reply| reply["image"] == replies[0]["image"]));
    assert_eq!(packages.load(Ordering::SeqCst), 1);
    assert_eq!(lab.images(), [format!("{NEWER}.json"), format!("{NEWER}.pkg")]);
}

#[test]
fn leftovers_of_other_images_are_swept_and_strangers_are_not() {
    let lab = Lab::new("pubkey-rsa");
    fs::create_dir(lab.store()).unwrap();
    let leftovers = [
        format!(".{NEWER}.pkg.part"),
        format!(".{NEWER}.lock"),
        format!(".new-abcdef-{NEWER}.json"),
        format!("{NEWER}.json"),
    ];
    for name in leftovers.iter().map(String::as_str).chain(["notes.txt", ".hidden", "a b.pkg.part"]) {
        fs::write(lab.store().join(name), "").unwrap();
    }
    run(&lab.options(&[SMALL]));
    let kept = [".hidden", &format!("{SMALL}.json"), &format!("{SMALL}.pkg"), "a b.pkg.part", "notes.txt"];
    assert_eq!(lab.images(), kept);
}

#[test]
fn what_another_run_works_on_is_not_swept() {
    let server = WebServer::start(|request, stream| {
        if request.path().contains("/All/") {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                file_of(&fixtures().join("pubkey-rsa"), request).unwrap().len()
            );
            std::io::Write::write_all(stream, head.as_bytes()).unwrap();
            // Until the client has gone.
            let _ = stream.read(&mut [0; 1]);
            return;
        }
        send_file(&fixtures().join("pubkey-rsa"), request, stream);
    });
    let lab = Lab::at("pubkey-rsa", &server.url);
    let options = with(lab.options(&[NEWER]), json!({"timeout": patience(30).as_secs()}));
    let mut working = start(&options);
    let part = lab.store().join(format!(".{NEWER}.pkg.part"));
    wait_for("the run to write", 30, || fs::metadata(&part));
    let other = with(lab.options(&[SMALL]), json!({"repository": lab.repository()}));
    assert_eq!(run(&other)["changed"], true);
    assert!(part.exists());
    working.kill().unwrap();
    working.wait().unwrap();
    assert_eq!(run(&with(other, json!({"name": NEWER})))["changed"], true);
    assert!(!part.exists());
}
