// SPDX-License-Identifier: GPL-3.0-or-later

//! What the tests of several crates need. It knows no module: a test says which program it runs, and with what options.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

#[cfg(target_os = "linux")]
mod crash;
mod patience;
pub mod web;

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::thread;

use serde_json::Value;

#[cfg(target_os = "linux")]
pub use crash::kill_before_each_change;
pub use patience::{patience, run_out, wait_for};

/// A file or folder of `tests/fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(name).canonicalize().unwrap()
}

/// The path of a program of the collection, by its name. For the tests of `apiary` alone: only these are told by Cargo
/// where the one program is that holds them all.
#[macro_export]
macro_rules! program {
    ($name:literal) => {
        $crate::linked(env!("CARGO_BIN_EXE_apiary"), env!("CARGO_TARGET_TMPDIR"), $name)
    };
}

/// A link in `folder` by which `program` is called `name`.
pub fn linked(program: &str, folder: &str, name: &str) -> String {
    let link = Path::new(folder).join(name);
    if fs::read_link(&link).ok().as_deref() != Some(Path::new(program)) {
        // Tests run side by side: the link is there at any moment.
        let new = Path::new(folder).join(format!(".{name}-{}-{:?}", process::id(), thread::current().id()));
        symlink(program, &new).unwrap();
        fs::rename(&new, &link).unwrap();
    }
    link.into_os_string().into_string().unwrap()
}

/// A program with the words that make it read its options from standard input, as Ansible runs it.
pub fn module(program: &str) -> Command {
    #[expect(clippy::disallowed_methods, reason = "a test stands outside of the program")]
    let mut command = Command::new(program);
    command.arg("-");
    command
}

/// Starts a command with plain pipes, and options on its standard input.
pub fn start(command: &mut Command, options: &Value) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(options.to_string().as_bytes()).unwrap();
    child
}

/// What a program answers at its end.
pub fn reply(child: Child) -> Value {
    serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap()
}

/// The message of a reply that must be a failure before anything was changed.
pub fn refusal(reply: &Value) -> &str {
    assert_eq!(reply["failed"], true, "{reply}");
    assert_eq!(reply["changed"], false, "{reply}");
    reply["msg"].as_str().unwrap()
}

/// How often a process has the file at `path` open.
pub fn times_open(process: u32, path: &Path) -> usize {
    let descriptors = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    descriptors.filter(|open| fs::read_link(open.path()).is_ok_and(|open| open == path)).count()
}

/// Options with some of them replaced.
pub fn with(mut options: Value, changes: Value) -> Value {
    options.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    options
}

/// Writes a shell script that stands in for the program of this name, and makes its folder.
///
/// Another process writes it: a child that another test starts in this moment has all that is open here until it is another
/// program, and the system starts no script that somebody can still write to.
pub fn stand_in(program: &Path, script: &str) {
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    #[expect(clippy::disallowed_methods, reason = "a test stands outside of the program")]
    let mut cat = Command::new("sh")
        .args(["-c", "cat >\"$0\" && chmod 755 \"$0\""])
        .arg(program)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    cat.stdin.take().unwrap().write_all(format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
    assert!(cat.wait().unwrap().success(), "writing {}", program.display());
}

/// Copies a folder with everything in it.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, name) = (entry.as_ref().unwrap(), entry.as_ref().unwrap().file_name());
        match entry.metadata().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &to.join(name)),
            false => drop(fs::copy(entry.path(), to.join(name)).unwrap()),
        }
    }
}
