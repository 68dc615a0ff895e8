// SPDX-License-Identifier: GPL-3.0-or-later

//! What keeps a daemon from steering the clock that no row of ntpctl shows: it may not, or somebody else does, too.

use super::case::Case;
use super::leap;
use crate::evidence::Evidence;
use crate::spoken::{lasting, spoken};
use crate::verdict::{Finding, Severity, Verdict};

/// Steps of the clock in this time, in seconds, are counted.
const RECENT: f64 = leap::DAY;

/// Steps after which it is no accident any more.
const STEPS: usize = 2;

/// Whether the daemon has tried to adjust the clock, or has had the time to, and may not.
pub(super) fn is_powerless(case: &Case<'_>) -> bool {
    let old = case.evidence.uptime.is_some_and(|uptime| uptime > case.limits.start_grace);
    let tried = case.figures.shifted || (old && case.figures.synced == Some(false));
    case.evidence.may_set == Some(false) && tried
}

pub(super) fn powerless(case: &Case<'_>) -> Option<Finding> {
    is_powerless(case).then(|| {
        let text = "the daemon may not set the clock (it has no CAP_SYS_TIME): its corrections have no effect, and what it shows has been \
                    shifted by them; give it that right, or in a container leave the clock to the host and remove the daemon";
        Finding::new(Verdict::Unsynced, Severity::Critical, text)
    })
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
        if steps.len() > 1 {
            format!(", and {} times more in a day", steps.len() - 1)
        } else {
            String::new()
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
