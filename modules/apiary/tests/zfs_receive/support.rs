// SPDX-License-Identifier: GPL-3.0-or-later

//! A folder of volumes, the captured streams, and the program.

use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;
pub use test_support::fixture;
use test_support::with;

/// Guids and digests of `tests/fixtures/streams/manifest.tsv`.
pub const TINY: (&str, &str) =
    ("7119270074782723516", "1500e05c43c940a3c77467abe6d22a461d9e5c3b06b80072f1a861a69ee101c6");
pub const TINY2: (&str, &str) =
    ("6552600134885580802", "ce3de3305b8ceaefdacc73e43a2135beba147b2fa950d22f60e604f1cda85e76");
pub const EMPTY_GUID: &str = "5224889396273981295";
pub const MIB: u64 = 1 << 20;

/// Where the program is.
pub fn program() -> String {
    test_support::program!("zfs_receive")
}

pub fn stream(name: &str) -> PathBuf {
    fixture("streams").join(name)
}

pub fn command() -> Command {
    let mut command = Command::new(program());
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// A folder in which the volume `web1` is to be.
pub struct Host {
    pub folder: TempDir,
    runs: u32,
}

impl Host {
    pub fn new() -> Host {
        Host { folder: tempfile::tempdir().unwrap(), runs: 0 }
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join("volumes").join(name)
    }

    pub fn volume(&self) -> PathBuf {
        self.at("web1")
    }

    /// Arguments for the program, in a file outside the folder of volumes.
    pub fn arguments(&mut self, options: &Value) -> PathBuf {
        fs::create_dir_all(self.at("")).unwrap();
        self.runs += 1;
        let path = self.folder.path().join(format!("arguments-{}.json", self.runs));
        fs::write(&path, self.options(options).to_string()).unwrap();
        path
    }

    /// Options for the program that say where the volume is.
    pub fn options(&self, options: &Value) -> Value {
        with(json!({"path": self.volume()}), options.clone())
    }

    pub fn run(&mut self, options: &Value) -> Value {
        let arguments = self.arguments(options);
        let output = command().arg(arguments).output().unwrap();
        let reply: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.success(), reply["failed"] != json!(true), "{reply}");
        reply
    }

    pub fn check(&mut self, options: &Value) -> Value {
        let mut options = options.clone();
        options["_ansible_check_mode"] = json!(true);
        options["_ansible_diff"] = json!(true);
        self.run(&options)
    }

    /// Check, run, check: changed, changed, unchanged; both first replies describe the same volume.
    pub fn triad(&mut self, options: &Value) -> Value {
        let before = self.content();
        let foreseen = self.check(options);
        assert_eq!(foreseen["changed"], json!(true), "{foreseen}");
        assert_eq!(self.content(), before, "check mode writes");
        assert_ne!(foreseen["diff"]["before"], foreseen["diff"]["after"]);
        let done = self.run(options);
        assert_eq!(done["changed"], json!(true), "{done}");
        let again = self.check(options);
        assert_eq!(again["changed"], json!(false), "{again}");
        assert_eq!(self.run(options)["changed"], json!(false));
        if done["volume"]["replaced"].is_null() {
            assert_eq!(foreseen["volume"], done["volume"]);
        }
        done
    }

    /// The names and digests of everything in the folder of volumes.
    pub fn content(&self) -> Vec<(String, String)> {
        let Ok(entries) = fs::read_dir(self.at("")) else { return Vec::new() };
        let name = |entry: &fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut content: Vec<_> =
            entries.map(|e| e.unwrap()).map(|e| (name(&e), sha256(&e.path()))).collect();
        content.sort();
        content
    }

    pub fn only_volume_is(&self, digest: &str) {
        assert_eq!(self.content(), [("web1".to_owned(), digest.to_owned())]);
    }
}

pub fn sha256(path: &PathBuf) -> String {
    image_catalog::digest::Sha256Hex::of(&fs::read(path).unwrap()).to_string()
}

pub fn failure(reply: &Value) -> &str {
    assert_eq!((&reply["failed"], &reply["changed"]), (&json!(true), &json!(false)), "{reply}");
    reply["msg"].as_str().unwrap()
}
