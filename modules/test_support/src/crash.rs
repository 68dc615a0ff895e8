// SPDX-License-Identifier: GPL-3.0-or-later

//! Programs that are killed at a chosen step of their work, however fast or slow the machine is.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::libc::{self, c_long};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde_json::Value;

/// Calls that change a file or a folder, and the kinds of their changes.
const CHANGES: &[(c_long, &str)] = &[
    (libc::SYS_openat, "create"),
    (libc::SYS_write, "write"),
    (libc::SYS_pwrite64, "write"),
    (libc::SYS_copy_file_range, "write"),
    (libc::SYS_ftruncate, "resize"),
    (libc::SYS_fallocate, "resize"),
    (libc::SYS_fsync, "sync"),
    (libc::SYS_fdatasync, "sync"),
    (libc::SYS_mkdirat, "create"),
    (libc::SYS_linkat, "name"),
    (libc::SYS_renameat, "name"),
    (libc::SYS_renameat2, "name"),
    (libc::SYS_unlinkat, "remove"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mkdir, "create"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_link, "name"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_rename, "name"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_unlink, "remove"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_rmdir, "remove"),
];

/// Kills runs of a program before each of their changes in turn, until one is through before it can be killed.
///
/// `check` looks at what each dead run has left, and puts everything back. Changes of these kinds must have been among them:
/// "create", "write", "resize", "sync", "name", "remove".
pub fn kill_before_each_change(
    program: impl Fn() -> Command,
    options: &Value,
    kinds: &[&str],
    mut check: impl FnMut(),
) {
    let mut killed = HashSet::new();
    for number in 0.. {
        let Some(kind) = kill_before_change(&mut program(), options, number) else { break };
        eprintln!("killed before change {number}, a {kind:?}");
        killed.insert(kind);
        check();
    }
    assert!(kinds.iter().all(|kind| killed.contains(kind)), "expected {kinds:?}, found {killed:?}");
}

/// Runs a program that reads `options` from its standard input, and kills it just before its change of this number.
/// The kind of that change; `None` where the run was through before.
fn kill_before_change(command: &mut Command, options: &Value, number: usize) -> Option<&'static str> {
    // A group of its own: nothing else that this process has started is waited for.
    let command = command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    // It waits for its options.
    let tracing = Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_EXITKILL;
    ptrace::seize(pid, tracing).unwrap();
    ptrace::interrupt(pid).unwrap();
    child.stdin.take().unwrap().write_all(options.to_string().as_bytes()).unwrap();
    let killed = watch(pid, number);
    // `watch` has seen its end already.
    let _ = child.wait();
    killed
}

fn watch(pid: Pid, number: usize) -> Option<&'static str> {
    let (mut inside, mut changes, mut killed) = (HashSet::new(), 0, None);
    loop {
        match waitpid(Pid::from_raw(-pid.as_raw()), Some(WaitPidFlag::__WALL)).unwrap() {
            WaitStatus::PtraceSyscall(thread) => {
                // Each call stops twice: before it, and after it.
                let before = !inside.remove(&thread) && inside.insert(thread);
                if let Some(kind) = kind_of_change(thread).filter(|_| before && killed.is_none()) {
                    if changes == number {
                        killed = Some(kind);
                        kill(pid, Signal::SIGKILL).unwrap();
                    }
                    changes += 1;
                }
                go_on(thread, None);
            }
            WaitStatus::PtraceEvent(thread, ..) => go_on(thread, None),
            WaitStatus::Stopped(thread, signal) => go_on(thread, Some(signal)),
            WaitStatus::Exited(ended, _) | WaitStatus::Signaled(ended, ..) if ended == pid => return killed,
            _ => {}
        }
    }
}

fn go_on(thread: Pid, signal: Option<Signal>) {
    match ptrace::syscall(thread, signal) {
        // It has been killed meanwhile.
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => panic!("letting thread {thread} go on: {error}"),
    }
}

/// The kind of the change that the call in which a thread has stopped makes, if it makes one.
fn kind_of_change(thread: Pid) -> Option<&'static str> {
    // The call's number in decimal, its arguments in hexadecimal; gone where the thread was killed meanwhile.
    let call = fs::read_to_string(format!("/proc/{thread}/syscall")).ok()?;
    let mut words = call.split_whitespace();
    let number: c_long = words.next()?.parse().ok()?;
    let arguments: Vec<u64> =
        words.map(|word| u64::from_str_radix(word.trim_start_matches("0x"), 16).unwrap()).collect();
    let (_, kind) = CHANGES.iter().find(|(changing, _)| *changing == number)?;
    match number {
        libc::SYS_openat if arguments[2] & libc::O_CREAT as u64 == 0 => None,
        // What is said to whoever has started the program.
        libc::SYS_write if arguments[0] <= 2 => None,
        _ => Some(kind),
    }
}
