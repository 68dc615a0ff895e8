// SPDX-License-Identifier: GPL-3.0-or-later

//! Who has a device open, as FreeBSD's fstat(1) tells it.

#[cfg(target_os = "freebsd")]
use std::path::Path;

#[cfg(target_os = "freebsd")]
use ansible_module::Tool;

use super::User;

/// A process that has a device open, as far as fstat shows it to this user.
#[cfg(target_os = "freebsd")]
pub fn process_with(path: &Path) -> Option<User> {
    // Where it cannot be asked, nobody is named; whether somebody has it open is known without it.
    let listed = Tool::find("fstat").ok()?.command().arg(path).output().ok()?;
    first(&listed.stdout)
}

/// Reads `fstat FILE`: a line for each open file, which begins with user, command and process id, after one of titles.
fn first(listed: &str) -> Option<User> {
    listed.lines().find_map(|line| {
        let [_user, command, pid, ..] = line.split_whitespace().collect::<Vec<_>>()[..] else { return None };
        let pid: u32 = pid.parse().ok()?;
        Some(User { who: format!("process {pid} ({command})"), is_udev: false })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As fstat(1) of FreeBSD 14 describes its columns.
    const HELD: &str = "\
USER     CMD          PID   FD MOUNT      INUM MODE         SZ|DV R/W NAME
root     bhyve      71204   12 /dev        143 crw-r-----  zvol/tank/vm/web1 rw  /dev/zvol/tank/vm/web1
";

    #[test]
    fn who_has_it_open_is_named() {
        assert_eq!(first(HELD).unwrap().who, "process 71204 (bhyve)");
        let titles = HELD.lines().next().unwrap();
        assert_eq!(first(titles), None);
        assert_eq!(first(""), None);
    }
}
