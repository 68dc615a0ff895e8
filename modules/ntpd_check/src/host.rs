// SPDX-License-Identifier: GPL-3.0-or-later

//! What /proc tells of a process on Linux; elsewhere, and where it may not be read, nothing is known.

use std::fs;
use std::path::{Path, PathBuf};

/// Bit of CAP_SYS_TIME in a set of capabilities.
const CAP_SYS_TIME: u64 = 1 << 25;

/// The user namespace that the kernel begins with (`PROC_USER_INIT_INO`): only there does CAP_SYS_TIME count.
const FIRST_USERS: &str = "user:[4026531837]";

/// Looks into a process file system.
pub struct Host {
    root: PathBuf,
}

impl Default for Host {
    fn default() -> Self {
        Self::at("/proc")
    }
}

impl Host {
    /// Looks into `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Whether the process that adjusts for the engine with `pid`, which is its parent, may set the clock.
    pub fn may_set(&self, engine: u32) -> Option<bool> {
        let title = fs::read_to_string(self.of(engine, "cmdline")).ok()?;
        let stat = fs::read_to_string(self.of(engine, "stat")).ok()?;
        // The name in brackets may hold blanks: what follows it is state and parent.
        let parent: u32 = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        if !title.starts_with(crate::daemon::OPENNTPD) || parent <= 1 || self.is_preloaded(parent) {
            return None;
        }
        let status = fs::read_to_string(self.of(parent, "status")).ok()?;
        let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
        let allowed = u64::from_str_radix(effective.trim(), 16).ok()? & CAP_SYS_TIME != 0;
        let users = fs::read_link(self.of(parent, "ns/user")).ok();
        let counts = users.is_none_or(|users| users == Path::new(FIRST_USERS));
        Some(allowed && counts)
    }

    /// Whether a process lives where we do: the clock of a container is nobody's but the host's.
    pub fn is_here(&self, pid: u32) -> bool {
        let space = |process: PathBuf| fs::read_link(process).ok();
        let (ours, theirs) = (space(self.root.join("self/ns/pid")), space(self.of(pid, "ns/pid")));
        ours.zip(theirs).is_none_or(|(ours, theirs)| ours == theirs)
    }

    /// A library that stands between a daemon and the kernel may set the clock in its place, or not.
    fn is_preloaded(&self, pid: u32) -> bool {
        let environment = fs::read(self.of(pid, "environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|one| one.starts_with(b"LD_PRELOAD="))
    }

    fn of(&self, pid: u32, file: &str) -> PathBuf {
        self.root.join(pid.to_string()).join(file)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Files as Linux 6.1 shows them of a running OpenNTPD 6.2p3.
    fn host(capabilities: &str, users: &str, environment: &str) -> (tempfile::TempDir, Host) {
        let folder = tempfile::tempdir().unwrap();
        for pid in ["931", "932"] {
            fs::create_dir_all(folder.path().join(pid).join("ns")).unwrap();
        }
        let write = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
        write("932/cmdline", "ntpd: ntp engine\0");
        write("932/stat", "932 (ntpd: (x) y) S 931 931 931 0 -1 4194560");
        write("931/status", &format!("Name:\tntpd\nCapPrm:\tffff\nCapEff:\t{capabilities}\n"));
        write("931/environ", environment);
        symlink(users, folder.path().join("931/ns/user")).unwrap();
        let host = Host::at(folder.path());
        (folder, host)
    }

    #[test]
    fn who_may_set_the_clock() {
        let (all, none) = ("000001ffffffffff", "000001fffdffffff");
        let cases = [
            (all, FIRST_USERS, "PATH=/bin\0", Some(true)),
            (none, FIRST_USERS, "PATH=/bin\0", Some(false)),
            (all, "user:[4026532900]", "PATH=/bin\0", Some(false)),
            (none, FIRST_USERS, "PATH=/bin\0LD_PRELOAD=/lib/clock.so\0", None),
            ("x", FIRST_USERS, "", None),
        ];
        for (capabilities, users, environment, expected) in cases {
            let (_folder, host) = host(capabilities, users, environment);
            assert_eq!(host.may_set(932), expected, "{capabilities} {users} {environment:?}");
            assert_eq!((host.may_set(931), host.may_set(7)), (None, None), "no engine");
        }
    }
}
