//! What one run tells the next: a small JSON file, mode 0600, replaced in one step under a lock.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ansible_module::files::{sweep_for, write_atomically};
use ansible_module::lock::Lock;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::judge::{Evidence, Judgement, Source, Verdict};
use crate::report::Sample;

/// Snapshots closer together than this are not worth keeping.
const SPACING: f64 = 120.0;

/// Snapshots kept: eight hours at the closest spacing.
const KEPT: usize = 240;

/// Restarts kept.
const RESTARTS: usize = 50;

/// A restarted daemon needs this long, in seconds, until it slews.
const SYNCING: f64 = 900.0;

/// Share of the clock error that a restart must have taken away to have helped.
const HELPED: f64 = 0.1;

/// Slew of the slowest kernels, in seconds per second.
const SLOWEST_SLEW: f64 = 500e-6;

/// A state file larger than this is not ours.
const LARGEST: u64 = 4 << 20;

/// Everything that is remembered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct State {
    /// Earlier looks at the clock, oldest first.
    pub history: Vec<Snapshot>,
    /// Rows as last seen, by peer.
    pub rows: BTreeMap<String, Row>,
    /// Unix seconds since which the daemon has been blocked without a break.
    pub blocked_since: Option<f64>,
    /// Restarts by this program, oldest first.
    pub restarts: Vec<Restart>,
}

/// The clock as one run saw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Unix seconds.
    pub at: f64,
    /// Process id of the daemon's engine.
    pub pid: Option<u32>,
    /// The daemon's claim.
    pub synced: Option<bool>,
    /// Seconds.
    pub clock_error: Option<f64>,
    /// Who said so, the daemon or direct probes; absent in what earlier versions left.
    #[serde(default)]
    pub error_source: Option<String>,
}

/// A peer's row and since when it has not moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The three numbers of the row.
    pub sample: Sample,
    /// Seconds of CLOCK_MONOTONIC.
    pub since: f64,
}

/// One restart of the daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Unix seconds.
    pub at: f64,
    /// Clock error just before, in seconds.
    pub error_before: Option<f64>,
    /// Whether it helped; absent until a later run has seen.
    pub helped: Option<bool>,
}

/// Where the platform keeps what programs remember.
pub fn default_path(os: &str) -> PathBuf {
    match os {
        "freebsd" | "openbsd" | "netbsd" | "dragonfly" => PathBuf::from("/var/db/ntpd_check/state.json"),
        _ => PathBuf::from("/var/lib/ntpd_check/state.json"),
    }
}

/// Locks the state for the rest of a run, making its folder if need be, and removes what dead runs left of it.
///
/// # Errors
/// Where the folder cannot be made or written, or another run holds the lock beyond `limit`.
pub fn lock(path: &Path, limit: Duration) -> Result<Lock> {
    let folder = path.parent().with_context(|| format!("{} names no file", path.display()))?;
    fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
    let lock = Lock::acquire(&path.with_extension("lock"), limit)?;
    sweep_for(path)?;
    Ok(lock)
}

/// Reads the state; no file yet is an empty one.
///
/// # Errors
/// Where the file cannot be read or is not ours: forgetting restarts would lift their limit.
pub fn load(path: &Path) -> Result<State> {
    let doing = || format!("reading what earlier runs left in {}", path.display());
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(State::default()),
        Err(error) => return Err(error).with_context(doing),
    };
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).with_context(doing)?;
    serde_json::from_str(&text).with_context(|| format!("{}; remove it to start afresh", doing()))
}

/// Replaces the file by `state`.
///
/// # Errors
/// Where its folder cannot be written.
pub fn save(path: &Path, state: &State) -> Result<()> {
    write_atomically(path, 0o600, serde_json::to_string(state)?.as_bytes())
}

impl State {
    /// Adds what this run saw.
    pub fn remember(&mut self, evidence: &Evidence, judgement: &Judgement) {
        let (now, pid) = (evidence.now, evidence.pid);
        // A clock that was set back makes what lies in its future worthless, but no restart is forgotten.
        self.history.retain(|seen| seen.at <= now);
        for restart in &mut self.restarts {
            restart.at = restart.at.min(now);
        }
        self.judge_restart(now, judgement);
        if self.history.last().is_none_or(|last| now - last.at >= SPACING) {
            let clock = &judgement.clock;
            let error_source = clock.error_source.map(str::to_owned);
            let (synced, clock_error) = (clock.synced, clock.clock_error);
            self.history.push(Snapshot { at: now, pid, synced, clock_error, error_source });
        }
        let surplus = self.history.len().saturating_sub(KEPT);
        self.history.drain(..surplus);
        match judgement.verdict {
            Verdict::Blocked => self.blocked_since = Some(self.blocked_since.unwrap_or(now).min(now)),
            Verdict::NotAnswering | Verdict::NoPermission | Verdict::NoTool | Verdict::ParseError => (),
            _ => self.blocked_since = None,
        }
        if let Source::Openntpd(report) = &evidence.source {
            let measured =
                report.peers.iter().filter_map(|peer| Some((peer.label().to_owned(), peer.sample?)));
            self.rows = measured
                .map(|(label, sample)| (label.clone(), self.row(&label, sample, evidence.ticks)))
                .collect();
        }
    }

    fn row(&self, label: &str, sample: Sample, ticks: f64) -> Row {
        match self.rows.get(label).filter(|row| row.sample.same_row(&sample)) {
            // It starts anew with the host.
            Some(row) => Row { sample, since: row.since.min(ticks) },
            None => Row { sample, since: ticks },
        }
    }

    /// The first run after a restart that can tell says whether it helped: a slew takes its time.
    fn judge_restart(&mut self, now: f64, judgement: &Judgement) {
        let Some(last) = self.restarts.last_mut().filter(|last| last.helped.is_none() && last.at < now)
        else {
            return;
        };
        last.helped = match judgement.verdict {
            Verdict::Blocked | Verdict::Stuck | Verdict::NoDaemon => Some(false),
            Verdict::Starting => None,
            _ => judgement.clock.clock_error.zip(last.error_before).and_then(|(after, before)| {
                let better = judgement.severity < crate::judge::Severity::Unknown
                    || after.abs() < (1.0 - HELPED) * before.abs();
                let visible = SYNCING + HELPED * before.abs() / SLOWEST_SLEW;
                (better || now - last.at > visible).then_some(better)
            }),
        };
    }

    /// Adds a restart that is about to happen.
    pub fn note_restart(&mut self, now: f64, error_before: Option<f64>) {
        self.restarts.push(Restart { at: now, error_before, helped: None });
        let surplus = self.restarts.len().saturating_sub(RESTARTS);
        self.restarts.drain(..surplus);
        self.blocked_since = None;
        self.rows.clear();
    }
}

#[cfg(test)]
mod tests;
