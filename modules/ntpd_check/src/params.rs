// SPDX-License-Identifier: GPL-3.0-or-later

//! The options, with the reasons of their defaults in plugins/modules/ntpd_check.py.

use std::path::PathBuf;

use ansible_module::Seconds;
use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::monitoring::Monitoring;
use crate::verdict::Severity;

/// Options of one run; the same from Ansible and from the command line.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Which daemon to ask.
    pub daemon: Daemon,
    /// Judge this saved output of `ntpctl -s all` instead of asking a daemon.
    pub from_file: Option<PathBuf>,
    /// How long ntpctl or chronyc may take.
    pub time_limit: Seconds,
    /// Clock error from which the check warns.
    pub offset_warning: Seconds,
    /// Clock error from which it is critical.
    pub offset_critical: Seconds,
    /// Fewest valid peers that are enough.
    pub min_peers: u32,
    /// Highest stratum that is believable.
    pub max_stratum: u32,
    /// Silence after a start of the daemon.
    pub start_grace: Seconds,
    /// A blocked daemon becomes critical after this, even while the clock is right.
    pub blocked_critical: Seconds,
    /// How fast this kernel slews, in parts per million; by platform where absent.
    pub slew_rate: Option<f64>,
    /// Frequency correction that no sound clock needs, in parts per million.
    pub drift_limit: f64,
    /// Where the daemon keeps its frequency; the usual places where absent.
    pub drift_file: Option<PathBuf>,
    /// leap-seconds.list; the usual places where absent.
    pub leap_file: Option<PathBuf>,
    /// Where the daemon's words are logged; the usual places where absent.
    pub log_file: Option<PathBuf>,
    /// The daemon's configuration, read for `listen on`; the usual places where absent.
    pub config_file: Option<PathBuf>,
    /// What this check remembers between runs; the platform's place where absent.
    pub state_file: Option<PathBuf>,
    /// Ask every peer directly.
    pub probe: bool,
    /// Time for one answer to a probe.
    pub probe_timeout: Seconds,
    /// Servers to sample and rank.
    pub candidates: Vec<String>,
    /// Samples per candidate.
    pub samples: u32,
    /// Time between two samples of one server.
    pub sample_interval: Seconds,
    /// Restart the daemon where that is the cure and every guard rail holds.
    pub repair: bool,
    /// Least time between two restarts.
    pub repair_interval: Seconds,
    /// Most restarts in 24 hours.
    pub repair_daily: u32,
    /// Name of the daemon's service; by platform where absent.
    pub service: Option<String>,
    /// Fail the task from this severity on.
    pub fail_on: FailOn,
    /// By how much the servers are meant to differ from this clock, in seconds.
    pub expected_offset: f64,
    /// What only the command line has.
    #[serde(skip)]
    pub monitoring: Monitoring,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            daemon: Daemon::Auto,
            from_file: None,
            time_limit: Seconds::new(5),
            offset_warning: Seconds::from_millis(50),
            offset_critical: Seconds::from_millis(250),
            min_peers: 3,
            max_stratum: 9,
            start_grace: Seconds::new(900),
            blocked_critical: Seconds::new(7200),
            slew_rate: None,
            drift_limit: 500.0,
            drift_file: None,
            leap_file: None,
            log_file: None,
            config_file: None,
            state_file: None,
            probe: false,
            probe_timeout: Seconds::new(1),
            candidates: Vec::new(),
            samples: 5,
            sample_interval: Seconds::new(2),
            repair: false,
            repair_interval: Seconds::new(21600),
            repair_daily: 2,
            service: None,
            fail_on: FailOn::Never,
            expected_offset: 0.0,
            monitoring: Monitoring::default(),
        }
    }
}

impl Params {
    /// Refuses thresholds that contradict each other or themselves.
    ///
    /// # Errors
    /// Names the option, what was expected and what was found.
    pub fn check(&self) -> Result<()> {
        let (warning, critical) = (self.offset_warning.as_f64(), self.offset_critical.as_f64());
        ensure!(
            warning <= critical,
            "offset_warning: expected at most offset_critical, {critical} s, found {warning} s"
        );
        self.check_ranges()?;
        let expected = self.expected_offset;
        ensure!(expected.is_finite(), "expected_offset: expected seconds, found {expected}");
        if let Some(ppm) = self.slew_rate {
            ensure!(ppm > 0.0, "slew_rate: expected parts per million above 0, found {ppm}");
        }
        Ok(())
    }
}

/// The time daemons that this check understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Daemon {
    /// The one that runs, else the one that is installed, OpenNTPD before chrony.
    Auto,
    /// OpenNTPD.
    Openntpd,
    /// chrony.
    Chrony,
    /// The ntpd of the reference implementation, of FreeBSD, or ntpsec.
    Ntp,
    /// systemd-timesyncd.
    Timesyncd,
    /// ntpd-rs.
    NtpdRs,
}

/// From which severity on the task fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailOn {
    /// The verdict is only returned.
    Never,
    /// Anything that is not ok.
    Warning,
    /// Critical only.
    Critical,
    /// Critical, or nothing could be judged.
    Unknown,
}

impl FailOn {
    /// Whether a verdict of this severity fails the task.
    pub fn fails(self, severity: Severity) -> bool {
        match self {
            Self::Never => false,
            Self::Warning => severity != Severity::Ok,
            Self::Critical => severity == Severity::Critical,
            Self::Unknown => matches!(severity, Severity::Critical | Severity::Unknown),
        }
    }
}
