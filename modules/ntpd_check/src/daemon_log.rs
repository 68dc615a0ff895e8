// SPDX-License-Identifier: GPL-3.0-or-later

//! What the daemon itself has logged: why it does not follow a server, or cannot set the clock. Looked for only where
//! something is wrong, and where it may be read.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ansible_module::Tool;
use ansible_module::open::open_file;

use crate::daemon::Kind;
use crate::judgement::Judgement;
use crate::verdict::{Finding, Severity, Verdict};

/// Where syslog puts what daemons say: Debian, FreeBSD, OpenBSD, and where nothing is sorted.
const FILES: [&str; 4] = ["/var/log/daemon.log", "/var/log/daemon", "/var/log/syslog", "/var/log/messages"];

/// Where systemd keeps its journal.
const JOURNALS: [&str; 2] = ["/run/log/journal", "/var/log/journal"];

/// Only the end of a log is of interest.
const TAIL: u64 = 256 << 10;

/// A journal of many gigabytes is not waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Lines of the journal that are looked at.
const LINES: &str = "300";

/// Words that say that something failed, with what it means where the line does not say so.
const FAILURES: [(&str, &str); 10] = [
    ("adjtime failed", "the daemon may not set the clock"),
    ("adjtimex", "the daemon may not set the clock"),
    ("adjfreq failed", "the daemon may not set the clock"),
    ("settimeofday", "the daemon may not set the clock"),
    ("due to lack of replies", ""),
    ("Can't synchronise", ""),
    ("Could not resolve address", ""),
    ("no constraint reply", ""),
    ("constraint", ""),
    ("Unusually large clock step", ""),
];

/// What the log says, in the daemon's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The last word about each server that is not followed, by its address.
    pub servers: BTreeMap<String, String>,
    /// Failures of other kinds, the last of each, with what they mean.
    pub failures: Vec<String>,
}

/// What the daemon has logged since its last start; nothing where no log can be read.
pub fn read(kind: Kind, file: Option<&Path>) -> Said {
    let program = match kind {
        Kind::Openntpd | Kind::Ntp => "ntpd",
        Kind::Chrony => "chronyd",
        Kind::NtpdRs => "ntp-daemon",
        Kind::Timesyncd => "systemd-timesyncd",
    };
    let files: Vec<PathBuf> = match file {
        Some(file) => vec![file.to_owned()],
        None => FILES.iter().map(PathBuf::from).collect(),
    };
    let logged = files.iter().filter_map(|file| tail(file)).map(|text| of_program(&text, program));
    let lines = logged.into_iter().find(|lines| !lines.is_empty()).or_else(|| match file {
        Some(_) => None,
        None => journal(program),
    });
    said(&lines.unwrap_or_default())
}

fn tail(path: &Path) -> Option<String> {
    // A pipe in its place would keep the check waiting.
    let mut file = open_file(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn journal(program: &str) -> Option<Vec<String>> {
    // Where no journal is kept, nobody is asked for it.
    if !JOURNALS.iter().any(|folder| Path::new(folder).is_dir()) {
        return None;
    }
    let args = ["--no-pager", "--quiet", "--output=cat", "--lines", LINES, "--identifier", program];
    let tool = Tool::find("journalctl").ok()?;
    let shown = tool
        .command()
        .args(args)
        .time_limit(PATIENCE)
        .output()
        .ok()
        .filter(|shown| shown.status.success())?;
    Some(shown.stdout.lines().map(str::to_owned).collect())
}

/// The messages of one program: `DATE HOST ntpd[932]: MESSAGE`.
fn of_program(text: &str, program: &str) -> Vec<String> {
    let message = |line: &str| {
        let (head, message) = line.split_once(": ")?;
        let word = head.rsplit(' ').next()?;
        let name = word.split('[').next()?;
        (name == program).then(|| message.to_owned())
    };
    text.lines().filter_map(message).collect()
}

/// Takes apart what was said since the last start.
fn said(lines: &[String]) -> Said {
    let start = lines
        .iter()
        .rposition(|line| line.starts_with("ntp engine ready") || line.contains("chronyd version"));
    let mut said = Said::default();
    let mut failures: BTreeMap<&str, String> = BTreeMap::new();
    for line in lines.iter().skip(start.map_or(0, |at| at + 1)) {
        if let Some((server, what)) = of_server(line) {
            match what {
                Some(what) => said.servers.insert(server.to_owned(), what.to_owned()),
                None => said.servers.remove(server),
            };
        } else if let Some((word, meaning)) = FAILURES.iter().find(|(word, _)| line.contains(word)) {
            let text = if meaning.is_empty() { line.clone() } else { format!("{line}: {meaning}") };
            failures.insert(word, text);
        }
    }
    // What one setting of the clock brings to light is told once.
    said.failures = failures.into_values().collect();
    said
}

/// A server and what is wrong with it; nothing where all is well again.
fn of_server(line: &str) -> Option<(&str, Option<&str>)> {
    if let Some((server, what)) = line.strip_prefix("reply from ").and_then(|rest| rest.split_once(": ")) {
        return Some((server, Some(what).filter(|what| !what.starts_with("offset "))));
    }
    if let Some(rest) = line.strip_prefix("peer ") {
        let (server, what) = rest.split_once(' ')?;
        return match what {
            "now valid" => Some((server, None)),
            "now invalid" => Some((server, Some("now invalid"))),
            _ => None,
        };
    }
    for call in ["recvmsg ", "recvfrom ", "sendto ", "write to "] {
        if let Some((server, what)) = line.strip_prefix(call).and_then(|rest| rest.split_once(": ")) {
            return Some((server, Some(what)));
        }
    }
    None
}

impl Judgement {
    /// Adds what the daemon's log says of it, next to what it explains; it makes nothing worse.
    pub fn explain(&mut self, said: &Said) {
        if self.verdict == Verdict::Ok {
            return;
        }
        let mut told = Vec::new();
        for (server, what) in &said.servers {
            let blocks = self.blocking_peers.contains(server);
            let verdict = if blocks { Verdict::Blocked } else { Verdict::Ok };
            let text = format!("the daemon's log says of {server}: {what}");
            told.push(Finding::new(verdict, Severity::Ok, text));
        }
        let failures = said.failures.iter();
        told.extend(
            failures.map(|line| {
                Finding::new(self.verdict, Severity::Ok, format!("the daemon's log says: {line}"))
            }),
        );
        if !told.is_empty() {
            self.findings.extend(told);
            self.conclude();
        }
    }
}

#[cfg(test)]
mod tests;
