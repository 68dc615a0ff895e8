// SPDX-License-Identifier: GPL-3.0-or-later

//! The running daemon as the system shows it: process, drift file, configuration, service. Looks, never touches.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ansible_module::Tool;
use ansible_module::open::open_file;
use anyhow::{Context, Result, bail};

use crate::host::Host;

/// Title of OpenNTPD's second process, in every version and on every system.
pub const OPENNTPD: &str = "ntpd: ntp engine";

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
    /// systemd-timesyncd.
    Timesyncd,
    /// ntpd-rs.
    NtpdRs,
    /// The ntpd of NTP's reference implementation, of FreeBSD's base system, or ntpsec.
    Ntp,
}

/// What ps(1) shows of those who keep the time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Processes {
    /// The daemon that is looked for.
    pub daemon: Option<Process>,
    /// Others that set the clock, too.
    pub rivals: Vec<String>,
}

/// What OpenNTPD's first process is called, and the daemon of the reference implementation.
const NTPD: &str = "ntpd";

/// Programs that set clocks whatever they are told, besides ntpd.
const SETTERS: [&str; 3] = ["systemd-timesyncd", "ntp-daemon", "timed"];

/// Looks with ps(1), which Linux, FreeBSD and OpenBSD have in common.
///
/// # Errors
/// Where ps cannot be run; no such process is `None`.
pub fn processes(kind: Kind, limit: Duration) -> Result<Processes> {
    let args = ["-A", "-o", "pid=", "-o", "etime=", "-o", "args="];
    let listed = Tool::find("ps")?.command().args(args).time_limit(limit).run()?;
    find(&listed.stdout, kind, &Host::default())
}

/// One line of ps.
struct Line<'a> {
    pid: u32,
    age: &'a str,
    title: String,
    shown: &'a str,
}

impl<'a> Line<'a> {
    fn read(shown: &'a str) -> Option<Self> {
        let mut words = shown.split_whitespace();
        let (pid, age) = (words.next()?.parse().ok()?, words.next()?);
        Some(Self { pid, age, title: words.collect::<Vec<_>>().join(" "), shown })
    }

    fn program(&self) -> &str {
        let program = self.title.split(' ').next().unwrap_or_default();
        program.rsplit('/').next().unwrap_or_default()
    }

    fn is(&self, kind: Kind) -> bool {
        match kind {
            Kind::Openntpd => self.title.starts_with(OPENNTPD),
            Kind::Chrony => self.program() == "chronyd",
            Kind::Ntp => self.program() == NTPD,
            Kind::NtpdRs => self.program() == "ntp-daemon",
            Kind::Timesyncd => self.program() == "systemd-timesyncd",
        }
    }

    /// With -x chronyd looks, and touches nothing; phc2sys may set the clock of a network card by this one.
    fn sets(&self) -> bool {
        let has = |flag: &str| self.title.split(' ').any(|word| word == flag);
        match self.program() {
            "chronyd" => !has("-x"),
            "phc2sys" => match self.title.split_once(" -c") {
                Some((_, clock)) => clock.trim_start().starts_with("CLOCK_REALTIME"),
                None => !has("-a") || has("-r"),
            },
            program => SETTERS.contains(&program),
        }
    }
}

fn find(listed: &str, kind: Kind, host: &Host) -> Result<Processes> {
    let lines: Vec<Line<'_>> = listed.lines().filter_map(Line::read).collect();
    // Of a host's hundreds of processes a few are of interest, and only these are asked where they live.
    let keeps_time = |line: &&Line<'_>| line.is(kind) || line.sets() || line.program() == NTPD;
    let here: Vec<&Line<'_>> =
        lines.iter().filter(keeps_time).filter(|line| host.is_here(line.pid)).collect();
    let ours = here.iter().find(|line| line.is(kind));
    let daemon = ours
        .map(|line| {
            let doing = || format!("reading the line {:?} of ps", line.shown);
            Ok::<_, anyhow::Error>(Process { pid: line.pid, uptime: elapsed(line.age).with_context(doing)? })
        })
        .transpose()?;
    let named = |line: &Line<'_>| format!("{} (process {})", line.program(), line.pid);
    let setters = here.iter().filter(|line| line.sets() && !line.is(kind));
    let mut rivals: Vec<String> = setters.map(|line| named(line)).collect();
    // One is OpenNTPD's own; its engines have other titles.
    let plain: Vec<_> = here.iter().filter(|line| line.program() == NTPD).collect();
    let own = usize::from(matches!(kind, Kind::Openntpd | Kind::Ntp));
    if plain.len() > own {
        rivals.extend(plain.into_iter().map(|line| named(line)));
    }
    let rivals = if daemon.is_some() { rivals } else { Vec::new() };
    Ok(Processes { daemon, rivals })
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
/// Where it cannot be read, is no file, or is larger.
pub fn read(path: &Path, largest: u64) -> Result<String> {
    Ok(String::from_utf8_lossy(&read_from(open_file(path)?, path, largest)?).into_owned())
}

/// Reads a file, a pipe or standard input, of at most `largest` bytes: what a person hands over.
///
/// # Errors
/// Where it cannot be read or is larger.
pub fn read_pasted(path: &Path, largest: u64) -> Result<Vec<u8>> {
    // Under sshd standard input is a socket, which cannot be opened by its name.
    if path == Path::new("/dev/stdin") {
        return read_from(io::stdin().lock(), path, largest);
    }
    let file = fs::File::open(path).with_context(|| format!("reading {}", path.display()))?;
    read_from(file, path, largest)
}

fn read_from(file: impl Read, path: &Path, largest: u64) -> Result<Vec<u8>> {
    let doing = || format!("reading {}", path.display());
    let mut bytes = Vec::new();
    file.take(largest + 1).read_to_end(&mut bytes).with_context(doing)?;
    if bytes.len() as u64 > largest {
        bail!("{}: expected at most {largest} bytes, found more", doing());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
