// SPDX-License-Identifier: GPL-3.0-or-later

//! What a time daemon says about itself, in one form for every version. Times are seconds, never milliseconds.

use serde::{Deserialize, Serialize};

/// Trust level from which OpenNTPD counts a peer as valid (`TRUSTLEVEL_BADPEER`, all versions).
pub const TRUST_VALID: u32 = 6;

/// Everything one call of `ntpctl -s` printed.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Absent when only peers or only sensors were asked for.
    pub status: Option<Status>,
    /// One entry per row, unresolved servers included.
    pub peers: Vec<Peer>,
    /// Hardware clocks (`sensor` in ntpd.conf).
    pub sensors: Vec<Sensor>,
    /// What a paste is known to lack, one sentence each; what the daemon itself says is whole.
    #[serde(skip)]
    pub gaps: Vec<String>,
}

/// What the first line of ntpctl says.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Status {
    /// `V/N peers valid`, absent when no peer is configured.
    pub peers: Option<Count>,
    /// `V/N sensors valid`, absent when no sensor is configured.
    pub sensors: Option<Count>,
    /// What the HTTPS constraints say.
    pub constraint: Option<Constraint>,
    /// The daemon's own claim.
    pub synced: bool,
    /// Only a synced daemon states it.
    pub stratum: Option<u32>,
    /// Rest of the running slew in seconds (`clock offset is`); absent means none was reported.
    pub pending: Option<f64>,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Those that count as valid.
    pub valid: u32,
    /// All that are configured.
    pub total: u32,
}

/// HTTPS constraints as the status line shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// Median distance to the constraints in whole seconds, and how many of them failed.
    Offset {
        /// Signed whole seconds.
        seconds: i64,
        /// Constraints that could not be asked.
        errors: u32,
    },
    /// `constraints configured but none available`: such a daemon (6.7 and later) never asks a peer.
    Unavailable,
}

/// One row of the peer table.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Peer {
    /// Numeric address; absent for a name that was never resolved.
    pub address: Option<String>,
    /// Name from ntpd.conf, if the server is not configured by address.
    pub name: Option<String>,
    /// Whether the name is a `servers` (pool) entry.
    pub pool: bool,
    /// The source the daemon last followed (`*`).
    pub selected: bool,
    /// Configured weight.
    pub weight: u32,
    /// 2 at the start, +1 per good reply, at most 10; valid from 6.
    pub trust: u32,
    /// Absent if the server never answered.
    pub stratum: Option<u32>,
    /// Seconds until the next query.
    pub next: i64,
    /// Seconds between queries.
    pub poll: i64,
    /// Absent on a row that is not valid.
    pub sample: Option<Sample>,
    /// What to call a row of a paste that has lost its address.
    #[serde(skip)]
    pub stand_in: Option<String>,
}

/// The measured part of a valid row, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Server minus local clock.
    pub offset: f64,
    /// Round trip.
    pub delay: f64,
    /// Spread of the round trips.
    pub jitter: f64,
}

/// One row of the sensor table.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Sensor {
    /// Device name.
    pub device: String,
    /// Reference id it announces.
    pub refid: String,
    /// Whether the daemon follows it.
    pub selected: bool,
    /// Configured weight.
    pub weight: u32,
    /// Whether its readings are good (`gd`).
    pub good: u32,
    /// Announced stratum.
    pub stratum: u32,
    /// Seconds until it is read again.
    pub next: i64,
    /// Seconds between readings.
    pub poll: i64,
    /// Offset in seconds, absent on a row that is not valid.
    pub offset: Option<f64>,
    /// Configured correction in seconds, absent on a row that is not valid.
    pub correction: Option<f64>,
}

/// Interval after an error (`error_interval()`: 3000 s and up to 10 % more). Ordinary polls end at 1650 s and timeouts at 300 s, so
/// nothing else reaches it.
pub const ERROR_POLL: i64 = 3000;

impl Report {
    /// The longest ordinary poll among the peers that are waited for.
    pub fn slowest_poll(&self) -> Option<i64> {
        self.peers.iter().filter(|peer| peer.counts() && peer.poll < ERROR_POLL).map(|peer| peer.poll).max()
    }
}

impl Peer {
    /// Whether the daemon waits for this peer's next good reply before it adjusts anything.
    pub fn counts(&self) -> bool {
        self.trust >= TRUST_VALID
    }

    /// How people name it: address, else its place in a paste, else the unresolved name.
    pub fn label(&self) -> &str {
        let known = self.address.as_deref().or(self.stand_in.as_deref());
        known.or(self.name.as_deref()).unwrap_or("?")
    }

    /// Whether the daemon has an address for it.
    pub fn is_resolved(&self) -> bool {
        self.address.is_some() || self.stand_in.is_some()
    }
}

impl Sample {
    /// Whether this is the same row: ntpctl shows microseconds, so anything less is a rounding of ours.
    pub fn same_row(&self, other: &Self) -> bool {
        let near = |a: f64, b: f64| (a - b).abs() < 5e-7;
        near(self.offset, other.offset) && near(self.delay, other.delay) && near(self.jitter, other.jitter)
    }
}
