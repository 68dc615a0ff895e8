// SPDX-License-Identifier: GPL-3.0-or-later

//! Earlier looks at this start of the daemon, and what was watched since: not what the wall clock says has passed.

use super::case::Case;
use super::stuck::patience;
use crate::evidence::Evidence;
use crate::state::Snapshot;

/// Seconds by which the start of a process may seem to move between two looks.
const ROUNDING: f64 = 2.0;

/// An earlier look at the same start of the same daemon.
pub(super) struct Look<'a> {
    pub(super) seen: &'a Snapshot,
    /// Seconds watched since.
    pub(super) watched: f64,
    /// The longest ordinary poll since, this look and the present one included.
    pub(super) poll: i64,
}

/// Latest first.
pub(super) fn looks<'a>(case: &Case<'a>) -> Vec<Look<'a>> {
    let evidence = case.evidence;
    let (mut later, mut watched) = (evidence.moment(), 0.0);
    let mut poll = case.report.slowest_poll().unwrap_or(0);
    let mut looks = Vec::new();
    let same = |seen: &&Snapshot| same_start(seen, case);
    let longest = evidence.state.longest_gap();
    for seen in evidence.state.history.iter().rev().take_while(same) {
        let gap = later.watched_since(&seen.moment(), longest);
        // What the clock showed before somebody set it, or before nobody watched, is another clock.
        if gap <= 0.0 {
            // A row is the mean of eight replies: it takes as many polls until it shows what happened then.
            let since = watched;
            looks.retain(|look: &Look<'_>| since - look.watched >= patience(look.poll));
            break;
        }
        watched += gap;
        poll = poll.max(seen.poll.unwrap_or(0));
        looks.push(Look { seen, watched, poll });
        later = seen.moment();
    }
    looks
}

/// Seconds for which the process that runs now was watched without a break, by earlier looks of any kind.
pub(super) fn unbroken(evidence: &Evidence) -> f64 {
    let longest = evidence.state.longest_gap();
    let (mut later, mut watched) = (evidence.moment(), 0.0);
    let same = |seen: &&Snapshot| seen.pid == evidence.pid;
    for seen in evidence.state.history.iter().rev().take_while(same) {
        let gap = later.watched_since(&seen.moment(), longest);
        if gap <= 0.0 {
            break;
        }
        watched += gap;
        later = seen.moment();
    }
    watched
}

/// Whether a look saw the daemon that runs now: a process id comes again, most of all in containers.
pub(super) fn same_start(seen: &Snapshot, case: &Case<'_>) -> bool {
    let evidence = case.evidence;
    let Some(uptime) = evidence.uptime.filter(|_| evidence.pid.is_some() && seen.pid == evidence.pid) else {
        return false;
    };
    let began_before = seen.at >= evidence.now - uptime - ROUNDING;
    began_before && seen.at <= evidence.now && seen.uptime.is_none_or(|then| then <= uptime + ROUNDING)
}
