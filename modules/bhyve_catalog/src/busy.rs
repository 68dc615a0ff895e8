// SPDX-License-Identifier: GPL-3.0-or-later

//! Who else has a source open for writing: a guest that runs changes its disk while it is read.

use std::fs;
use std::path::Path;

use ansible_module::Tool;

/// Lists everything that a process has open and that is the same file. `find` takes thousands of looks for that, of which none
/// matters by itself.
const FIND: &str = r#"exec find -L /proc/[0-9]*/fd -maxdepth 1 -samefile "$0" 2>/dev/null"#;

/// A warning where another process may write to the file or disk. What this user may not look at is not known.
pub fn remark(path: &Path, called: &str) -> Option<String> {
    let writer = if cfg!(target_os = "freebsd") { by_fuser(path) } else { by_proc(path) }?;
    Some(format!(
        "{called} is open for writing in {writer}: if that is a guest, shut it down first, or publish a snapshot of its disk"
    ))
}

fn by_proc(path: &Path) -> Option<String> {
    let found = Tool::find("sh").ok()?.command().args(["-c", FIND]).arg(path).output().ok()?;
    let process = found.stdout.lines().find_map(|line| {
        let (process, number) = line.split_once("/fd/")?;
        is_writable(&format!("{process}/fdinfo/{number}")).then_some(process)
    })?;
    let name = fs::read_to_string(format!("{process}/comm")).unwrap_or_default();
    Some(format!("process {} ({})", process.strip_prefix("/proc/")?, name.trim()))
}

fn is_writable(info: &str) -> bool {
    let text = fs::read_to_string(info).unwrap_or_default();
    let flags =
        text.lines().find_map(|line| u32::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok());
    flags.is_some_and(|flags| flags & 0o3 != 0)
}

/// FreeBSD's fuser(1) puts the numbers of processes on standard output, and a letter for each on the other one.
fn by_fuser(path: &Path) -> Option<String> {
    let found = Tool::find("fuser").ok()?.command().arg(path).output().ok()?;
    let letters = found.stderr.rsplit_once(':')?.1.to_owned();
    letters.contains('w').then(|| format!("one of the processes {}", found.stdout.trim()))
}
