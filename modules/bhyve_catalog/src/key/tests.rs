// SPDX-License-Identifier: GPL-3.0-or-later

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use image_catalog::signature::{Fingerprints, load_key, load_public_key};
use serde_json::json;

use super::observe::{Observed, observe};
use super::params::Params;
use super::plan::{Plan, plan};

fn params(folder: &Path, key_type: &str) -> Params {
    let at = |name: &str| folder.join(name);
    let options = json!({
        "path": at("catalogue.key"), "pubkey": at("catalogue.pub"),
        "fingerprint": at("trusted/images"), "type": key_type,
    });
    serde_json::from_value(options).unwrap()
}

fn run(params: &Params) -> bool {
    let observed = observe(params).unwrap();
    let plan = plan(params, &observed).unwrap();
    super::apply::apply(&plan).unwrap();
    plan.changed()
}

fn refusal(params: &Params) -> String {
    let observed = observe(params).unwrap();
    plan(params, &observed).map(drop).unwrap_err().to_string()
}

#[test]
fn the_triad_of_every_type() {
    for key_type in ["rsa", "ecdsa", "eddsa"] {
        let folder = tempfile::tempdir().unwrap();
        let params = params(folder.path(), key_type);
        let observed = observe(&params).unwrap();
        assert!(plan(&params, &observed).unwrap().changed(), "check");
        assert!(!params.path.exists());
        assert!(run(&params), "run");
        assert!(!run(&params), "again");
        let mode = params.path.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600);
        let public = load_public_key(&params.public_path()).unwrap();
        assert_eq!(public, load_key(&params.path).unwrap().public_key());
        Fingerprints::load(folder.path()).unwrap();
    }
}

#[test]
fn lost_files_are_made_again_and_the_key_stays() {
    let folder = tempfile::tempdir().unwrap();
    let params = params(folder.path(), "eddsa");
    run(&params);
    let key = fs::read(&params.path).unwrap();
    fs::remove_file(params.public_path()).unwrap();
    fs::write(folder.path().join("trusted/images"), "x").unwrap();
    let observed = observe(&params).unwrap();
    let expected =
        format!("public key: {0}/catalogue.pub\nfingerprint: {0}/trusted/images\n", folder.path().display());
    assert_eq!(plan(&params, &observed).unwrap().diff().after, expected);
    assert!(run(&params));
    assert!(!run(&params));
    assert_eq!(fs::read(&params.path).unwrap(), key);
}

#[test]
fn a_file_that_cannot_be_written_leaves_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let params = params(folder.path(), "eddsa");
    fs::write(folder.path().join("trusted"), "in the way").unwrap();
    let observed = observe(&params).map(|observed| super::apply::apply(&plan(&params, &observed).unwrap()));
    let error = observed.map_or_else(|error| error, |applied| applied.unwrap_err());
    assert!(format!("{error:#}").contains(&format!("{}/trusted", folder.path().display())), "{error:#}");
    assert!(!params.path.exists());
}

#[test]
fn what_dead_runs_left_goes_and_is_no_change() {
    let folder = tempfile::tempdir().unwrap();
    let params = params(folder.path(), "eddsa");
    for changed in [true, false] {
        fs::write(folder.path().join(".new-abcdef-catalogue.key"), "half").unwrap();
        assert_eq!(run(&params), changed);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}

#[test]
fn nothing_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let shown = folder.path().display();
    run(&params(folder.path(), "eddsa"));
    assert_eq!(
        refusal(&params(folder.path(), "rsa")),
        format!(
            "key {shown}/catalogue.key is of type eddsa, expected rsa: keys are not replaced, choose another \
             path to change to a new key"
        )
    );
    fs::remove_file(folder.path().join("catalogue.key")).unwrap();
    assert_eq!(
        refusal(&params(folder.path(), "eddsa")),
        format!(
            "public key {shown}/catalogue.pub is there but its private key {shown}/catalogue.key is not: restore \
             the private key, or remove the public one if the key is lost for good"
        )
    );
}

#[test]
fn one_file_cannot_be_two() {
    let same = json!({"path": "/k", "pubkey": "/k"});
    let observed = Observed { key: None, public_key: None, fingerprint: None };
    let found = plan(&serde_json::from_value(same).unwrap(), &observed).map(|plan: Plan<'_>| plan.changed());
    assert_eq!(found.unwrap_err().to_string(), "path, pubkey and fingerprint name the same file /k");
}
