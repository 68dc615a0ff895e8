// SPDX-License-Identifier: GPL-3.0-or-later

//! A daemon that was just started is given its time, unless it, or what is remembered, shows that it will not get there.

use super::case::Case;
use super::{leap, watch};
use crate::judgement::ErrorSource;
use crate::report::{Constraint, Peer};
use crate::spoken::{lasting, spoken};
use crate::state::Snapshot;
use crate::verdict::{Finding, Severity, Verdict};

/// Longest poll of a daemon in its first minutes: 30 s and a tenth, before it lengthens its polls.
const EARLY_POLL: i64 = 34;

/// Starts without a synchronised moment in between, the present one included, that make a loop.
const LOOP: usize = 3;

/// How a start is spoken of that is only guessed.
const SEEMS_NEW: &str = "the daemon seems to have been started a moment ago";

/// A restarted daemon is silent about everything but a block and what probes see until it is synced or its grace is over.
pub(super) fn starting(case: &Case<'_>) -> Option<Finding> {
    if case.figures.synced != Some(false) || case.figures.pending_slew.is_some() {
        return None;
    }
    let text = match case.evidence.uptime {
        Some(uptime) if uptime > case.limits.start_grace => return None,
        Some(uptime) => format!(
            "the daemon was started {} ago; it needs 3 to 6 minutes to its first adjustment",
            lasting(uptime)
        ),
        None if looks_new(case) => format!("{SEEMS_NEW}{} (its start time is unknown)", what_is_new(case)),
        None => return None,
    };
    // What ntpctl shows now is not to be relied on yet; a direct measurement is.
    let measured = case.figures.error_source == Some(ErrorSource::Probes);
    let (critical, _) = leap::critical_offset(case.evidence, case.limits.critical);
    let error = case.figures.error();
    let wrong = error > case.limits.warning;
    // Rows that have been shifted by a correction without effect pass through zero at some looks.
    let middle = super::select::median(&case.offsets()).unwrap_or(0.0).abs();
    let doubtful = case.figures.shifted || middle > case.limits.warning || unheard(case);
    let severity = match measured {
        true if error > critical => Severity::Critical,
        true if wrong => Severity::Warning,
        false if case.evidence.uptime.is_none() && doubtful => Severity::Warning,
        _ => Severity::Ok,
    };
    let text = if measured && wrong {
        format!("{text}; by direct probes the clock is off by {} now", spoken(error))
    } else {
        text
    };
    Some(Finding::new(Verdict::Starting, severity, text))
}

/// What that guess rests on.
fn what_is_new(case: &Case<'_>) -> &'static str {
    if unheard(case) {
        ", or none of its peers has ever answered"
    } else if case.figures.shifted {
        ": not synced yet, short polls; it has tried to correct the clock, and a later look tells whether that has any effect"
    } else {
        ": not synced yet, short polls"
    }
}

/// Without a start time: some peer is on the way up at the first, short polls, and none has come down.
fn looks_new(case: &Case<'_>) -> bool {
    let peers = &case.report.peers;
    let rising = |peer: &Peer| peer.trust > 2 && peer.poll <= EARLY_POLL;
    let fresh = |peer: &Peer| peer.trust == 2 && peer.stratum.is_none() && peer.poll <= EARLY_POLL;
    let scaled = peers.iter().any(|peer| peer.counts() && peer.poll > EARLY_POLL);
    let lost = peers.iter().any(|peer| peer.trust == 2 && peer.stratum.is_some());
    let any_new = peers.iter().any(|peer| rising(peer) || fresh(peer));
    any_new && !unavailable(case) && !scaled && !lost && !timed_out(case)
}

/// Nobody has answered, and the first queries are over.
fn timed_out(case: &Case<'_>) -> bool {
    never_answered(case) && case.report.peers.iter().any(|peer| peer.poll > EARLY_POLL)
}

pub(super) fn unavailable(case: &Case<'_>) -> bool {
    let status = case.report.status.as_ref();
    status.is_some_and(|status| status.constraint == Some(Constraint::Unavailable))
}

/// Whether every peer has an address and none of them has ever answered, nor refused to.
pub(super) fn never_answered(case: &Case<'_>) -> bool {
    unheard(case) && case.report.peers.iter().any(Peer::is_resolved)
}

/// Whether none has, be it for want of an address.
fn unheard(case: &Case<'_>) -> bool {
    let peers = &case.report.peers;
    let silent = |peer: &Peer| {
        peer.stratum.is_none() && peer.sample.is_none() && peer.poll < crate::report::ERROR_POLL
    };
    !peers.is_empty() && peers.iter().all(silent)
}

/// Why our own memory does not believe in a start: the daemon has had its time already, in this start or in several.
pub(super) fn failed_before(case: &Case<'_>) -> Option<Finding> {
    if case.figures.synced != Some(false) {
        return None;
    }
    let never = |seen: &&Snapshot| seen.synced == Some(false);
    let unsynced: Vec<&Snapshot> = case.evidence.state.history.iter().rev().take_while(never).collect();
    let first = unsynced.last()?;
    let span = case.evidence.now - first.at;
    let starts = starts(case, &unsynced);
    if case.evidence.uptime.is_none() && watched(case, &unsynced) > case.limits.start_grace {
        let text = format!(
            "not synced at any look for {}: this is no start any more (its start time is unknown)",
            lasting(span)
        );
        return Some(Finding::new(Verdict::Unsynced, Severity::Critical, text));
    }
    let text = format!(
        "restart loop: the daemon has been started {starts} times at least in the last {} and was not synced at any look; see its log \
         for why it ends",
        lasting(span)
    );
    (starts >= LOOP && span > case.limits.start_grace)
        .then(|| Finding::new(Verdict::Unsynced, Severity::Critical, text))
}

/// Different starts of the daemon among these looks, latest first, and the present one.
fn starts(case: &Case<'_>, unsynced: &[&Snapshot]) -> usize {
    let young = case.evidence.uptime.is_some_and(|uptime| uptime <= case.limits.start_grace);
    if !young {
        return 1;
    }
    let mut starts = 1;
    let mut later: Option<&Snapshot> = None;
    for seen in unsynced {
        let same = match later {
            None => watch::same_start(seen, case),
            Some(later) => {
                seen.pid == later.pid && seen.uptime.unwrap_or(0.0) <= later.uptime.unwrap_or(f64::MAX)
            }
        };
        starts += usize::from(!same);
        later = Some(seen);
    }
    starts
}

/// Seconds that were watched through these looks, latest first.
fn watched(case: &Case<'_>, seen: &[&Snapshot]) -> f64 {
    let mut later = case.evidence.moment();
    let mut watched = 0.0;
    for look in seen {
        watched += later.watched_since(&look.moment(), case.evidence.state.longest_gap());
        later = look.moment();
    }
    watched
}
