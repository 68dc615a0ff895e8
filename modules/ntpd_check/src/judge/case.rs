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
