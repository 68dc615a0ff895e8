//! From evidence to one verdict. Pure: no command, no clock, no file.

mod blocked;
mod chrony;
mod contradictions;
mod figures;
pub mod leap;
pub mod limits;
pub mod select;
mod stuck;
pub mod verdict;

use serde::Serialize;

pub use blocked::blocking_peers;
pub use figures::{Figures, spoken};
pub use limits::Limits;
pub use verdict::{Finding, Severity, Verdict};

use crate::chrony::ChronyReport;
use crate::failure::Failure;
use crate::leap::LeapTable;
use crate::probe::Probed;
use crate::report::Report;
use crate::state::State;

/// What the daemon in charge said, or why it said nothing.
#[derive(Debug, Clone)]
pub enum Source {
    /// OpenNTPD.
    Openntpd(Report),
    /// chrony.
    Chrony(ChronyReport),
    /// Nobody could be asked.
    Failed(Failure),
}

/// Everything one run found out, before any opinion.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// Local clock, Unix seconds.
    pub now: f64,
    /// Seconds of CLOCK_MONOTONIC, by which OpenNTPD times its polls, too. Nobody sets it.
    pub ticks: f64,
    /// The daemon's own words.
    pub source: Source,
    /// Seconds since the daemon started; absent if unknown.
    pub uptime: Option<f64>,
    /// Process id of the daemon's engine; absent if unknown.
    pub pid: Option<u32>,
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
            source,
            uptime: None,
            pid: None,
            drift_ppm: None,
            adjusted_ago: None,
            probes: Vec::new(),
            leaps: None,
            state: State::default(),
        }
    }
}

/// What to think of this clock.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// The one that explains most.
    pub verdict: Verdict,
    /// The worst of all findings.
    pub severity: Severity,
    /// Every finding that counts, worst explanation first.
    pub reasons: Vec<String>,
    /// Worth knowing, without weight.
    pub notes: Vec<String>,
    /// Peers the daemon waits for in vain.
    pub blocking_peers: Vec<String>,
    /// Peers outside the majority.
    pub falsetickers: Vec<String>,
    /// Everything in seconds.
    pub clock: Figures,
}

/// Judges the evidence.
pub fn judge(evidence: &Evidence, limits: &Limits) -> Judgement {
    match &evidence.source {
        Source::Openntpd(report) => openntpd(report, evidence, limits),
        Source::Chrony(report) => chrony::judge(report, evidence, limits),
        Source::Failed(failure) => {
            let finding = Finding::new(failure.verdict, failure.severity, failure.reason.clone());
            conclude(vec![finding], Figures::default(), Vec::new())
        }
    }
}

fn openntpd(report: &Report, evidence: &Evidence, limits: &Limits) -> Judgement {
    let mut figures = Figures::of_report(report, &evidence.probes, limits);
    figures.adjusted_ago = evidence.adjusted_ago;
    figures.drift_ppm = evidence.drift_ppm;
    let case = Case { report, evidence, limits, figures: &figures };
    let blocking = blocked::blocking_peers(report, &evidence.state, evidence.ticks);
    let mut findings = blocked::findings(&case, &blocking);
    let starting = if blocking.is_empty() { contradictions::starting(&case) } else { None };
    match starting {
        Some(finding) => findings.push(finding),
        None => {
            findings.extend(stuck::findings(&case));
            findings.extend(contradictions::findings(&case));
        }
    }
    findings.extend(contradictions::drift(&case));
    findings.extend(contradictions::notes(&case, &blocking));
    findings.extend(leap::findings(evidence, &figures));
    let mut judgement = conclude(findings, figures.clone(), blocking);
    judgement.falsetickers = figures.falsetickers;
    judgement
}

/// What every group of rules looks at.
struct Case<'a> {
    report: &'a Report,
    evidence: &'a Evidence,
    limits: &'a Limits,
    figures: &'a Figures,
}

/// Picks the verdict that explains most and the severity of the worst finding.
fn conclude(mut findings: Vec<Finding>, clock: Figures, blocking_peers: Vec<String>) -> Judgement {
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

#[cfg(test)]
mod tests;
