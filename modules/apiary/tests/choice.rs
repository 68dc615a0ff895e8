// SPDX-License-Identifier: GPL-3.0-or-later

//! Which program runs: told by the name of the file, or by Ansible's arguments.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

#[expect(clippy::disallowed_methods, reason = "the program under test, with plain pipes")]
fn run(program: &Path, words: &[&str], stdin: &Value) -> Output {
    let mut child = Command::new(program)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program was built");
    // A program that reads no arguments may have ended already.
    let _ = child.stdin.take().expect("it is a pipe").write_all(stdin.to_string().as_bytes());
    child.wait_with_output().expect("it ends")
}

fn msg(output: &Output) -> String {
    let reply: Value = serde_json::from_slice(&output.stdout).expect("the reply is JSON");
    assert_eq!(reply["failed"], true);
    reply["msg"].as_str().expect("a failed reply has a msg").to_owned()
}

fn apiary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_apiary"))
}

/// What the program has to know: every module that is documented, but the one that has no program, and the server.
fn known() -> Vec<String> {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/modules");
    let documented = fs::read_dir(modules).expect("the checkout is whole").filter_map(|entry| {
        Some(entry.expect("it can be listed").file_name().to_str()?.strip_suffix(".py")?.to_owned())
    });
    // What the controller does by itself, and what has no page because nobody calls it.
    let of_controller = ["job_status", "table", "volume_move"];
    let mut known: Vec<_> = documented.filter(|name| !of_controller.contains(&name.as_str())).collect();
    known.extend(["bhyve_catalog_server", "volume_stream"].map(str::to_owned));
    known.sort_unstable();
    known
}

#[test]
fn a_link_is_the_program_of_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let linked = |name: &str| {
        let link = folder.path().join(name);
        symlink(apiary(), &link).expect("nothing has this name yet");
        link
    };
    let options = json!({"strange": 1, "_ansible_module_name": "guest_seed"});
    let answer = msg(&run(&linked("bhyve_image_info"), &["-"], &options));
    assert!(
        answer.starts_with("reading option `strange`: unknown field `strange`, expected one of `name`"),
        "{answer}"
    );
    assert!(answer.contains("`golden`"), "{answer}");
    let version = run(&linked("ntpd_check"), &["--version"], &Value::Null);
    assert_eq!(
        String::from_utf8(version.stdout).unwrap(),
        concat!("ntpd_check ", env!("CARGO_PKG_VERSION"), "\n")
    );
    let server = run(&linked("bhyve_catalog_server"), &[], &Value::Null);
    assert!(String::from_utf8(server.stderr).unwrap().starts_with("bhyve_catalog_server: usage:"));
}

#[test]
fn under_any_other_name_the_arguments_tell() {
    let answer =
        |name: Value| msg(&run(apiary(), &["-"], &json!({"strange": 1, "_ansible_module_name": name})));
    let seed = answer("guest_seed".into());
    assert!(
        seed.starts_with("reading option `strange`: unknown field") && seed.contains("`hostname`"),
        "{seed}"
    );
    let known = known().join(", ");
    // The server is not a module.
    for (name, found) in
        [(json!("other"), "other"), (json!("bhyve_catalog_server"), "bhyve_catalog_server"), (json!(1), "")]
    {
        assert_eq!(
            answer(name),
            format!(
                "choosing a program: expected one of {known} as the name this is called by, or a module among them as \
                 _ansible_module_name in the arguments, found {found:?}"
            )
        );
    }
}

#[test]
fn without_arguments_its_use_is_told() {
    assert_eq!(
        msg(&run(apiary(), &[], &Value::Null)),
        "usage: apiary ARGUMENTS.json, or apiary - with the arguments as JSON on standard input"
    );
}
