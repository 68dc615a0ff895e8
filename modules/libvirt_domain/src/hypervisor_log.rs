// SPDX-License-Identifier: GPL-3.0-or-later

//! What a domain's hypervisor wrote: libvirt keeps a log for each domain. Reads only.

use std::env;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::last_lines::{TAIL, last_lines};
use crate::names::{ConnectUri, DomainName};

/// The last lines of a domain's log, or why there are none, in the words of an error.
pub(crate) fn quoted(uri: &ConnectUri, name: &DomainName) -> String {
    let Some(folder) = folder(uri, &user_cache()) else {
        return format!("its hypervisor's log was not read, because {uri} does not tell where that is");
    };
    quoted_from(&folder.join(format!("{name}.log")))
}

fn quoted_from(path: &Path) -> String {
    match end_of(path) {
        Ok(text) => format!("last lines of {}: {}", path.display(), last_lines(after_command(&text))),
        Err(error) => format!("its hypervisor's log {} cannot be read: {error}", path.display()),
    }
}

/// Where libvirt keeps the logs of a driver's domains: `LOCALSTATEDIR/log` is the same in Debian's package and FreeBSD's port.
/// A daemon with a socket elsewhere has its logs elsewhere, too.
fn folder(uri: &ConnectUri, user_cache: &Path) -> Option<PathBuf> {
    let usual_socket = uri.socket().is_none_or(|socket| {
        ["/run/libvirt", "/var/run/libvirt"].iter().any(|folder| Path::new(socket).starts_with(folder))
    });
    match (uri.driver(), uri.path()) {
        _ if !uri.is_this_machine() || !usual_socket => None,
        (driver @ ("bhyve" | "qemu"), "/system") => Some(Path::new("/var/log/libvirt").join(driver)),
        ("qemu", "/session") => Some(user_cache.join("libvirt/qemu/log")),
        _ => None,
    }
}

fn user_cache() -> PathBuf {
    let given = env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty());
    given.map_or_else(|| PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache"), PathBuf::from)
}

/// Its end, from the beginning of a line.
fn end_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let skipped = file.metadata()?.len().saturating_sub(TAIL as u64);
    file.seek(SeekFrom::Start(skipped))?;
    let mut end = Vec::new();
    file.take(TAIL as u64).read_to_end(&mut end)?;
    let text = String::from_utf8_lossy(&end).into_owned();
    let whole = if skipped == 0 { Some(text.as_str()) } else { text.split_once('\n').map(|(_, rest)| rest) };
    Ok(whole.unwrap_or_default().to_owned())
}

/// What was written since the hypervisor's command line, which is long and may hold passwords. That of qemu has a line for
/// each argument, all but the last with a backslash at the end; that of bhyve is one line.
fn after_command(text: &str) -> impl Iterator<Item = &str> {
    let lines: Vec<&str> = text.lines().collect();
    let command = lines.iter().rposition(|line| line.ends_with(" \\") || line.starts_with('/'));
    let first = command.map_or(0, |at| if lines[at].ends_with(" \\") { at + 2 } else { at + 1 });
    lines.into_iter().skip(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn uri(text: &str) -> ConnectUri {
        ConnectUri::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn the_log_is_where_libvirt_keeps_it() {
        let cases = [
            ("bhyve:///system", Some("/var/log/libvirt/bhyve")),
            ("qemu+unix:///system", Some("/var/log/libvirt/qemu")),
            ("qemu:///session", Some("/home/ada/.cache/libvirt/qemu/log")),
            ("qemu+unix:///system?socket=/srv/own/sock", None),
            (
                "qemu+unix:///system?mode=direct&socket=/run/libvirt/virtqemud-sock",
                Some("/var/log/libvirt/qemu"),
            ),
            ("qemu+ssh://hv1.example.org/system", None),
            ("test:///default", None),
        ];
        for (text, expected) in cases {
            assert_eq!(
                folder(&uri(text), Path::new("/home/ada/.cache")),
                expected.map(PathBuf::from),
                "{text}"
            );
        }
        let name = DomainName::try_from("web1".to_owned()).unwrap();
        assert_eq!(
            quoted(&uri("test:///default"), &name),
            "its hypervisor's log was not read, because test:///default does not tell where that is"
        );
    }

    #[test]
    fn no_command_line_is_shown() {
        let qemu = "2026-11-27 10:00:00.000+0000: starting up libvirt version: 11.3.0\nPATH=/bin \\\n/usr/bin/qemu \\\n\
                    -msg timestamp=on\nqemu: bad luck\n";
        let bhyve =
            "/usr/sbin/bhyve -s 5,fbuf,password=s3cret web1\n/usr/sbin/bhyveload web1\nfbuf: bad luck\n";
        let quiet = "/usr/sbin/bhyve web1\n";
        let unfinished = "/usr/bin/qemu \\\n-name web1 \\\n";
        for (text, expected) in [
            (qemu, "qemu: bad luck"),
            (bhyve, "fbuf: bad luck"),
            (quiet, "none"),
            (unfinished, "none"),
            ("", "none"),
        ] {
            assert_eq!(last_lines(after_command(text)), expected);
        }
    }

    #[test]
    fn the_end_of_a_long_log_begins_with_a_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web1.log");
        fs::write(&path, format!("/usr/sbin/bhyve password={}\nbad luck\n", "s".repeat(TAIL))).unwrap();
        assert_eq!(end_of(&path).unwrap(), "bad luck\n");
        fs::write(&path, "s".repeat(2 * TAIL)).unwrap();
        assert_eq!(end_of(&path).unwrap(), "");
        fs::write(&path, "bad luck").unwrap();
        assert_eq!(end_of(&path).unwrap(), "bad luck");
    }

    #[test]
    fn a_log_that_is_not_there_is_told() {
        assert_eq!(
            quoted_from(Path::new("/nowhere/web1.log")),
            "its hypervisor's log /nowhere/web1.log cannot be read: No such file or directory (os error 2)"
        );
    }
}
