// SPDX-License-Identifier: GPL-3.0-or-later

//! Blocked discipline: OpenNTPD adjusts only when every valid peer has fresh data, and a peer whose replies are
//! invalid stays valid. One such peer stops the daemon for good, which goes on to say "synced".

use super::case::Case;
use super::leap;
use crate::evidence::Evidence;
use crate::probe::Probed;
use crate::report::{ERROR_POLL, Peer, Report};
use crate::spoken::{lasting, spoken};
use crate::verdict::{Finding, Severity, Verdict};

/// Looks at which other rows must have moved while one stood still: a daemon that did not run moves none.
const PASSED: u32 = 2;

/// Peers the daemon waits for in vain: valid, and on the error interval or with a row that does not move.
pub fn blocking_peers(report: &Report, evidence: &Evidence) -> Vec<String> {
    let frozen = |peer: &Peer| is_frozen(peer, report, evidence);
    let blocks = |peer: &&Peer| peer.counts() && (peer.poll >= ERROR_POLL || frozen(peer));
    report.peers.iter().filter(blocks).map(|peer| peer.label().to_owned()).collect()
}

/// A row that was watched keeping all three numbers for more than twice the longest poll, while others moved, brought nothing new in
/// that time. A good answer to a probe says otherwise.
fn is_frozen(peer: &Peer, report: &Report, evidence: &Evidence) -> bool {
    let (Some(sample), Some(row)) = (peer.sample, evidence.state.rows.get(peer.label())) else {
        return false;
    };
    let longest = evidence.state.longest_gap();
    let last = evidence.state.looked.map_or(0.0, |last| evidence.moment().watched_since(&last, longest));
    let slowest = report.slowest_poll().unwrap_or(0);
    let long = row.watched + last > 2.0 * (slowest as f64) + 60.0;
    let answers = probe_of(evidence, peer.label()).is_some_and(|probe| probe.best().is_some());
    row.sample.same_row(&sample) && slowest > 0 && long && row.passed >= PASSED && !answers
}

fn probe_of<'a>(evidence: &'a Evidence, label: &str) -> Option<&'a Probed> {
    evidence.probes.iter().find(|probe| probe.server == label)
}

/// Whether every peer that counts has lost its time: a restarted daemon would have nobody to ask.
pub fn all_lost(report: &Report, blocking: &[String]) -> bool {
    let counting = report.peers.iter().filter(|peer| peer.counts());
    !blocking.is_empty() && counting.clone().all(|peer| blocking.iter().any(|label| label == peer.label()))
}

pub(super) fn findings(case: &Case<'_>, blocking: &[String]) -> Vec<Finding> {
    if blocking.is_empty() {
        return Vec::new();
    }
    if all_lost(case.report, blocking) {
        return vec![lost(case, blocking)];
    }
    blocking.iter().map(|peer| blocked_by(case, peer)).collect()
}

/// What the rows show counts as much as what probes say: servers may have missed a leap second together with this host.
fn error(case: &Case<'_>) -> f64 {
    case.figures.error().max(case.figures.shown.unwrap_or(0.0).abs())
}

fn severity(case: &Case<'_>) -> Severity {
    let grave = error(case) > case.limits.warning
        || lasted(case) > case.limits.blocked_critical
        || leap::due_within(case.evidence, leap::DAY);
    if grave { Severity::Critical } else { Severity::Warning }
}

fn lasted(case: &Case<'_>) -> f64 {
    let state = &case.evidence.state;
    (case.evidence.now - state.blocked_since.unwrap_or(case.evidence.now)).max(0.0)
}

fn lost(case: &Case<'_>, blocking: &[String]) -> Finding {
    let mut text = format!(
        "all sources lost their time: none of {} brings a usable reply, and the daemon adjusts nothing",
        blocking.join(", ")
    );
    text += &so_far(case);
    text += "; a restart makes it worse, for it would find nobody: see to the sources, or name others in ntpd.conf";
    Finding::new(Verdict::Blocked, Severity::Critical, text)
}

fn so_far(case: &Case<'_>) -> String {
    let mut text = String::new();
    if lasted(case) > 0.0 {
        text += &format!(", seen for {}", lasting(lasted(case)));
    }
    if error(case) > case.limits.warning {
        text += &format!("; the clock is off by {}", spoken(error(case)));
    }
    text
}

fn blocked_by(case: &Case<'_>, peer: &str) -> Finding {
    let text = format!(
        "{peer} is counted as valid but brings no usable reply{}: the daemon waits for it and adjusts nothing{}; a restart unblocks \
         it, removing the peer from ntpd.conf cures it",
        why(case, peer),
        so_far(case)
    );
    Finding::new(Verdict::Blocked, severity(case), text)
}

fn why(case: &Case<'_>, label: &str) -> String {
    let probe = probe_of(case.evidence, label);
    if let Some(problem) = probe.and_then(|probe| probe.problem()) {
        return format!(" ({problem})");
    }
    let well =
        if probe.is_some_and(|probe| probe.best().is_some()) { "; it answers a probe well now" } else { "" };
    let row = case.report.peers.iter().find(|peer| peer.label() == label);
    match row {
        Some(peer) if peer.poll >= ERROR_POLL => {
            format!(
                " (its last one was refused: alarm, kiss of death, bad stratum or closed port; asked again every {} s{well})",
                peer.poll
            )
        }
        _ => String::new(),
    }
}
