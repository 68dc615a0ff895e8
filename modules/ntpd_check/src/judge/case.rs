// SPDX-License-Identifier: GPL-3.0-or-later

//! What every group of rules looks at, and what their findings come to.

use super::limits::Limits;
use crate::evidence::Evidence;
use crate::judgement::{Figures, Judgement};
use crate::report::Report;
use crate::verdict::{Finding, Severity, Verdict};

/// A clock under OpenNTPD.
pub(super) struct Case<'a> {
    pub(super) report: &'a Report,
    pub(super) evidence: &'a Evidence,
    pub(super) limits: &'a Limits,
    pub(super) figures: &'a Figures,
}

impl Case<'_> {
    /// Sensors that are valid, and all of them: by their rows, else by the status line.
    pub(super) fn sensors(&self) -> (usize, usize) {
        let rows = &self.report.sensors;
        let counted = self.report.status.as_ref().and_then(|status| status.sensors).unwrap_or_default();
        match rows.len() {
            0 => (counted.valid as usize, counted.total as usize),
            all => (rows.iter().filter(|sensor| sensor.offset.is_some()).count(), all),
        }
    }

    /// What the valid rows show, be it worth anything or not.
    pub(super) fn offsets(&self) -> Vec<f64> {
        self.report.peers.iter().filter_map(|peer| peer.sample).map(|sample| sample.offset).collect()
    }
}

/// Picks the verdict that explains most and the severity of the worst finding.
pub(super) fn conclude(findings: Vec<Finding>, clock: Figures, blocking_peers: Vec<String>) -> Judgement {
    let mut judgement = Judgement {
        verdict: Verdict::Ok,
        severity: Severity::Ok,
        reasons: Vec::new(),
        notes: Vec::new(),
        blocking_peers,
        falsetickers: Vec::new(),
        clock,
        findings,
    };
    judgement.conclude();
    judgement
}
