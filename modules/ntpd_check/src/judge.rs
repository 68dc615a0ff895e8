// SPDX-License-Identifier: GPL-3.0-or-later

//! From evidence to one verdict. Pure: no command, no clock, no file.

mod blocked;
mod case;
mod chrony;
mod contradictions;
mod figures;
pub mod leap;
pub mod limits;
mod offset;
mod probes;
pub mod select;
mod start;
mod stuck;
mod trouble;
pub mod votes;
mod watch;

pub use blocked::{all_lost, blocking_peers};
use case::{Case, conclude};
pub use chrony::usable;
pub use limits::Limits;

use crate::evidence::{Evidence, Source};
use crate::judgement::{Figures, Judgement};
use crate::report::Report;
use crate::verdict::Finding;

/// What to think of the clock that this evidence is of.
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
    let mut figures = Figures::of_report(report, evidence, limits);
    figures.adjusted_ago = evidence.adjusted_ago;
    figures.drift_ppm = evidence.drift_ppm;
    let case = Case { report, evidence, limits, figures: &figures };
    let blocking = blocked::blocking_peers(report, evidence);
    let mut findings = blocked::findings(&case, &blocking);
    findings.extend(trouble::powerless(&case));
    findings.extend(start::failed_before(&case));
    // A clock that is far off is told at once, and so is a start of which we know that it leads nowhere.
    let starting = match findings.is_empty() && !offset::is_far(&figures, limits) {
        true => start::starting(&case),
        false => None,
    };
    match starting {
        Some(finding) => findings.push(finding),
        None => {
            findings.extend(stuck::findings(&case));
            findings.extend(contradictions::findings(&case, &blocking));
        }
    }
    findings.extend(trouble::contested(evidence));
    findings.extend(contradictions::drift(&case));
    findings.extend(contradictions::notes(&case, &blocking));
    findings.extend(leap::findings(evidence, &figures));
    let mut judgement = conclude(findings, figures.clone(), blocking);
    judgement.falsetickers = figures.falsetickers;
    judgement.temper(&report.gaps);
    judgement
}

#[cfg(test)]
mod tests;
