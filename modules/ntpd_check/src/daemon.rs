// SPDX-License-Identifier: GPL-3.0-or-later

//! The running daemon as the system shows it: process, drift file, configuration, service. Looks, never touches.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ansible_module::Tool;
use anyhow::{Context, Result, bail};

/// Title of OpenNTPD's second process, in every version and on every system.
const OPENNTPD: &str = "ntpd: ntp engine";

/// Where OpenNTPD keeps its frequency: BSD, Debian 7.9, Debian 6.2, other Linux.
const DRIFT_FILES: [&str; 4] = [
    "/var/db/ntpd.drift",
    "/var/lib/openntpd/ntpd.drift",
    "/var/lib/openntpd/db/ntpd.drift",
    "/var/lib/ntp/ntpd.drift",
];

/// Where OpenNTPD's configuration stands: Debian, FreeBSD's port, OpenBSD.
const CONFIG_FILES: [&str; 3] = ["/etc/openntpd/ntpd.conf", "/usr/local/etc/ntpd.conf", "/etc/ntpd.conf"];

/// Neither a drift file nor a configuration is larger.
const LARGEST: u64 = 1 << 20;

/// One process of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Seconds since its start.
    pub uptime: u64,
}

/// Which daemon's process is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// OpenNTPD's engine.
    Openntpd,
    /// chronyd itself.
    Chrony,
}

/// Finds the daemon's process with ps(1), which Linux, FreeBSD and OpenBSD have in common.
///
/// # Errors
/// Where ps cannot be run; no such process is `None`.
pub fn process(kind: Kind, limit: Duration) -> Result<Option<Process>> {
    let args = ["-A", "-o", "pid=", "-o", "etime=", "-o", "args="];
    let listed = Tool::find("ps")?.command().args(args).time_limit(limit).run()?;
    find(&listed.stdout, kind)
}

fn find(listed: &str, kind: Kind) -> Result<Option<Process>> {
    for line in listed.lines() {
        let mut words = line.split_whitespace();
        let (Some(pid), Some(age)) = (words.next(), words.next()) else { continue };
        let title = words.collect::<Vec<_>>().join(" ");
        let program = title.split(' ').next().unwrap_or_default();
        let wanted = match kind {
            Kind::Openntpd => title.starts_with(OPENNTPD),
            Kind::Chrony => program.rsplit('/').next() == Some("chronyd"),
        };
        if wanted {
            let doing = || format!("reading the line {line:?} of ps");
            let pid = pid.parse().with_context(doing)?;
            return Ok(Some(Process { pid, uptime: elapsed(age).with_context(doing)? }));
        }
    }
    Ok(None)
}

/// `[[days-]hours:]minutes:seconds`.
fn elapsed(text: &str) -> Result<u64> {
    let (days, clock) = text.split_once('-').unwrap_or(("0", text));
    let mut seconds: u64 = 0;
    for part in clock.split(':') {
        let part: u64 = part.parse().with_context(|| format!("{text:?} is not an elapsed time"))?;
        seconds = seconds.saturating_mul(60).saturating_add(part);
    }
    let days: u64 = days.parse().with_context(|| format!("{text:?} is not an elapsed time"))?;
    Ok(seconds.saturating_add(days.saturating_mul(86400)))
}

/// The frequency OpenNTPD remembers, in parts per million; `None` if there is no such file or it is still empty.
///
/// # Errors
/// Where the file cannot be read or holds no number.
pub fn drift(file: Option<&Path>) -> Result<Option<f64>> {
    let Some((path, text)) = first(file, &DRIFT_FILES)? else { return Ok(None) };
    if text.trim().is_empty() {
        return Ok(None);
    }
    let value: f64 = text.trim().parse().ok().filter(|value: &f64| value.is_finite()).with_context(|| {
        format!("reading the drift file {}: expected a number, found {:?}", path.display(), text.trim())
    })?;
    Ok(Some(value))
}

/// The `listen on` lines of ntpd.conf: this host serves time to others.
///
/// # Errors
/// Where the file is there but cannot be read.
pub fn listens(file: Option<&Path>) -> Result<Vec<String>> {
    let Some((_, text)) = first(file, &CONFIG_FILES)? else { return Ok(Vec::new()) };
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
    let addresses = words.filter_map(|words| match words[..] {
        ["listen", "on", address, ..] => Some(address.to_owned()),
        _ => None,
    });
    Ok(addresses.collect())
}

/// The named file, which must be there, or the first of the usual ones that is.
fn first(file: Option<&Path>, usual: &[&str]) -> Result<Option<(PathBuf, String)>> {
    let places: Vec<PathBuf> = match file {
        Some(path) => vec![path.to_owned()],
        None => usual.iter().map(PathBuf::from).filter(|path| path.exists()).collect(),
    };
    let Some(path) = places.into_iter().next() else { return Ok(None) };
    let text = read(&path, LARGEST)?;
    Ok(Some((path, text)))
}

/// Reads a text file of at most `largest` bytes; bytes that are not text are replaced.
///
/// # Errors
/// Where it cannot be read or is larger.
pub fn read(path: &Path, largest: u64) -> Result<String> {
    Ok(String::from_utf8_lossy(&read_bytes(path, largest)?).into_owned())
}

/// Reads a file, or standard input, of at most `largest` bytes.
///
/// # Errors
/// Where it cannot be read or is larger.
pub fn read_bytes(path: &Path, largest: u64) -> Result<Vec<u8>> {
    let doing = || format!("reading {}", path.display());
    let mut bytes = Vec::new();
    // Under sshd standard input is a socket, which cannot be opened by its name.
    let file: Box<dyn Read> = if path == Path::new("/dev/stdin") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(fs::File::open(path).with_context(doing)?)
    };
    file.take(largest + 1).read_to_end(&mut bytes).with_context(doing)?;
    if bytes.len() as u64 > largest {
        bail!("{}: expected at most {largest} bytes, found more", doing());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ps -A -o pid= -o etime= -o args=` of procps 4.0.2 beside a running OpenNTPD 6.2p3.
    const LINUX: &str = "      1    03:14:15 /sbin/init
    931 2-00:00:07 /usr/sbin/ntpd -f /etc/openntpd/ntpd.conf
    932 2-00:00:07 ntpd: ntp engine
    933 2-00:00:07 ntpd: dns engine
";

    #[test]
    fn the_engine_is_found_with_its_age() {
        let found = find(LINUX, Kind::Openntpd).unwrap();
        assert_eq!(found, Some(Process { pid: 932, uptime: 172_807 }));
        assert_eq!(find(LINUX, Kind::Chrony).unwrap(), None);
        let chrony = find(" 77 05 /usr/sbin/chronyd -F 1\n", Kind::Chrony).unwrap();
        assert_eq!(chrony, Some(Process { pid: 77, uptime: 5 }));
        let error = find("77 x ntpd: ntp engine\n", Kind::Openntpd).unwrap_err();
        assert!(format!("{error:#}").contains("\"x\" is not an elapsed time"), "{error:#}");
    }

    #[test]
    fn drift_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ntpd.drift");
        for (text, expected) in [("-12.345\n", Some(-12.345)), ("", None), ("\n", None)] {
            fs::write(&path, text).unwrap();
            assert_eq!(drift(Some(&path)).unwrap(), expected, "{text:?}");
        }
        for text in ["nan", "fast", "1 2"] {
            fs::write(&path, text).unwrap();
            let expected =
                format!("reading the drift file {}: expected a number, found {text:?}", path.display());
            assert_eq!(format!("{:#}", drift(Some(&path)).unwrap_err()), expected);
        }
    }

    #[test]
    fn listening_hosts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ntpd.conf");
        fs::write(&path, "# listen on *\nlisten on 127.0.0.1\n listen on ::1 rtable 4\nserver a\n").unwrap();
        assert_eq!(listens(Some(&path)).unwrap(), ["127.0.0.1", "::1"]);
    }
}
