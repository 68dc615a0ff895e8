// SPDX-License-Identifier: GPL-3.0-or-later

//! Stuck discipline over time: the clock is wrong and moves more slowly than this kernel slews, while it was watched.

use super::case::Case;
use super::watch::{Look, looks};
use crate::judgement::ErrorSource;
use crate::spoken::{lasting, spoken};
use crate::verdict::{Finding, Severity, Verdict};

/// An adjustment needs up to eight polls of the slowest peer, each up to 10 % longer than shown, and one or two more where replies
/// are lost.
const POLLS: f64 = 10.0 * 1.1;

/// Shortest time over which a missing movement means something.
const SHORTEST: f64 = 600.0;

/// The longest poll of OpenNTPD: what it may have had where nobody looked.
const LONGEST_POLL: i64 = 1650;

/// Part of the expected movement below which it counts as missing.
const PART: f64 = 0.25;

/// Part of the expected movement from which on the clock counts as being corrected.
const FAST: f64 = 0.5;

/// What a clock runs away by while nothing corrects it, in seconds per second, and what measuring it twice costs. A clock that
/// moves faster the wrong way is moved by somebody.
const RUNAWAY: f64 = 500e-6;
const BLUR: f64 = 0.02;

pub(super) fn findings(case: &Case<'_>) -> Vec<Finding> {
    // Where nobody measures, nothing is seen to move.
    let measured = case.figures.voters > 0 || case.figures.error_source == Some(ErrorSource::Probes);
    // Who may not set it needs not be watched for long to be told.
    if case.figures.powerless || !case.figures.trusted || !measured {
        return Vec::new();
    }
    let looks = looks(case);
    [standing(case, &looks), unadjusted(case, &looks)].into_iter().flatten().collect()
}

/// Time in which a healthy daemon with this poll makes at least one adjustment.
pub(super) fn patience(poll: i64) -> f64 {
    (POLLS * poll as f64).max(SHORTEST)
}

/// How much nearer to right the clock is than at an earlier look by the same means: what the daemon shows and what probes measure
/// may differ by more than a clock moves.
fn progress(case: &Case<'_>, look: &Look<'_>) -> Option<f64> {
    let before = look.seen.clock_error.filter(|_| look.seen.error_source == case.figures.error_source)?;
    Some((before - case.figures.clock_error?) * before.signum())
}

/// Whether an earlier run saw a larger error that has since gone down about as fast as this kernel slews.
pub(super) fn shrinks(case: &Case<'_>) -> bool {
    let slew = case.limits.slew;
    let looks = looks(case);
    let apart = |look: &&Look<'_>| look.watched >= SHORTEST / 10.0;
    let seen = looks.iter().filter(apart).find_map(|look| Some((look, progress(case, look)?)));
    seen.is_some_and(|(look, progress)| {
        let before = look.seen.clock_error.unwrap_or(0.0).abs();
        let expected = before.min(slew.normal * look.watched);
        // Faster, or beyond, is somebody who sets it.
        let most = slew.normal.max(slew.large) * 1.1 * look.watched + BLUR;
        progress >= FAST * expected && progress <= most && progress <= before + BLUR
    })
}

fn standing(case: &Case<'_>, looks: &[Look<'_>]) -> Option<Finding> {
    let error = case.figures.clock_error.filter(|error| error.abs() > case.limits.warning)?;
    // What was right, or wrong the other way, in between, is another error.
    let wrong = |look: &&Look<'_>| {
        look.seen.clock_error.is_some_and(|before| before * error.signum() > case.limits.warning)
    };
    let same_claim = |look: &&Look<'_>| {
        look.seen.synced == case.figures.synced && look.seen.error_source == case.figures.error_source
    };
    // It need not begin to adjust before its patience is over.
    let corrected = |look: &Look<'_>| look.watched - patience(look.poll);
    let expected = |look: &Look<'_>| {
        let before = look.seen.clock_error.unwrap_or(0.0).abs();
        before.min(case.limits.slew.normal * corrected(look))
    };
    let visible = 3.0 * case.figures.jitter.max(0.005);
    let since = looks.iter().take_while(wrong).filter(same_claim);
    let look = since.filter(|look| corrected(look) > 0.0).find(|look| expected(look) > visible)?;
    let before = look.seen.clock_error.unwrap_or(0.0).abs();
    let progress = progress(case, look)?;
    let away = progress < -(RUNAWAY * look.watched + BLUR);
    let adjusts = case.figures.adjusted_ago.is_some_and(|ago| ago < look.watched);
    if progress >= PART * expected(look) || away || adjusts {
        return None;
    }
    let (error, expected) = (error.abs(), expected(look));
    let text = format!(
        "the clock is off by {} and was off by {} {} ago: expected at least {} less by now, so nothing corrects it",
        spoken(error),
        spoken(before),
        lasting(look.watched),
        spoken(expected)
    );
    Some(Finding::new(Verdict::Stuck, Severity::Critical, text))
}

/// The daemon's own answer on the loopback address carries the time of its last adjustment. What its polls were since then decides
/// how long ago that may be.
fn unadjusted(case: &Case<'_>, looks: &[Look<'_>]) -> Option<Finding> {
    // A daemon whose peers have just fallen silent has nothing to adjust by.
    let measures =
        2 * case.figures.voters > case.figures.total_peers as usize && case.figures.synced == Some(true);
    let ago = case.figures.adjusted_ago.filter(|_| measures)?;
    let now = case.evidence.now;
    let before = |look: &&Look<'_>| now - look.seen.at >= ago;
    let since = looks.iter().take_while(|look| !before(look)).last()?;
    let poll = match looks.iter().find(before) {
        Some(earlier) => earlier.poll,
        None => since.poll.max(LONGEST_POLL),
    };
    let allowed = patience(poll) + case.limits.slew.time_for(case.figures.error());
    if since.watched <= allowed {
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
