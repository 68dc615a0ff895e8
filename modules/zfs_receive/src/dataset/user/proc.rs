// SPDX-License-Identifier: GPL-3.0-or-later

//! Who has a device open, as Linux shows it in `/proc`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process;

use super::User;

/// What udev's programs are called: systemd's, its workers, and eudev's.
const UDEV: [&str; 3] = ["systemd-udevd", "(udev-worker)", "udevd"];

/// A process that has a device open, as far as `/proc` shows it to this user; one of udev's only where there is no other.
pub fn process_with(path: &Path) -> Option<User> {
    let device = fs::metadata(path).ok()?.rdev();
    let numbers = fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|number| *number != process::id() && has_open(*number, device));
    let users: Vec<User> = numbers.map(user).collect();
    users.iter().find(|user| !user.is_udev).or(users.first()).cloned()
}

fn has_open(number: u32, device: u64) -> bool {
    // Processes come and go meanwhile, and those of others may be hidden.
    let files = fs::read_dir(format!("/proc/{number}/fd")).into_iter().flatten().flatten();
    let mut devices = files.filter_map(|file| Some(fs::metadata(file.path()).ok()?.rdev()));
    device != 0 && devices.any(|open| open == device)
}

fn user(number: u32) -> User {
    let is_udev = is_of_udev(number);
    let owner = if is_udev { "udev's " } else { "" };
    User { who: format!("{owner}process {number} ({})", name(number)), is_udev }
}

/// Whether a process is udev or was started by it, directly or not.
fn is_of_udev(number: u32) -> bool {
    UDEV.contains(&name(number).as_str()) || parent(number).is_some_and(is_of_udev)
}

fn name(number: u32) -> String {
    fs::read_to_string(format!("/proc/{number}/comm")).unwrap_or_default().trim().to_owned()
}

fn parent(number: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{number}/status")).ok()?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()?;
    (parent != 0).then_some(parent)
}

#[cfg(test)]
mod tests;
