// SPDX-License-Identifier: GPL-3.0-or-later

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};

use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use test_support::{stand_in, wait_for};

use super::*;
use crate::dataset::user::opener;

/// A pseudo-terminal stands for the volume: a device that nobody else has open.
struct Device {
    path: PathBuf,
    users: Vec<Child>,
    #[expect(dead_code, reason = "the device is gone with its other side")]
    master: PtyMaster,
}

impl Device {
    /// One of a few: a container's terminals may have the same number, and be in use.
    fn new() -> Self {
        let some: Vec<_> = (0..20).map(|_| Self::open()).collect();
        some.into_iter().find(|device| opener(&device.path).is_none()).unwrap()
    }

    fn open() -> Self {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).unwrap();
        grantpt(&master).and_then(|()| unlockpt(&master)).unwrap();
        Self { path: ptsname_r(&master).unwrap().into(), users: Vec::new(), master }
    }

    /// Has a program open it; that and its children are gone with the test.
    fn used_by(&mut self, program: &Path, arguments: &[&str]) -> u32 {
        #[expect(clippy::disallowed_methods, reason = "a program that does nothing else")]
        let mut command = Command::new(program);
        let stdin = File::open(&self.path).unwrap();
        let child = command.args(arguments).stdin(stdin).process_group(0).spawn().unwrap();
        self.users.push(child);
        self.users.last().unwrap().id()
    }

    fn end_users(&mut self) {
        for mut user in self.users.drain(..) {
            killpg(Pid::from_raw(i32::try_from(user.id()).unwrap()), Signal::SIGKILL).unwrap();
            user.wait().unwrap();
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.end_users();
    }
}

#[test]
fn udev_is_known_by_what_it_is() {
    let mut device = Device::new();
    let path = device.path.clone();

    let folder = tempfile::tempdir().unwrap();
    let udev = folder.path().join("systemd-udevd");
    stand_in(&udev, "exec 3<&0 </dev/null; sleep 600 <&3 3<&- & exec 3<&-; wait");
    device.used_by(&udev, &[]);
    wait_for("udev's child alone to have the device open", 30, || match opener(&path) {
        Some(User { who, is_udev: true })
            if who.starts_with("udev's process ") && who.ends_with(" (sleep)") =>
        {
            Ok(())
        }
        other => Err(other),
    });
    let guest = device.used_by(Path::new("/bin/sleep"), &["600"]);
    assert_eq!(opener(&path), Some(User { who: format!("process {guest} (sleep)"), is_udev: false }));
    device.end_users();
    wait_for("everybody to be gone", 30, || opener(&path).map_or(Ok(()), Err));
}
