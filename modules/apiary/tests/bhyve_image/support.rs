// SPDX-License-Identifier: GPL-3.0-or-later

//! Runs the built programs as Ansible does, on copies of repositories that pkg has written.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{copy_folder, fixture, module, reply, with};

/// An image of the fixtures: its package has 22038 bytes in the repositories written by pkg 2.8.
pub const SMALL: &str = "FreeBSD-14.2-RELEASE-ZFS-20G-20250101";
/// The newer version of the same image, with 466535 bytes.
pub const NEWER: &str = "FreeBSD-14.2-RELEASE-ZFS-20G-20250515";
/// What both are called without their version.
pub const BASE: &str = "FreeBSD-14.2-RELEASE-ZFS-20G";

/// The folder of the fixtures.
pub fn fixtures() -> PathBuf {
    fixture("pkg-repos")
}

/// A repository of the fixtures in a folder of the test's own, and an empty store beside it.
pub struct Lab {
    /// Goes with the test.
    pub folder: TempDir,
    repository: String,
}

impl Lab {
    /// A copy of the repository called `fixture`.
    pub fn new(fixture: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lab = Self { repository: folder.path().join("repository").display().to_string(), folder };
        copy_folder(&fixtures().join(fixture), &lab.repository());
        lab
    }

    /// The same with the catalogue at another place.
    #[cfg(target_os = "linux")]
    pub fn at(fixture: &str, repository: &str) -> Self {
        Self { repository: repository.to_owned(), ..Self::new(fixture) }
    }

    /// The folder of the repository.
    pub fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    /// The package of an image in the repository.
    pub fn package(&self, image: &str) -> PathBuf {
        self.repository().join(format!("All/{image}.pkg"))
    }

    /// The folder of the store.
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Options for these images, trusting the RSA key of the fixtures.
    pub fn options(&self, names: &[&str]) -> Value {
        json!({
            "name": names, "repository": self.repository, "store": self.store(),
            "signature_type": "pubkey", "pubkey": fixtures().join("keys/rsa.pub"),
        })
    }

    /// Names of everything in the store, sorted.
    pub fn files(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.store()) else { return Vec::new() };
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Names of everything in the store but what is remembered of catalogues.
    pub fn images(&self) -> Vec<String> {
        self.files().into_iter().filter(|name| !name.starts_with(".seen-")).collect()
    }
}

/// Starts `bhyve_image`.
pub fn start(options: &Value) -> Child {
    start_with(options, &[])
}

/// Starts `bhyve_image` with some variables of its environment set.
pub fn start_with(options: &Value, environment: &[(&str, &str)]) -> Child {
    test_support::start(program().envs(environment.iter().copied()), options)
}

/// `bhyve_image`, to be started.
pub fn program() -> Command {
    module(&test_support::program!("bhyve_image"))
}

/// Runs `bhyve_image` to its end.
pub fn run(options: &Value) -> Value {
    reply(start(options))
}

/// Runs `bhyve_image` and expects it to fail; what it said.
pub fn refusal(options: &Value) -> String {
    test_support::refusal(&run(options)).to_owned()
}

/// Check, run, check: what each says of `changed`.
pub fn triad(options: &Value) -> [Value; 3] {
    let check = with(options.clone(), json!({"_ansible_check_mode": true}));
    [run(&check), run(options), run(&check)].map(|reply| match &reply["failed"] {
        Value::Null => reply["changed"].clone(),
        _ => reply["msg"].clone(),
    })
}

/// Runs a shell script as root of a mount namespace of its own, with options on standard input.
pub fn in_namespace(script: &str, options: &Value) -> std::process::Output {
    let words = ["--user", "--map-root-user", "--mount", "sh", "-c", script];
    #[expect(clippy::disallowed_methods, reason = "util-linux")]
    let mut unshare = Command::new("unshare");
    test_support::start(unshare.args(words), options).wait_with_output().unwrap()
}
