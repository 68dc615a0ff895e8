// SPDX-License-Identifier: GPL-3.0-or-later

//! Runs that are killed: nothing of a private key is left but the one that is asked for.

// The kills are ptrace(2)'s of Linux.
#![cfg(target_os = "linux")]
#![cfg(test)]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use test_support::{kill_before_each_change, module, reply, start};

fn files(folder: &Path) -> Vec<String> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    files
}

#[test]
fn a_killed_run_is_put_right_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("keys");
    let options = json!({"path": at.join("key"), "fingerprint": at.join("trusted"), "type": "eddsa"});
    let program = || module(&test_support::program!("bhyve_catalog_key"));
    let run = || reply(start(&mut program(), &options));
    kill_before_each_change(program, &options, &["create", "write", "sync", "name"], || {
        let key = fs::read(at.join("key")).ok();
        let after = run();
        assert_eq!(after["failed"], Value::Null, "{after}");
        assert_eq!(files(&at), ["key", "key.pub", "trusted"]);
        assert!(key.is_none_or(|key| key == fs::read(at.join("key")).unwrap()), "the key was replaced");
        assert_eq!(run()["changed"], false);
        fs::remove_dir_all(&at).unwrap();
    });
}
