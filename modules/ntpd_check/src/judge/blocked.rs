// SPDX-License-Identifier: GPL-3.0-or-later

//! Blocked discipline: OpenNTPD adjusts only when every valid peer has fresh data, and a peer whose replies are
//! invalid stays valid. One such peer stops the daemon for good, which goes on to say "synced".

use super::case::Case;
use super::figures::{lasting, spoken};
use super::leap;
use crate::report::{Peer, Report};
use crate::state::State;
use crate::verdict::{Finding, Severity, Verdict};

/// Interval after an error (`INTERVAL_QUERY_AGGRESSIVE`'s counterpart `error_interval()`: 3000 s and up to 10 % more).
/// Ordinary polls end at 1650 s and timeouts at 300 s, so nothing else reaches it.
pub const ERROR_POLL: i64 = 3000;

/// Peers the daemon waits for in vain: valid, and on the error interval or with a row that does not move.
pub fn blocking_peers(report: &Report, state: &State, ticks: f64) -> Vec<String> {
    let frozen = |peer: &Peer| is_frozen(peer, report, state, ticks);
    let blocks = |peer: &&Peer| peer.counts() && (peer.poll >= ERROR_POLL || frozen(peer));
    report.peers.iter().filter(blocks).map(|peer| peer.label().to_owned()).collect()
}

/// A row that has kept all three numbers for more than twice the longest poll brought nothing new in that time.
fn is_frozen(peer: &Peer, report: &Report, state: &State, ticks: f64) -> bool {
    let (Some(sample), Some(row)) = (peer.sample, state.rows.get(peer.label())) else { return false };
    let regular = |other: &&Peer| other.counts() && other.poll < ERROR_POLL;
    let slowest = report.peers.iter().filter(regular).map(|other| other.poll).max().unwrap_or(0);
    row.sample.same_row(&sample) && slowest > 0 && ticks - row.since > 2.0 * (slowest as f64) + 60.0
}

pub(super) fn findings(case: &Case<'_>, blocking: &[String]) -> Vec<Finding> {
    let since = case.evidence.state.blocked_since.unwrap_or(case.evidence.now);
    let lasted = case.evidence.now - since;
    let error = case.figures.error();
    let due = leap::due_within(case.evidence, leap::DAY);
    let grave = error > case.limits.warning || lasted > case.limits.blocked_critical || due;
    let severity = if grave { Severity::Critical } else { Severity::Warning };
    blocking
        .iter()
        .map(|peer| {
            let mut text = format!(
                "{peer} is counted as valid but brings no usable reply{}: the daemon waits for it and adjusts nothing",
                why(case, peer)
            );
            if lasted > 0.0 {
                text += &format!(", seen for {}", lasting(lasted));
            }
            if error > case.limits.warning {
                text += &format!("; the clock is off by {}", spoken(error));
            }
            text += "; a restart unblocks it, removing the peer from ntpd.conf cures it";
            Finding::new(Verdict::Blocked, severity, text)
        })
        .collect()
}

fn why(case: &Case<'_>, label: &str) -> String {
    let probe = case.evidence.probes.iter().find(|probe| probe.server == label);
    if let Some(problem) = probe.and_then(|probe| probe.problem()) {
        return format!(" ({problem})");
    }
    let row = case.report.peers.iter().find(|peer| peer.label() == label);
    match row {
        Some(peer) if peer.poll >= ERROR_POLL => {
            format!(
                " (its last one was refused: alarm, kiss of death, bad stratum or closed port; asked again every {} s)",
                peer.poll
            )
        }
        _ => String::new(),
    }
}
