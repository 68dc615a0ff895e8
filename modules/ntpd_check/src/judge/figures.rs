// SPDX-License-Identifier: GPL-3.0-or-later

//! How the numbers behind a judgement come about.

use super::leap;
use super::limits::Limits;
use super::select::{Claim, Majority, majority, mean, median};
use super::{trouble, votes};
use crate::evidence::Evidence;
use crate::judgement::{ErrorSource, Figures};
use crate::probe::Probed;
use crate::report::{Constraint, Peer, Report, Sample, Status};

/// Fewest good probes whose agreement outweighs what the daemon shows, if they are more than half of its peers, too.
const PROBE_QUORUM: usize = 2;

/// Trust of a peer that has answered eight times: from then on the daemon adjusts, and shifts what it shows.
const TRUST_FULL: u32 = 10;

/// Part of a clock's error that its peers may differ by without a doubt about that error.
const LITTLE: f64 = 0.1;

impl Figures {
    /// Figures of OpenNTPD's report, corrected by direct probes where those agree.
    pub fn of_report(report: &Report, evidence: &Evidence, limits: &Limits) -> Self {
        let status = report.status.clone().unwrap_or_default();
        let mut figures = Self::counted(report, &status);
        let rows = votes::of_rows(&report.peers);
        figures.take_rows(&rows, limits);
        if rows.is_empty() {
            figures.take_sensors(report);
        }
        figures.powerless = trouble::is_powerless(report, evidence, limits);
        // No correction leaves rows that far off: whatever they have been shifted by, the clock has to be set. Not so where none
        // has any effect: the same rows are near zero at the next look.
        let slewable = figures.least <= limits.slew.in_time(leap::DAY);
        figures.shifted = figures.powerless || (shifted(report) && slewable);
        if figures.shifted {
            // What is shown has been moved by corrections that may never have been made.
            figures.forget_rows();
        }
        figures.add_pending(report, &status);
        figures.shown = figures.clock_error;
        figures.error_source = figures.clock_error.map(|_| ErrorSource::Daemon);
        figures.weigh_probes(&evidence.probes);
        figures.trusted = figures.majority.is_some()
            || figures.probe_majority.is_some()
            || (figures.clock_error.is_some() && figures.agrees(limits));
        figures.eta = figures.clock_error.map(|error| limits.slew.time_for(error));
        figures
    }

    fn counted(report: &Report, status: &Status) -> Self {
        let counted = status.peers.unwrap_or_default();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let valid = count(report.peers.iter().filter(|peer| peer.sample.is_some()).count());
        let (constraint_offset, constraint_errors) = match status.constraint {
            Some(Constraint::Offset { seconds, errors }) => (Some(seconds as f64), Some(errors)),
            _ => (None, None),
        };
        Self {
            synced: report.status.as_ref().map(|status| status.synced),
            stratum: status.stratum,
            // A table that has lost rows, as pastes do, shows fewer than the daemon has.
            valid_peers: if count(report.peers.len()) < counted.total {
                counted.valid.max(valid)
            } else {
                valid
            },
            total_peers: count(report.peers.len()).max(counted.total),
            pending_slew: status.pending,
            constraint_offset,
            constraint_errors,
            ..Self::default()
        }
    }

    fn take_rows(&mut self, rows: &[(&Peer, Sample)], limits: &Limits) {
        let offsets: Vec<f64> = rows.iter().map(|(_, sample)| sample.offset).collect();
        let claim = |sample: &Sample| Claim {
            offset: sample.offset,
            radius: sample.delay / 2.0 + sample.jitter + votes::FLOOR,
        };
        let claims: Vec<Claim> = rows.iter().map(|(_, sample)| claim(sample)).collect();
        self.voters = rows.len();
        self.jitter = rows.iter().map(|(_, sample)| sample.jitter).fold(0.0, f64::max);
        self.take_offsets(&offsets, &claims);
        if let Some(found) = majority(&claims) {
            self.take_majority(&found, rows, limits);
        }
    }

    fn take_offsets(&mut self, offsets: &[f64], claims: &[Claim]) {
        (self.offset_mean, self.offset_median) = (mean(offsets), median(offsets));
        self.clock_error = self.offset_median;
        self.spread = spread(offsets);
        let nearest = claims.iter().map(|claim| (claim.offset.abs() - claim.radius).max(0.0));
        self.least = if claims.is_empty() { 0.0 } else { nearest.fold(f64::INFINITY, f64::min) };
    }

    /// Where no peer says anything, the host's own hardware clocks do.
    fn take_sensors(&mut self, report: &Report) {
        let offsets: Vec<f64> = report.sensors.iter().filter_map(|sensor| sensor.offset).collect();
        let claims: Vec<Claim> =
            offsets.iter().map(|&offset| Claim { offset, radius: votes::FLOOR }).collect();
        self.voters = offsets.len();
        self.take_offsets(&offsets, &claims);
        if let Some(found) = majority(&claims) {
            self.majority = Some([found.low, found.high]);
        }
    }

    fn take_majority(&mut self, found: &Majority, rows: &[(&Peer, Sample)], limits: &Limits) {
        let middle = self.offset_median.unwrap_or(0.0);
        self.majority = Some([found.low, found.high]);
        self.truechimers = u32::try_from(rows.len() - found.outside.len()).unwrap_or(u32::MAX);
        let far = |(_, sample): &&(&Peer, Sample)| (sample.offset - middle).abs() > limits.warning;
        let outside = found.outside.iter().filter_map(|&at| rows.get(at));
        self.falsetickers = outside.filter(far).map(|(peer, _)| peer.label().to_owned()).collect();
    }

    fn forget_rows(&mut self) {
        (self.offset_mean, self.offset_median, self.clock_error) = (None, None, None);
        (self.majority, self.truechimers, self.voters, self.least) = (None, 0, 0, 0.0);
        self.falsetickers.clear();
    }

    /// A running slew is still to come where the rows are shifted by all of it, as those of sensors are; rows that the daemon has
    /// never adjusted by measure the clock as it is, whoever left that slew.
    fn add_pending(&mut self, report: &Report, status: &Status) {
        let mut rows = report.peers.iter().filter(|peer| peer.sample.is_some()).peekable();
        let adjusted = rows.peek().is_none() || rows.any(|peer| peer.trust >= TRUST_FULL);
        let measured = self.clock_error.is_some();
        let pending = status.pending.filter(|_| adjusted || !measured).unwrap_or(0.0);
        self.offset_mean = self.offset_mean.map(|mean| (mean + pending).abs());
        self.offset_median = self.offset_median.map(|median| (median + pending).abs());
        self.clock_error = self.clock_error.map(|error| error + pending).or(status.pending);
    }

    /// A probe sees the clock as it is; a row of ntpctl may be stale or, while slewing, wrong.
    pub(super) fn weigh_probes(&mut self, probes: &[Probed]) {
        let claims = votes::of_probes(probes);
        let Some(found) = majority(&claims) else { return };
        let inside: Vec<f64> = claims
            .iter()
            .enumerate()
            .filter(|(at, _)| !found.outside.contains(at))
            .map(|(_, claim)| claim.offset)
            .collect();
        self.probed = median(&inside);
        if inside.len() >= PROBE_QUORUM && 2 * inside.len() > self.voters {
            self.clock_error = self.probed;
            self.error_source = Some(ErrorSource::Probes);
            self.probe_majority = Some([found.low, found.high]);
            // The row is stale, and its server is none of those who lie.
            self.falsetickers.retain(|label| !votes::agrees(probes, label, &found));
            self.truechimers = self.truechimers.max(u32::try_from(inside.len()).unwrap_or(u32::MAX));
        }
    }

    /// Whether the peers say the same: what they differ by is little, or little beside what all of them say.
    fn agrees(&self, limits: &Limits) -> bool {
        self.spread <= limits.warning.max(LITTLE * self.least)
    }

    /// Size of the clock error, 0 if unknown.
    pub fn error(&self) -> f64 {
        self.clock_error.unwrap_or(0.0).abs()
    }
}

/// Whether the daemon has adjusted, or tried to, without ever being able to say that it is synced or still slewing.
pub(super) fn shifted(report: &Report) -> bool {
    let unsynced = report.status.as_ref().is_some_and(|status| !status.synced && status.pending.is_none());
    unsynced && report.peers.iter().any(|peer| peer.sample.is_some() && peer.trust >= TRUST_FULL)
}

fn spread(offsets: &[f64]) -> f64 {
    let low = offsets.iter().copied().fold(f64::INFINITY, f64::min);
    let high = offsets.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low <= high { high - low } else { 0.0 }
}
