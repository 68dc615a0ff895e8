// SPDX-License-Identifier: GPL-3.0-or-later

//! The thresholds of the judgement, all in seconds unless named otherwise.

use crate::params::Params;

/// Thresholds, taken from the options.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Clock error that warns.
    pub warning: f64,
    /// Clock error that is critical.
    pub critical: f64,
    /// Fewest valid peers.
    pub min_peers: u32,
    /// Highest believable stratum.
    pub max_stratum: u32,
    /// Time after a start without an opinion.
    pub start_grace: f64,
    /// Blocked for this long is critical.
    pub blocked_critical: f64,
    /// How fast the kernel slews.
    pub slew: SlewRate,
    /// Highest believable frequency correction in parts per million.
    pub drift_ppm: f64,
}

/// How fast a kernel works an adjtime(2) off, in seconds per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlewRate {
    /// While less than a second is left.
    pub normal: f64,
    /// While more than a second is left.
    pub large: f64,
}

impl SlewRate {
    /// Linux 500 ppm; FreeBSD 500 ppm and 5000 ppm beyond one second (`kern_ntptime.c`); OpenBSD 5000 ppm (`kern_tc.c`).
    pub fn of_platform(os: &str) -> Self {
        match os {
            "freebsd" => Self { normal: 500e-6, large: 5000e-6 },
            "openbsd" => Self { normal: 5000e-6, large: 5000e-6 },
            _ => Self { normal: 500e-6, large: 500e-6 },
        }
    }

    /// Seconds until `error` seconds are worked off.
    pub fn time_for(self, error: f64) -> f64 {
        let error = error.abs();
        (error - 1.0).max(0.0) / self.large + error.min(1.0) / self.normal
    }

    /// Seconds of error that are worked off in `time` seconds.
    pub fn in_time(self, time: f64) -> f64 {
        let last = 1.0 / self.normal;
        if time <= last { time * self.normal } else { 1.0 + (time - last) * self.large }
    }
}

impl Limits {
    /// Thresholds of `params` on a kernel called `os`.
    pub fn new(params: &Params, os: &str) -> Self {
        let slew = match params.slew_rate {
            Some(ppm) => SlewRate { normal: ppm * 1e-6, large: ppm * 1e-6 },
            None => SlewRate::of_platform(os),
        };
        Self {
            warning: params.offset_warning.as_f64(),
            critical: params.offset_critical.as_f64(),
            min_peers: params.min_peers,
            max_stratum: params.max_stratum,
            start_grace: params.start_grace.as_f64(),
            blocked_critical: params.blocked_critical.as_f64(),
            slew,
            drift_ppm: params.drift_limit,
        }
    }
}
