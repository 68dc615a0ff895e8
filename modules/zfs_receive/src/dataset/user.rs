// SPDX-License-Identifier: GPL-3.0-or-later

//! Who has the device of a volume open, as far as this system shows it. Reads only.

#[cfg(any(target_os = "freebsd", test))]
mod fstat;
#[cfg(not(target_os = "freebsd"))]
mod proc;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc::O_EXCL;

use super::device::{self, UDEV_LIMIT};

const AGAIN: Duration = Duration::from_millis(10);

/// How long others than udev may look at a volume before they count as its users.
const GLANCE: Duration = Duration::from_secs(3);

#[cfg(target_os = "freebsd")]
use fstat::process_with;
#[cfg(not(target_os = "freebsd"))]
use proc::process_with;

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

/// Who has it open at this moment, if only to look at it.
pub fn now(name: &str) -> Option<String> {
    opener(&device::path(name)).map(|user| user.who)
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

#[cfg(test)]
mod tests;
