// SPDX-License-Identifier: GPL-3.0-or-later

//! What direct probes say about the rows: that they are right, or that somebody is not.

use super::case::Case;
use super::figures::spoken;
use super::leap;
use crate::judgement::ErrorSource;
use crate::verdict::{Finding, Severity, Verdict};

/// Whether rows and probes contradict each other: the two errors.
fn apart(case: &Case<'_>) -> Option<(f64, f64)> {
    let (shown, probed) = case.figures.shown.zip(case.figures.probed)?;
    ((shown - probed).abs() > case.limits.warning).then_some((shown, probed))
}

/// Never ok, whoever of them is right: a row may be stale or shifted, and few servers may all be wrong.
pub(super) fn contradiction(case: &Case<'_>) -> Option<Finding> {
    let (shown, probed) = apart(case)?;
    let by_probes = case.figures.error_source == Some(ErrorSource::Probes);
    if by_probes && case.figures.error() > case.limits.warning {
        // That the clock is off explains more.
        return None;
    }
    let whose = if by_probes {
        "the daemon may adjust by what is not so"
    } else {
        "the probes are too few to count, or follow one source"
    };
    let (critical, _) = leap::critical_offset(case.evidence, case.limits.critical);
    let severity = if case.figures.error() > critical { Severity::Critical } else { Severity::Warning };
    let text = format!(
        "direct probes refute ntpctl: {} against {}; {whose}",
        spoken(probed.abs()),
        spoken(shown.abs())
    );
    Some(Finding::new(Verdict::Discordant, severity, text))
}

pub(super) fn note(case: &Case<'_>) -> Option<String> {
    let (shown, probed) = case.figures.shown.zip(case.figures.probed)?;
    let word = match apart(case) {
        None => "confirm",
        Some(_) if case.figures.error() > case.limits.warning => "refute",
        Some(_) => return None,
    };
    let by_probes = case.figures.error_source == Some(ErrorSource::Probes);
    by_probes.then(|| {
        format!("direct probes {word} ntpctl: {} against {}", spoken(probed.abs()), spoken(shown.abs()))
    })
}
