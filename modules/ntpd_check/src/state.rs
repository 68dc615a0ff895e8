// SPDX-License-Identifier: GPL-3.0-or-later

//! What one run tells the next: a small JSON file, mode 0600, replaced in one step under a lock.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ansible_module::files::{if_there, sweep_for, write_atomically};
use ansible_module::lock::Lock;
use ansible_module::open::open_file;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::judgement::ErrorSource;
use crate::moment::{LONGEST_GAP, Moment};
use crate::report::Sample;

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
    /// Seconds in which it was watched being blocked: without suspends, pauses and gaps between looks.
    pub blocked_for: f64,
    /// Seconds in which it was watched being stuck, from the look on that said so first.
    pub stuck_for: Option<f64>,
    /// The last look.
    pub looked: Option<Moment>,
    /// Restarts by this program, oldest first.
    pub restarts: Vec<Restart>,
}

/// Looks from which on it is known how often this host is looked at.
const USUAL_LOOKS: usize = 5;

/// Part of the usual gap between looks, the shortest gap for which that matters: a machine that pauses shows in nothing else.
const UNUSUAL: f64 = 2.5;
const SHORT_GAP: f64 = 600.0;

impl State {
    /// The longest gap between two looks through which this host was watched.
    pub fn longest_gap(&self) -> f64 {
        let mut gaps: Vec<f64> = self.history.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
        if gaps.len() + 1 < USUAL_LOOKS {
            return LONGEST_GAP;
        }
        gaps.sort_by(f64::total_cmp);
        let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(LONGEST_GAP);
        (UNUSUAL * usual).clamp(SHORT_GAP, LONGEST_GAP)
    }
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
    pub error_source: Option<ErrorSource>,
    /// CLOCK_MONOTONIC; this and what follows is absent in what earlier versions left.
    #[serde(default)]
    pub ticks: Option<f64>,
    /// CLOCK_BOOTTIME.
    #[serde(default)]
    pub boot: Option<f64>,
    /// Seconds since the start of the daemon.
    #[serde(default)]
    pub uptime: Option<f64>,
    /// The longest ordinary poll among its valid peers.
    #[serde(default)]
    pub poll: Option<i64>,
}

impl Snapshot {
    /// When it was.
    pub fn moment(&self) -> Moment {
        Moment { at: self.at, ticks: self.ticks, boot: self.boot }
    }
}

/// A peer's row and since when it has not moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The three numbers of the row.
    pub sample: Sample,
    /// Seconds of CLOCK_MONOTONIC.
    pub since: f64,
    /// Seconds in which it was watched without moving.
    #[serde(default)]
    pub watched: f64,
    /// Looks at which other rows had moved and this one had not.
    #[serde(default)]
    pub passed: u32,
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
    /// CLOCK_MONOTONIC; absent in what earlier versions left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticks: Option<f64>,
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
    if if_there(fs::symlink_metadata(path)).with_context(doing)?.is_none() {
        return Ok(State::default());
    }
    let file = open_file(path).with_context(doing)?;
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_file_is_private_whole_and_ours() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/state.json");
        assert_eq!(load(&path).unwrap(), State::default());
        drop(lock(&path, Duration::ZERO).unwrap());
        let left = path.with_file_name(".new-abcdef-state.json");
        fs::write(&left, "half a state").unwrap();
        let held = lock(&path, Duration::ZERO).unwrap();
        assert!(!left.exists());
        assert!(lock(&path, Duration::ZERO).is_err());
        let state = State {
            restarts: vec![Restart { at: 1000.0, error_before: Some(-0.984_784), helped: None, ticks: None }],
            ..State::default()
        };
        save(&path, &state).unwrap();
        drop(held);
        assert_eq!(load(&path).unwrap(), state);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for damage in ["{", "{\"restarts\": 7}", "{\"unknown\": []}", "\u{0}"] {
            fs::write(&path, damage).unwrap();
            let error = format!("{:#}", load(&path).unwrap_err());
            let start =
                format!("reading what earlier runs left in {}; remove it to start afresh: ", path.display());
            assert!(error.starts_with(&start), "{error}");
        }
    }
}
