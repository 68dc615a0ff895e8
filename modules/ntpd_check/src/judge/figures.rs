// SPDX-License-Identifier: GPL-3.0-or-later

//! How the numbers behind a judgement come about.

use super::limits::Limits;
use super::select::{Claim, Majority, majority, mean, median};
use crate::judgement::{ErrorSource, Figures};
use crate::probe::Probed;
use crate::report::{Peer, Report};

/// Half width that even a perfect measurement gets: ntpctl shows no dispersion.
const FLOOR: f64 = 0.005;

/// Fewest good probes whose agreement outweighs what the daemon shows, if they are more than half of its peers, too.
const PROBE_QUORUM: usize = 2;

impl Figures {
    /// Figures of OpenNTPD's report, corrected by direct probes where those agree.
    pub fn of_report(report: &Report, probes: &[Probed], limits: &Limits) -> Self {
        let status = report.status.clone().unwrap_or_default();
        let valid: Vec<&Peer> = report.peers.iter().filter(|peer| peer.sample.is_some()).collect();
        let samples: Vec<_> = valid.iter().filter_map(|peer| peer.sample).collect();
        let offsets: Vec<f64> = samples.iter().map(|sample| sample.offset).collect();
        let claims: Vec<Claim> = samples
            .iter()
            .map(|sample| Claim { offset: sample.offset, radius: sample.delay / 2.0 + sample.jitter + FLOOR })
            .collect();
        let counted = status.peers.unwrap_or_default();
        let total = u32::try_from(report.peers.len()).unwrap_or(u32::MAX).max(counted.total);
        let valid_rows = u32::try_from(valid.len()).unwrap_or(u32::MAX);
        let pending = status.pending.unwrap_or(0.0);
        let middle = median(&offsets);
        let mut figures = Self {
            synced: report.status.as_ref().map(|status| status.synced),
            stratum: status.stratum,
            // A table that has lost rows, as pastes do, shows fewer than the daemon has.
            valid_peers: if report.peers.len() < counted.total as usize {
                counted.valid.max(valid_rows)
            } else {
                valid_rows
            },
            total_peers: total,
            offset_mean: mean(&offsets).map(|mean| (mean + pending).abs()),
            offset_median: middle.map(|median| (median + pending).abs()),
            pending_slew: status.pending,
            clock_error: middle.map(|median| median + pending).or(status.pending),
            spread: spread(&offsets),
            jitter: samples.iter().map(|sample| sample.jitter).fold(0.0, f64::max),
            ..Self::default()
        };
        figures.error_source = figures.clock_error.map(|_| ErrorSource::Daemon);
        if let Some(found) = majority(&claims) {
            figures.take_majority(&found, &valid, middle.unwrap_or(0.0), limits);
        }
        figures.weigh_probes(probes);
        figures.eta = figures.clock_error.map(|error| limits.slew.time_for(error));
        figures
    }

    fn take_majority(&mut self, found: &Majority, valid: &[&Peer], middle: f64, limits: &Limits) {
        self.majority = Some([found.low, found.high]);
        self.truechimers = u32::try_from(valid.len() - found.outside.len()).unwrap_or(u32::MAX);
        let far =
            |peer: &&Peer| peer.sample.is_some_and(|sample| (sample.offset - middle).abs() > limits.warning);
        let outside = found.outside.iter().filter_map(|&at| valid.get(at).copied());
        self.falsetickers = outside.filter(far).map(|peer| peer.label().to_owned()).collect();
    }

    /// Whether anybody can tell how far the clock is off: a majority, probes that agree, or peers that all lie within
    /// `warning` of each other. Exact peers need not overlap to agree about a clock that is wrong by much more.
    pub(super) fn trusted(&self, warning: f64) -> bool {
        self.majority.is_some() || self.probe_majority.is_some() || self.spread <= warning
    }

    /// A probe sees the clock as it is; a row of ntpctl may be stale or, while slewing, wrong.
    fn weigh_probes(&mut self, probes: &[Probed]) {
        let best: Vec<_> = probes.iter().filter_map(Probed::best).collect();
        let claims: Vec<Claim> = best
            .iter()
            .map(|answer| Claim { offset: answer.offset, radius: answer.root_distance + FLOOR })
            .collect();
        let Some(found) = majority(&claims).filter(|_| best.len() >= PROBE_QUORUM) else { return };
        let inside: Vec<f64> = claims
            .iter()
            .enumerate()
            .filter(|(at, _)| !found.outside.contains(at))
            .map(|(_, claim)| claim.offset)
            .collect();
        if inside.len() >= PROBE_QUORUM && 2 * inside.len() > self.valid_peers as usize {
            self.clock_error = median(&inside);
            self.error_source = Some(ErrorSource::Probes);
            self.probe_majority = Some([found.low, found.high]);
            self.truechimers = self.truechimers.max(u32::try_from(inside.len()).unwrap_or(u32::MAX));
        }
    }

    /// Size of the clock error, 0 if unknown.
    pub fn error(&self) -> f64 {
        self.clock_error.unwrap_or(0.0).abs()
    }
}

fn spread(offsets: &[f64]) -> f64 {
    let low = offsets.iter().copied().fold(f64::INFINITY, f64::min);
    let high = offsets.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low <= high { high - low } else { 0.0 }
}

/// A number of seconds as people read it: `-984.3 ms`, `1.2 s`.
pub fn spoken(seconds: f64) -> String {
    if seconds.abs() < 1.0 { format!("{:.1} ms", seconds * 1000.0) } else { format!("{seconds:.2} s") }
}

/// A duration as people read it: `90 s`, `33 min`, `2 h 47 min`.
pub fn lasting(seconds: f64) -> String {
    let whole = seconds.max(0.0).round();
    if whole < 120.0 {
        return format!("{whole} s");
    }
    let minutes = (whole / 60.0).round();
    if minutes < 120.0 {
        return format!("{minutes} min");
    }
    format!("{} h {} min", (minutes / 60.0).floor(), minutes % 60.0)
}
