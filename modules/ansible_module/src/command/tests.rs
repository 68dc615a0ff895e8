// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;
use crate::CommandFailed;
use std::io::Write;

fn sh(script: &str) -> Command {
    Tool::find("sh").unwrap().command().args(["-c", script])
}

#[test]
fn a_sibling_lies_beside() {
    let sh = Tool::find("sh").unwrap();
    assert_eq!(sh.sibling("cat").unwrap().path, sh.path.with_file_name("cat"));
    let error = sh.sibling("no-such-tool").unwrap_err().to_string();
    let path = sh.path.with_file_name("no-such-tool");
    assert_eq!(error, format!("looking for the program {}: it is not there", path.display()));
}

#[test]
fn a_missing_tool_is_named() {
    assert_eq!(
        Tool::find("no-such-tool").unwrap_err().to_string(),
        "looking for the program `no-such-tool`: it is neither in PATH nor in the system's folders; install it"
    );
}

#[test]
fn status_and_words_are_kept() {
    let error = sh("echo out; echo oh no >&2; exit 3").run().unwrap_err();
    let failed = error.downcast_ref::<CommandFailed>().unwrap();
    assert_eq!((failed.rc, failed.stderr.as_str()), (3, "oh no\n"));
    assert!(failed.cmd.ends_with("sh -c 'echo out; echo oh no >&2; exit 3'"), "{}", failed.cmd);
    assert_eq!(sh("kill -9 $$").output().unwrap().rc(), 137);
    let complained_on_stdout = sh("echo oh no; exit 1").run().unwrap_err();
    assert!(complained_on_stdout.to_string().ends_with("exited with 1: oh no"));
}

#[test]
fn locale_and_stdin_are_fixed() {
    let finished = sh("echo $LC_ALL; cat").run().unwrap();
    assert_eq!(finished.stdout, "C.UTF-8\n");
}

#[test]
fn the_time_limit_ends_grandchildren_too() {
    let error = sh("sleep 600 & sleep 600; true").time_limit(Duration::from_millis(200)).run().unwrap_err();
    assert!(error.to_string().contains("expected it to end within 0 s"), "{error}");
}

#[test]
fn a_flood_on_stderr_is_cut_and_does_not_block() {
    let finished = sh("yes | head -c 1000000 >&2; echo end >&2").run().unwrap();
    assert!(finished.stderr.len() < 100_000 && finished.stderr.ends_with("end\n"));
}

#[test]
fn a_pipe_to_a_command_is_ours() {
    let mut running = sh("wc -c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    running.take_stdin().unwrap().write_all(b"12345").unwrap();
    assert_eq!(running.finish().unwrap().stdout.trim(), "5");
}
