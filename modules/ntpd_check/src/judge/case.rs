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

/// Picks the verdict that explains most and the severity of the worst finding.
pub(super) fn conclude(mut findings: Vec<Finding>, clock: Figures, blocking_peers: Vec<String>) -> Judgement {
    findings.sort_by_key(|finding| finding.verdict);
    let (notes, reasons): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.verdict == Verdict::Ok);
    let verdict = reasons.first().map_or(Verdict::Ok, |finding| finding.verdict);
    let severity = reasons.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Ok);
    let text = |finding: Finding| finding.text;
    Judgement {
        verdict,
        severity,
        reasons: reasons.into_iter().map(text).collect(),
        notes: notes.into_iter().map(text).collect(),
        blocking_peers,
        falsetickers: Vec::new(),
        clock,
    }
}
