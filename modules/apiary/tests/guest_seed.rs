// SPDX-License-Identifier: GPL-3.0-or-later

//! The program as Ansible runs it: check, run, check; and what a crash or a stranger's file leaves.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Stdio;

use ansible_module::Tool;
use serde_json::{Value, json};

/// The reply to `options`, with the diff.
fn reply(options: &Value, check: bool) -> Value {
    let mut arguments = options.clone();
    arguments["_ansible_check_mode"] = check.into();
    arguments["_ansible_diff"] = true.into();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("arguments.json");
    fs::write(&file, arguments.to_string()).expect("the arguments are written");
    let program = Tool::find(&test_support::program!("guest_seed")).expect("the program was built");
    let finished = program.command().arg(&file).stdin(Stdio::null()).output().expect("the program ran");
    serde_json::from_str(&finished.stdout).expect("a reply in JSON")
}

fn options(path: &Path) -> Value {
    json!({"path": path, "name": "web1", "family": "linux", "addresses": ["192.0.2.11/24"],
           "users": [{"name": "web", "password_hash": "$6$saltsalt$hashhashhash"}]})
}

fn changed(options: &Value) -> [bool; 3] {
    [true, false, true].map(|check| {
        let reply = reply(options, check);
        reply["changed"].as_bool().unwrap_or_else(|| panic!("{reply}"))
    })
}

#[test]
fn every_state_is_reached_once_and_check_mode_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seeds/web1.seed");
    let options = options(&path);
    reply(&options, true);
    assert!(!path.parent().unwrap().exists());

    assert_eq!(changed(&options), [true, true, false]);
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!((metadata.mode() & 0o7777, metadata.len()), (0o600, 1 << 20));
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o7777, 0o711);

    let mut other = options.clone();
    other["hostname"] = "web1.example.org".into();
    assert_eq!(changed(&other), [true, true, false]);

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    assert_eq!(changed(&other), [true, true, false]);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);

    let absent = json!({"path": path, "state": "absent"});
    assert_eq!(changed(&absent), [true, true, false]);
    assert!(!path.exists());
    assert_eq!(changed(&json!({"path": "/no/such/folder/seed", "state": "absent"})), [false, false, false]);
}

#[test]
fn the_reply_says_what_a_role_needs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web1.seed");
    let options = options(&path);
    let planned = reply(&options, true);
    let done = reply(&options, false);
    assert_eq!(planned["seed"], done["seed"]);
    assert_eq!(planned["diff"], done["diff"]);
    assert_eq!(done["seed"]["path"], path.to_str().unwrap());
    assert_eq!(done["seed"]["size"], 1 << 20);
    assert_eq!(done["seed"]["instance_id"], "06f7ab89-0554-5e2c-9836-192821f92039");
    assert_eq!(done["redeploy_required"], false);
    assert_eq!(done["warnings"], Value::Null);
    let sum = Tool::find("sha256sum").unwrap().command().arg(&path).run().unwrap().stdout;
    assert_eq!(sum.split(' ').next().unwrap(), done["seed"]["sha256"]);

    let mut other = options;
    other["users"][0]["password_hash"] = "$6$saltsalt$otherotherother".into();
    // On a new disk the guest reads it.
    other["first_boot"] = true.into();
    let unread = reply(&other, true);
    assert_eq!((&unread["changed"], &unread["redeploy_required"]), (&true.into(), &false.into()));
    assert_eq!(unread["warnings"], Value::Null);
    other["first_boot"] = false.into();
    for check in [true, false] {
        let reply = reply(&other, check);
        assert_eq!(reply["redeploy_required"], true);
        let warning = format!(
            "{} has changed: a guest that has already booted takes no notice, the new seed takes effect when it is redeployed",
            path.display()
        );
        assert_eq!(reply["warnings"], json!([warning]));
        assert!(
            reply["diff"]["before"]
                .as_str()
                .unwrap()
                .contains("    hashed_passwd: (not shown: text 1, 26 bytes)\n"),
            "{reply}"
        );
        assert!(
            reply["diff"]["after"]
                .as_str()
                .unwrap()
                .contains("    hashed_passwd: (not shown: text 2, 29 bytes)\n"),
            "{reply}"
        );
        assert!(!reply.to_string().contains("saltsalt"));
    }
}

#[test]
fn leftovers_are_swept_and_strangers_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web1.seed");
    fs::write(folder.path().join(".new-abcdef-web1.seed"), "half a seed").unwrap();
    fs::write(folder.path().join(".new-abcdef-web2.seed"), "another's").unwrap();
    assert_eq!(reply(&options(&path), false)["changed"], true);
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, [".new-abcdef-web2.seed", "web1.seed"]);

    let disk = folder.path().join("disk.raw");
    fs::write(&disk, vec![7; 1 << 20]).unwrap();
    for options in [options(&disk), json!({"path": disk, "state": "absent"})] {
        let reply = reply(&options, false);
        assert_eq!(reply["failed"], true);
        assert_eq!(
            reply["msg"],
            format!(
                "looking at seed {}: the file there is not a seed of this module, so it stays; remove it or choose another path: \
                 expected the boot sector of a seed, found another",
                disk.display()
            )
        );
    }
    assert_eq!(fs::read(&disk).unwrap(), vec![7; 1 << 20]);
}

#[test]
fn a_secret_in_a_wrong_place_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(&folder.path().join("web1.seed"));
    options["users"][0]["password_hash"] = "hunter2".into();
    let reply = reply(&options, false);
    assert_eq!(reply["failed"], true);
    assert!(!reply.to_string().contains("hunter2"), "{reply}");
}
