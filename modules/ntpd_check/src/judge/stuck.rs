// SPDX-License-Identifier: GPL-3.0-or-later

//! Stuck discipline over time: the clock is wrong and moves more slowly than this kernel slews.

use super::blocked::ERROR_POLL;
use super::case::Case;
use super::figures::{lasting, spoken};
use crate::state::Snapshot;
use crate::verdict::{Finding, Severity, Verdict};

/// An adjustment needs up to eight polls of the slowest peer, each up to 10 % longer than shown.
const POLLS: f64 = 8.0 * 1.1;

/// Shortest time over which a missing movement means something.
const SHORTEST: f64 = 600.0;

/// Part of the expected movement below which it counts as missing.
const PART: f64 = 0.25;

/// Part of the expected movement from which on the clock counts as being corrected.
const FAST: f64 = 0.5;

pub(super) fn findings(case: &Case<'_>) -> Vec<Finding> {
    [standing(case), unadjusted(case)].into_iter().flatten().collect()
}

/// Time in which a healthy daemon makes at least one adjustment.
pub(super) fn patience(case: &Case<'_>) -> f64 {
    let regular = case.report.peers.iter().filter(|peer| peer.counts() && peer.poll < ERROR_POLL);
    let slowest = regular.map(|peer| peer.poll).max().unwrap_or(0);
    (POLLS * slowest as f64).max(SHORTEST)
}

/// Whether an earlier run saw a larger error that has since gone down about as fast as this kernel slews.
pub(super) fn shrinks(case: &Case<'_>) -> bool {
    let now = case.evidence.now;
    let apart = |seen: &&Snapshot| now - seen.at >= SHORTEST / 10.0;
    let seen = comparable(case).filter(apart).find_map(|seen| Some((now - seen.at, seen.clock_error?.abs())));
    seen.is_some_and(|(dt, before)| {
        let expected = before.min(case.limits.slew.normal * dt);
        before - case.figures.error() >= FAST * expected
    })
}

/// Earlier looks at the same daemon by the same means, latest first: what it shows and what probes measure may differ
/// by more than a clock moves.
fn comparable<'a>(case: &'a Case<'_>) -> impl Iterator<Item = &'a Snapshot> {
    let (pid, means) = (case.evidence.pid, case.figures.error_source);
    let same = move |seen: &&Snapshot| seen.pid == pid && seen.error_source == means;
    case.evidence.state.history.iter().rev().filter(same)
}

fn standing(case: &Case<'_>) -> Option<Finding> {
    let error = case.figures.error();
    if error <= case.limits.warning || !case.figures.trusted(case.limits.warning) {
        return None;
    }
    let now = case.evidence.now;
    let patience = patience(case);
    let same_claim = |seen: &&Snapshot| seen.synced == case.figures.synced;
    let earlier = comparable(case).filter(same_claim).find(|seen| now - seen.at >= patience)?;
    let before = earlier.clock_error.filter(|error| error.abs() > case.limits.warning)?.abs();
    let dt = now - earlier.at;
    let expected = before.min(case.limits.slew.normal * dt);
    if expected <= 3.0 * case.figures.jitter.max(0.005) || before - error >= PART * expected {
        return None;
    }
    let text = format!(
        "the clock is off by {} and was off by {} {} ago: expected at least {} less by now, so nothing corrects it",
        spoken(error),
        spoken(before),
        lasting(dt),
        spoken(expected)
    );
    Some(Finding::new(Verdict::Stuck, Severity::Critical, text))
}

/// The daemon's own answer on the loopback address carries the time of its last adjustment.
fn unadjusted(case: &Case<'_>) -> Option<Finding> {
    let ago = case.figures.adjusted_ago?;
    let slewing = case.limits.slew.time_for(case.figures.error());
    let allowed = patience(case) + slewing;
    if case.figures.synced != Some(true) || ago <= allowed {
        return None;
    }
    let severity =
        if case.figures.error() > case.limits.warning { Severity::Critical } else { Severity::Warning };
    let text = format!(
        "the daemon says synced but last adjusted the clock {} ago; at its polls {} is the most that is normal",
        lasting(ago),
        lasting(allowed)
    );
    Some(Finding::new(Verdict::Stuck, severity, text))
}
