// SPDX-License-Identifier: GPL-3.0-or-later

//! What keeps a daemon from steering the clock that no row of ntpctl shows: it may not, or somebody else does, too.

use super::case::Case;
use super::limits::Limits;
use super::{figures, leap};
use crate::evidence::Evidence;
use crate::report::Report;
use crate::spoken::{lasting, spoken};
use crate::verdict::{Finding, Severity, Verdict};

/// Steps of the clock in this time, in seconds, are counted.
const RECENT: f64 = leap::DAY;

/// Steps after which it is no accident any more.
const STEPS: usize = 2;

/// Whether the daemon has tried to adjust the clock, or has had the time to, and may not.
pub(super) fn is_powerless(report: &Report, evidence: &Evidence, limits: &Limits) -> bool {
    let old = evidence.uptime.is_some_and(|uptime| uptime > limits.start_grace);
    let unsynced = report.status.as_ref().is_some_and(|status| !status.synced);
    evidence.may_set == Some(false) && (figures::shifted(report) || (old && unsynced))
}

/// The same at every look: how far off the rows are goes up with each reply and back to nothing with each attempt.
pub(super) fn powerless(case: &Case<'_>) -> Vec<Finding> {
    if !case.figures.powerless {
        return Vec::new();
    }
    let text = "the daemon may not set the clock (it has no CAP_SYS_TIME): its corrections have no effect, and what it shows has been \
                shifted by them; give it that right, or in a container leave the clock to the host and remove the daemon";
    let largest = case.offsets().into_iter().max_by(|a, b| a.abs().total_cmp(&b.abs()));
    let note = |offset| {
        Finding::note(format!(
            "at this look its rows show up to {}; direct probes tell how far off the clock is",
            spoken(offset)
        ))
    };
    let finding = Finding::new(Verdict::Unsynced, Severity::Critical, text);
    std::iter::once(finding).chain(largest.map(note)).collect()
}

/// A second daemon, or hypervisor tools that set the clock under a running daemon.
pub(super) fn contested(evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !evidence.rivals.is_empty() {
        let text = format!(
            "somebody else sets the clock, too: {}; two daemons work against each other, so stop one of them",
            evidence.rivals.join(", ")
        );
        findings.push(Finding::new(Verdict::Contested, Severity::Warning, text));
    }
    let steps = steps(evidence);
    let Some((ago, step)) = steps.first() else { return findings };
    let text = format!(
        "somebody has set the clock by {} in the {} before this look{}: a hypervisor's tools, a second daemon or a person; ntpd itself \
         only slews",
        spoken(*step),
        lasting(*ago),
        match steps.len() {
            0 | 1 => String::new(),
            2 => ", and once more in a day".to_owned(),
            more => format!(", and {} times more in a day", more - 1),
        }
    );
    findings.push(match steps.len() {
        STEPS.. => Finding::new(Verdict::Contested, Severity::Warning, text),
        _ => Finding::note(text),
    });
    findings
}

/// Steps between looks, latest first: before how many seconds at most, and by how much.
fn steps(evidence: &Evidence) -> Vec<(f64, f64)> {
    if leap::near(evidence) {
        return Vec::new();
    }
    let mut later = evidence.moment();
    let mut steps = Vec::new();
    let recent = evidence.state.history.iter().rev().take_while(|seen| evidence.now - seen.at <= RECENT);
    for seen in recent {
        if let Some(step) = later.stepped_since(&seen.moment()) {
            steps.push((evidence.now - seen.at, step));
        }
        later = seen.moment();
    }
    steps
}
