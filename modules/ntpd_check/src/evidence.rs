// SPDX-License-Identifier: GPL-3.0-or-later

//! What one run found out, before any opinion.

use crate::chrony::ChronyReport;
use crate::failure::Failure;
use crate::leap::LeapTable;
use crate::moment::Moment;
use crate::probe::Probed;
use crate::report::Report;
use crate::state::State;

/// What the daemon in charge said, or why it said nothing.
#[derive(Debug, Clone)]
pub enum Source {
    /// What ntpctl showed of OpenNTPD.
    Openntpd(Report),
    /// What chronyc showed of chronyd.
    Chrony(ChronyReport),
    /// Nobody could be asked.
    Failed(Failure),
}

/// Everything that one run found out.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// Local clock, Unix seconds.
    pub now: f64,
    /// Seconds of CLOCK_MONOTONIC, by which OpenNTPD times its polls, too. Nobody sets it.
    pub ticks: f64,
    /// Seconds of CLOCK_BOOTTIME, where the system has it.
    pub boot: Option<f64>,
    /// The daemon's own words.
    pub source: Source,
    /// Seconds since the daemon started; absent if unknown.
    pub uptime: Option<f64>,
    /// Process id of the daemon's engine; absent if unknown.
    pub pid: Option<u32>,
    /// Whether the daemon may set the clock, where this can be told.
    pub may_set: Option<bool>,
    /// Other programs that set the clock, too.
    pub rivals: Vec<String>,
    /// Contents of the drift file in parts per million.
    pub drift_ppm: Option<f64>,
    /// Seconds since the daemon last adjusted the clock, from its answer on the loopback address.
    pub adjusted_ago: Option<f64>,
    /// Direct measurements of the peers; empty if none were asked for.
    pub probes: Vec<Probed>,
    /// Leap seconds, if a table was found.
    pub leaps: Option<LeapTable>,
    /// What earlier runs remembered.
    pub state: State,
}

impl Evidence {
    /// What `source` says at `now`, and nothing else: no memory, no probe, nothing about the host.
    pub fn of_source(now: f64, source: Source) -> Self {
        Self {
            now,
            ticks: now,
            boot: None,
            source,
            uptime: None,
            pid: None,
            may_set: None,
            rivals: Vec::new(),
            drift_ppm: None,
            adjusted_ago: None,
            probes: Vec::new(),
            leaps: None,
            state: State::default(),
        }
    }

    /// When this look was taken.
    pub fn moment(&self) -> Moment {
        Moment { at: self.now, ticks: Some(self.ticks), boot: self.boot }
    }
}
