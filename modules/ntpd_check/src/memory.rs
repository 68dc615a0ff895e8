// SPDX-License-Identifier: GPL-3.0-or-later

//! What a run adds to what is remembered.

use crate::evidence::{Evidence, Source};
use crate::judgement::Judgement;
use crate::report::Sample;
use crate::state::{Restart, Row, Snapshot, State};
use crate::verdict::{Severity, Verdict};

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
            let error_source = clock.error_source;
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
                let better =
                    judgement.severity < Severity::Unknown || after.abs() < (1.0 - HELPED) * before.abs();
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
