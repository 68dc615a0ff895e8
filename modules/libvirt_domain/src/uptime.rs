// SPDX-License-Identifier: GPL-3.0-or-later

//! For how long guests have been running: libvirt does not tell, the age of their processes does. Reads only.

use std::cell::OnceCell;

use ansible_module::Tool;
use uuid::Uuid;

use crate::names::ConnectUri;

/// The processes of this machine, looked up when they are first asked for.
pub(crate) struct Processes {
    is_here: bool,
    lines: OnceCell<String>,
}

impl Processes {
    /// Those of a hypervisor: none are known where it is another machine.
    pub(crate) fn of(uri: &ConnectUri) -> Processes {
        Processes { is_here: uri.is_this_machine(), lines: OnceCell::new() }
    }

    /// Seconds since a guest's process was started. Where two daemons have one such guest each, it is not known which is whose.
    pub(crate) fn uptime(&self, name: &str, uuid: Uuid) -> Option<u64> {
        let lines = self.lines.get_or_init(|| if self.is_here { listed() } else { String::new() });
        let mut ages = lines.lines().filter_map(|line| age(line, name, uuid));
        ages.next().filter(|_| ages.next().is_none())
    }
}

/// Age and command of every process. A ps(1) that does not know these words, as that of busybox, tells nothing.
fn listed() -> String {
    let options = ["-axww", "-o", "etimes=", "-o", "command="];
    let listed = Tool::find("ps").and_then(|ps| ps.command().args(options).output());
    listed.ok().filter(|listed| listed.status.success()).map(|listed| listed.stdout).unwrap_or_default()
}

/// The age in this line, if it is the guest's: bhyve bears its name as a title, qemu was given its UUID.
fn age(line: &str, name: &str, uuid: Uuid) -> Option<u64> {
    let (age, command) = line.trim_start().split_once(' ')?;
    let title = command.trim().strip_prefix("bhyve: ");
    let is_bhyve = title.is_some_and(|title| title.strip_suffix(" (bhyve)").unwrap_or(title) == name);
    let words = || command.split_ascii_whitespace();
    let is_qemu = || words().zip(words().skip(1)).any(|pair| pair == ("-uuid", &uuid.to_string()));
    (is_bhyve || is_qemu()).then(|| age.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_is_known_by_its_title_or_uuid() {
        let uuid = Uuid::from_u128(7);
        // ps -axww -o etimes= -o command= (procps 4.0.2; FreeBSD puts the program's name after a title).
        for (line, expected) in [
            ("   4711 bhyve: web1", Some(4711)),
            ("4711 bhyve: web1 (bhyve)", Some(4711)),
            ("4711 bhyve: web10 (bhyve)", None),
            (
                "     12 /usr/bin/qemu-system-x86_64 -name guest=x -uuid 00000000-0000-0000-0000-000000000007 -nodefaults",
                Some(12),
            ),
            ("     12 /usr/bin/qemu-system-x86_64 -uuid 00000000-0000-0000-0000-000000000008", None),
            ("     12 grep 00000000-0000-0000-0000-000000000007", None),
            ("", None),
        ] {
            assert_eq!(age(line, "web1", uuid), expected, "{line}");
        }
    }

    #[test]
    fn this_machine_is_asked_and_no_other() {
        assert!(
            listed().lines().any(|line| line
                .split_ascii_whitespace()
                .next()
                .is_some_and(|age| age.parse::<u64>().is_ok()))
        );
        let elsewhere = Processes { is_here: false, lines: OnceCell::new() };
        assert_eq!(elsewhere.uptime("web1", Uuid::nil()), None);
    }

    #[test]
    fn one_of_two_is_nobodys() {
        let one = "5 bhyve: web1\n6 bhyve: web2\n";
        for (lines, expected) in [(one.to_owned(), Some(5)), (format!("{one}7 bhyve: web1\n"), None)] {
            let processes = Processes { is_here: true, lines: OnceCell::from(lines) };
            assert_eq!(processes.uptime("web1", Uuid::nil()), expected);
        }
    }
}
