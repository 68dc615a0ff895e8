// SPDX-License-Identifier: GPL-3.0-or-later

//! What direct probes say about the rows: that they are right, or that somebody is not.

use super::figures::spoken;
use super::leap;
use super::limits::Limits;
use crate::evidence::Evidence;
use crate::judgement::{ErrorSource, Figures};
use crate::verdict::{Finding, Severity, Verdict};

/// Whether rows and probes contradict each other: the two errors.
fn apart(figures: &Figures, limits: &Limits) -> Option<(f64, f64)> {
    let (shown, probed) = figures.shown.zip(figures.probed)?;
    ((shown - probed).abs() > limits.warning).then_some((shown, probed))
}

/// Never ok, whoever of them is right: a row may be stale or shifted, and few servers may all be wrong.
pub(super) fn contradiction(
    figures: &Figures,
    evidence: &Evidence,
    limits: &Limits,
    tool: &str,
) -> Option<Finding> {
    let (shown, probed) = apart(figures, limits)?;
    let by_probes = figures.error_source == Some(ErrorSource::Probes);
    if by_probes && figures.error() > limits.warning {
        // That the clock is off explains more.
        return None;
    }
    let whose = if by_probes {
        "the daemon may adjust by what is not so"
    } else {
        "the probes are too few to count, or follow one source"
    };
    let (critical, _) = leap::critical_offset(evidence, limits.critical);
    let severity = if figures.error() > critical { Severity::Critical } else { Severity::Warning };
    let text = format!(
        "direct probes refute {tool}: {} against {}; {whose}",
        spoken(probed.abs()),
        spoken(shown.abs())
    );
    Some(Finding::new(Verdict::Discordant, severity, text))
}

pub(super) fn note(figures: &Figures, limits: &Limits, tool: &str) -> Option<String> {
    let (shown, probed) = figures.shown.zip(figures.probed)?;
    let word = match apart(figures, limits) {
        None => "confirm",
        Some(_) if figures.error() > limits.warning => "refute",
        Some(_) => return None,
    };
    let by_probes = figures.error_source == Some(ErrorSource::Probes);
    by_probes.then(|| {
        format!("direct probes {word} {tool}: {} against {}", spoken(probed.abs()), spoken(shown.abs()))
    })
}
