// SPDX-License-Identifier: GPL-3.0-or-later

//! Who else has a source open for writing: a guest that runs changes its disk while it is read.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process;

/// A warning where another process may write to the file or disk. What this user may not look at is not known.
pub fn remark(file: &File, called: &str) -> Option<String> {
    let writer = writer(file)?;
    Some(format!(
        "{called} is open for writing in {writer}: if that is a guest, shut it down first, or publish a snapshot of its disk"
    ))
}

fn writer(file: &File) -> Option<String> {
    let wanted = identity(&file.metadata().ok()?);
    let own = process::id().to_string();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let pid = entry.file_name().to_string_lossy().into_owned();
        if pid == own || !pid.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        for open in fs::read_dir(entry.path().join("fd")).into_iter().flatten().flatten() {
            let same = fs::metadata(open.path()).is_ok_and(|found| identity(&found) == wanted);
            if same && is_writable(&entry.path().join("fdinfo").join(open.file_name())) {
                let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
                return Some(format!("process {pid} ({})", name.trim()));
            }
        }
    }
    None
}

/// A device is the same by its number, whichever name it was opened by.
fn identity(found: &fs::Metadata) -> (u64, u64, bool) {
    match found.is_file() {
        true => (found.dev(), found.ino(), true),
        false => (found.rdev(), 0, false),
    }
}

fn is_writable(info: &Path) -> bool {
    let text = fs::read_to_string(info).unwrap_or_default();
    let flags =
        text.lines().find_map(|line| u32::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok());
    flags.is_some_and(|flags| flags & 0o3 != 0)
}
