// SPDX-License-Identifier: GPL-3.0-or-later

//! What direct probes say about the rows: that they are right, or that somebody is not.

use super::limits::Limits;
use super::{chrony, leap, votes};
use crate::evidence::{Evidence, Source};
use crate::judgement::{ErrorSource, Figures};
use crate::report::ERROR_POLL;
use crate::spoken::spoken;
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
    let by_probes = figures.error_source == Some(ErrorSource::Probes);
    if by_probes && figures.error() > limits.warning {
        // That the clock is off explains more.
        return None;
    }
    let Some((shown, probed)) = apart(figures, limits) else {
        return refuted(figures, evidence, limits, tool);
    };
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

/// Rows that agree with the probes as a whole, but for some servers that say something else when they are asked directly.
fn refuted(figures: &Figures, evidence: &Evidence, limits: &Limits, tool: &str) -> Option<Finding> {
    // What is shown while a slew runs is shifted by all of it.
    if figures.shifted || figures.pending_slew.is_some() {
        return None;
    }
    let named: Vec<String> = rows(&evidence.source)
        .into_iter()
        .filter_map(|row| {
            let answer = evidence.probes.iter().find(|probe| probe.server == row.name)?.best()?;
            let doubt = limits.warning + row.margin + answer.root_distance;
            let text = || format!("{} ({} against {})", row.name, spoken(answer.offset), spoken(row.offset));
            ((answer.offset - row.offset).abs() > doubt).then(text)
        })
        .collect();
    let text = format!("direct probes refute {tool} about {}", named.join(", "));
    (!named.is_empty()).then(|| Finding::new(Verdict::Discordant, Severity::Warning, text))
}

/// What the daemon shows of one server, and by how much that may be wrong.
struct Row<'a> {
    name: &'a str,
    offset: f64,
    margin: f64,
}

fn rows(source: &Source) -> Vec<Row<'_>> {
    match source {
        Source::Openntpd(report) => votes::of_rows(&report.peers)
            .into_iter()
            // A row that no reply moves is told as what it is.
            .filter(|(peer, _)| peer.poll < ERROR_POLL)
            .map(|(peer, sample)| Row {
                name: peer.label(),
                offset: sample.offset,
                margin: sample.delay / 2.0 + sample.jitter + votes::FLOOR,
            })
            .collect(),
        Source::Chrony(report) => {
            let mut rows = Vec::new();
            for source in report.sources.iter().filter(|source| chrony::usable(source)) {
                let offset = report.shown_by(source);
                rows.push(Row { name: &source.name, offset, margin: source.margin });
            }
            rows
        }
        Source::Failed(_) => Vec::new(),
    }
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
