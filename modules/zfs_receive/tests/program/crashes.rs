//! Killed at any moment, and several at once: the next run converges, and no partial file has the final name.

use crate::support::*;
use serde_json::json;
use std::fs;
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

fn start(host: &mut Host, options: &serde_json::Value) -> Child {
    let arguments = host.arguments(options);
    command().arg(arguments).spawn().unwrap()
}

#[test]
fn killed_at_any_moment_the_next_run_converges() {
    let digest = "213de5278ceb4369a55895208beb26ad48af5fe711dbfeb04d0343a463bbca25";
    let options = json!({"src": stream("lz4-plain.zfs"), "volsize": "32M"});
    let mut host = Host::new();
    let mut killed_in_between = 0;
    // A little later each time, until a run is through before it can be killed.
    for delay in (0..).map(|step| Duration::from_micros(step * 900)) {
        let mut child = start(&mut host, &options);
        sleep(delay);
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            break;
        }
        if host.volume().exists() {
            assert_eq!(
                fs::metadata(host.volume()).unwrap().len(),
                32 * MIB,
                "a partial file has the final name"
            );
            assert_eq!(host.run(&json!({"state": "absent"}))["failed"], json!(null));
        } else if !host.content().is_empty() {
            killed_in_between += 1;
        }
    }
    assert!(killed_in_between > 0, "no run was killed while it wrote");
    assert_eq!(host.run(&options)["changed"], json!(false));
    assert_eq!(host.content().len(), 1, "{:?}", host.content());
    let content = fs::read(host.volume()).unwrap();
    fs::write(host.volume(), &content[..16 << 20]).unwrap();
    assert_eq!(sha256(&host.volume()), digest);
}

#[test]
fn what_dead_runs_left_is_shown_and_swept() {
    let mut host = Host::new();
    let options = json!({"src": stream("tiny-plain.zfs")});
    host.run(&options);
    fs::write(host.at(".new-abc123-web1"), "left").unwrap();
    fs::write(host.at(".web1.lock"), "").unwrap();
    fs::write(host.at(".new-abc123-web2"), "another volume's").unwrap();
    let foreseen = host.check(&options);
    let leftovers =
        ["leftover: ", &host.at(".new-abc123-web1").display().to_string(), "\nleftover: "].concat();
    assert!(foreseen["diff"]["before"].as_str().unwrap().contains(&leftovers), "{foreseen}");
    assert_eq!(host.run(&options)["changed"], json!(true));
    fs::remove_file(host.at(".new-abc123-web2")).unwrap();
    host.only_volume_is(TINY.1);
    assert_eq!(host.run(&options)["changed"], json!(false));
    fs::write(host.at(".web1.lock"), "").unwrap();
    host.triad(&options);
    host.only_volume_is(TINY.1);
}

#[test]
fn a_replacement_that_died_half_way_keeps_one_old_volume() {
    let mut host = Host::new();
    host.run(&json!({"src": stream("tiny-plain.zfs")}));
    let kept = host.at("web1.old-20200101T000000Z");
    fs::hard_link(host.volume(), &kept).unwrap();
    let done = host.run(&json!({"src": stream("empty-plain.zfs"), "replace": true}));
    assert_eq!(done["volume"]["replaced"], json!(kept));
    assert_eq!(host.content().len(), 2);
    assert_eq!(sha256(&kept), TINY.1);
}

#[test]
fn several_runs_at_once_make_one_volume() {
    let mut host = Host::new();
    let options = json!({"src": stream("lz4-plain.zfs")});
    let children: Vec<Child> = (0..6).map(|_| start(&mut host, &options)).collect();
    let mut changed = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let reply: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(reply["failed"], json!(null), "{reply}");
        changed += u32::from(reply["changed"] == json!(true));
    }
    assert!(changed >= 1);
    assert_eq!(host.content().len(), 1);
    assert_eq!(host.run(&options)["changed"], json!(false));
}
