// SPDX-License-Identifier: GPL-3.0-or-later

//! How far off the clock is, and whether it is being corrected in a time that helps anybody.

use super::case::Case;
use super::limits::Limits;
use super::{leap, stuck};
use crate::judgement::Figures;
use crate::spoken::{lasting, spoken};
use crate::verdict::{Finding, Severity, Verdict};

/// From here on a clock is far off, however busily it is slewed: more than a missed leap second leaves.
const FAR: f64 = 1.1;

/// The same for hosts with wider thresholds, in critical offsets.
const FAR_CRITICALS: f64 = 4.0;

/// Constraints are dates of web servers, whole seconds and some network apart.
const CONSTRAINT_WARNING: f64 = 3.0;
const CONSTRAINT_CRITICAL: f64 = 10.0;

/// Whether the clock is so far off that no correction under way makes it less than critical.
pub(super) fn is_far(figures: &Figures, limits: &Limits) -> bool {
    let far = FAR.max(FAR_CRITICALS * limits.critical);
    if figures.trusted { figures.error() > far } else { figures.voters > 0 && figures.least > far }
}

pub(super) fn findings(case: &Case<'_>) -> Vec<Finding> {
    let slewing = slewing(case);
    let offset = if slewing.is_none() { offset(case) } else { None };
    slewing.into_iter().chain(offset).chain(certainly_off(case)).chain(constraint(case)).collect()
}

/// Whether a correction is under way.
pub(super) fn is_moving(case: &Case<'_>) -> bool {
    let Some(error) = case.figures.clock_error.filter(|_| !case.figures.powerless) else { return false };
    let pending = case.figures.pending_slew.is_some() && case.figures.synced != Some(true);
    let young = case.evidence.uptime.is_some_and(|uptime| uptime <= case.limits.start_grace);
    // 7.9 on Linux reports no pending slew and says synced long before it is true.
    let wrong = error.abs() > case.limits.warning;
    pending || (wrong && (young || stuck::shrinks(case)) && case.figures.valid_peers > 0)
}

fn slewing(case: &Case<'_>) -> Option<Finding> {
    let error = case.figures.clock_error.filter(|_| is_moving(case) && !is_far(case.figures, case.limits))?;
    let severity = if error.abs() > case.limits.warning { Severity::Warning } else { Severity::Ok };
    let left = case.limits.slew.time_for(error);
    let text = format!("the clock is being corrected by {}: right in about {}", spoken(error), lasting(left));
    Some(Finding::new(Verdict::Slewing, severity, text))
}

pub(super) fn offset(case: &Case<'_>) -> Option<Finding> {
    let error = case.figures.clock_error?;
    if !case.figures.trusted || error.abs() <= case.limits.warning {
        return None;
    }
    let (critical, relaxed) = leap::critical_offset(case.evidence, case.limits.critical);
    let severity = if error.abs() > critical { Severity::Critical } else { Severity::Warning };
    let claim = if case.figures.synced == Some(true) { " although the daemon says synced" } else { "" };
    let server = case.report.peers.iter().find(|peer| peer.sample.is_some()).map(|peer| peer.label());
    let text = format!(
        "the clock is off by {}{claim} (warning from {}, critical from {}{relaxed}){}",
        spoken(error),
        spoken(case.limits.warning),
        spoken(critical),
        if case.figures.powerless {
            String::new()
        } else {
            format!("; {}", remedy(error, case.limits, server.unwrap_or("SERVER")))
        }
    );
    Some(Finding::new(verdict(case), severity, text))
}

/// That nothing is done about an error explains more than its size, which is known at some looks only.
fn verdict(case: &Case<'_>) -> Verdict {
    if case.figures.powerless { Verdict::Unsynced } else { Verdict::Offset }
}

/// What can be done about an error of this size: no daemon slews away what takes longer than a day.
fn remedy(error: f64, limits: &Limits, server: &str) -> String {
    let time = limits.slew.time_for(error);
    if time <= leap::DAY {
        return format!("slewing it away takes {}", lasting(time));
    }
    format!(
        "{}: stop ntpd, set the clock (chronyd -q 'server {server} iburst', sntp -S {server}, rdate -n {server} or date), start ntpd again",
        must_be_set(limits)
    )
}

/// The beginning of that advice.
pub(super) fn must_be_set(limits: &Limits) -> String {
    format!(
        "it cannot be slewed away, at {} a day at most, and has to be set",
        spoken(limits.slew.in_time(leap::DAY))
    )
}

/// Peers that contradict each other about how far off a clock is agree that it is off where none of them leaves another way.
fn certainly_off(case: &Case<'_>) -> Option<Finding> {
    let figures = case.figures;
    if figures.trusted || figures.voters == 0 || figures.least <= case.limits.critical {
        return None;
    }
    let text = format!(
        "the clock is off by {} at least: all {} peers say that it is wrong, if not by how much",
        spoken(figures.least),
        figures.voters
    );
    Some(Finding::new(Verdict::Offset, Severity::Critical, text))
}

fn constraint(case: &Case<'_>) -> Option<Finding> {
    let offset = case.figures.constraint_offset.filter(|offset| offset.abs() >= CONSTRAINT_WARNING)?;
    let severity = if offset.abs() >= CONSTRAINT_CRITICAL { Severity::Critical } else { Severity::Warning };
    let text = format!(
        "by the constraints (HTTPS dates) the clock is off by {} (warning from {CONSTRAINT_WARNING} s, critical from {CONSTRAINT_CRITICAL} s)",
        spoken(offset)
    );
    Some(Finding::new(verdict(case), severity, text))
}
