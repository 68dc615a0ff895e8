// SPDX-License-Identifier: GPL-3.0-or-later

//! Who has the device of a volume open, as far as this system shows it. Reads only.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc::O_EXCL;

use super::device::{self, UDEV_LIMIT};

const AGAIN: Duration = Duration::from_millis(10);

/// How long others than udev may look at a volume before they count as its users.
const GLANCE: Duration = Duration::from_secs(3);

/// What udev's programs are called: systemd's, its workers, and eudev's.
const UDEV: [&str; 3] = ["systemd-udevd", "(udev-worker)", "udevd"];

#[derive(Clone, Debug, PartialEq, Eq)]
struct User {
    who: String,
    is_udev: bool,
}

/// Who has the device of a volume or snapshot open, if anybody has who does not only look at it.
///
/// `zfs destroy -r` on such a volume fails only after it has destroyed the snapshots (OpenZFS 2.3), and `zfs rename` does not
/// fail at all: both must be known before.
pub fn of(name: &str) -> Option<String> {
    let path = device::path(name);
    lasting(|| opener(&path), GLANCE, UDEV_LIMIT)
}

/// The first user found by `look` who stays longer than it takes to look; whoever comes later has as long again, but not for ever.
fn lasting(mut look: impl FnMut() -> Option<User>, glance: Duration, udev_limit: Duration) -> Option<String> {
    let began = Instant::now();
    let (mut user, mut since) = (look()?, began);
    loop {
        let limit = if user.is_udev { udev_limit } else { glance };
        if since.elapsed() >= limit || began.elapsed() >= glance + udev_limit {
            return Some(user.who);
        }
        thread::sleep(AGAIN);
        let now = look()?;
        if now != user {
            (user, since) = (now, Instant::now());
        }
    }
}

fn opener(path: &Path) -> Option<User> {
    // Refused on FreeBSD while anybody has it open, on Linux while the kernel itself uses it: mounted, mapped.
    let exclusive = OpenOptions::new().read(true).custom_flags(O_EXCL).open(path);
    let busy = exclusive.is_err_and(|error| error.raw_os_error() == Some(Errno::EBUSY as i32));
    process_with(path).or_else(|| {
        let who = "the system itself, for a mount or a mapping".to_owned();
        busy.then_some(User { who, is_udev: false })
    })
}

/// A process that has a device open, as far as `/proc` shows it to this user; one of udev's only where there is no other.
fn process_with(path: &Path) -> Option<User> {
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
