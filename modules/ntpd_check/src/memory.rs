// SPDX-License-Identifier: GPL-3.0-or-later

//! What a run adds to what is remembered.

use std::collections::BTreeMap;

use crate::evidence::{Evidence, Source};
use crate::judgement::Judgement;
use crate::moment::Moment;
use crate::report::{Report, Sample};
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
        let now = evidence.now;
        self.forget_the_future(&evidence.moment());
        let watched =
            self.looked.map_or(0.0, |last| evidence.moment().watched_since(&last, self.longest_gap()));
        self.judge_restart(now, judgement);
        self.note_look(evidence, judgement);
        self.note_trouble(now, watched, judgement.verdict);
        if let Source::Openntpd(report) = &evidence.source {
            self.rows = self.moved_on(report, evidence.ticks, watched);
        }
        self.looked = Some(evidence.moment());
    }

    /// A clock that was set back makes what lies in its future worthless. A restart is no lie where the clock that nobody sets
    /// knows how long ago it was.
    fn forget_the_future(&mut self, now: &Moment) {
        self.history.retain(|seen| seen.at <= now.at);
        self.looked = self.looked.filter(|last| last.at <= now.at);
        self.blocked_since = self.blocked_since.filter(|since| *since <= now.at);
        self.restarts.retain_mut(|restart| {
            if restart.at <= now.at {
                return true;
            }
            let then = Moment { at: restart.at, ticks: restart.ticks, boot: None };
            let ago = now.ticks_since(&then);
            restart.at = ago.map_or(restart.at, |ago| now.at - ago);
            ago.is_some()
        });
    }

    fn note_look(&mut self, evidence: &Evidence, judgement: &Judgement) {
        let now = evidence.now;
        if self.history.last().is_none_or(|last| now - last.at >= SPACING) {
            let clock = &judgement.clock;
            self.history.push(Snapshot {
                at: now,
                pid: evidence.pid,
                synced: clock.synced,
                clock_error: clock.clock_error.filter(|_| clock.trusted),
                error_source: clock.error_source,
                ticks: Some(evidence.ticks),
                boot: evidence.boot,
                uptime: evidence.uptime,
                poll: slowest(&evidence.source),
            });
        }
        let surplus = self.history.len().saturating_sub(KEPT);
        self.history.drain(..surplus);
    }

    /// For how long the daemon has been blocked or stuck, as far as it was watched.
    fn note_trouble(&mut self, now: f64, watched: f64, verdict: Verdict) {
        match verdict {
            Verdict::Blocked => {
                let again = self.blocked_since.is_some();
                self.blocked_for = if again { self.blocked_for + watched } else { 0.0 };
                self.blocked_since = Some(self.blocked_since.unwrap_or(now));
            }
            // Nobody could look.
            Verdict::NotAnswering | Verdict::NoPermission | Verdict::NoTool | Verdict::ParseError => (),
            _ => (self.blocked_since, self.blocked_for) = (None, 0.0),
        }
        match verdict {
            Verdict::Stuck => self.stuck_for = Some(self.stuck_for.map_or(0.0, |so_far| so_far + watched)),
            Verdict::NotAnswering | Verdict::NoPermission | Verdict::NoTool | Verdict::ParseError => (),
            _ => self.stuck_for = None,
        }
    }

    fn moved_on(&self, report: &Report, ticks: f64, watched: f64) -> BTreeMap<String, Row> {
        let measured = || report.peers.iter().filter_map(|peer| Some((peer.label(), peer.sample?)));
        // An adjustment shifts every offset; only a reply changes round trips.
        let replied = |(label, sample): (&str, Sample)| {
            self.rows
                .get(label)
                .is_some_and(|row| row.sample.delay != sample.delay || row.sample.jitter != sample.jitter)
        };
        let others_moved = measured().any(replied);
        let row = |label: &str, sample: Sample| match self.rows.get(label) {
            Some(row) if row.sample.same_row(&sample) => Row {
                sample,
                // It starts anew with the host.
                since: row.since.min(ticks),
                watched: row.watched + watched,
                passed: row.passed + u32::from(others_moved),
            },
            _ => Row { sample, since: ticks, watched: 0.0, passed: 0 },
        };
        measured().map(|(label, sample)| (label.to_owned(), row(label, sample))).collect()
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
    pub fn note_restart(&mut self, now: &Moment, error_before: Option<f64>) {
        self.restarts.push(Restart { at: now.at, error_before, helped: None, ticks: now.ticks });
        let surplus = self.restarts.len().saturating_sub(RESTARTS);
        self.restarts.drain(..surplus);
        (self.blocked_since, self.blocked_for, self.stuck_for) = (None, 0.0, None);
        self.rows.clear();
    }
}

fn slowest(source: &Source) -> Option<i64> {
    let Source::Openntpd(report) = source else { return None };
    report.slowest_poll()
}

#[cfg(test)]
mod tests;
