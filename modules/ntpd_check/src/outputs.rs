// SPDX-License-Identifier: GPL-3.0-or-later

//! One outcome, four ways to say it.

pub mod json;
pub mod nagios;
pub mod prometheus;
pub mod text;
mod view;

pub use view::PeerView;

use crate::evidence::Source;
use crate::judgement::Judgement;
use crate::observe::Observed;
use crate::repair::RepairPlan;

/// Everything a run has to say.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was found out.
    pub observed: Observed,
    /// What to think of it.
    pub judgement: Judgement,
    /// What is, or would be, done about it.
    pub repair: RepairPlan,
    /// Whether the daemon has been restarted.
    pub restarted: bool,
}

impl Outcome {
    /// Whether there was an answer: without one nothing is known about peers, and an alert about them must not end.
    pub fn is_answered(&self) -> bool {
        !matches!(self.observed.evidence.source, Source::Failed(_))
    }

    /// What was done about the daemon, would be done, or was not and why: one line each.
    fn repair_lines(&self) -> Vec<String> {
        let done = match (self.restarted, self.repair.restart) {
            (true, _) => Some("the daemon was restarted".to_owned()),
            // What came of it is a note.
            (false, true) if self.repair.acted => None,
            (false, true) => {
                let command = self.repair.command.iter().map(|command| format!(" (`{command}`)"));
                Some("the daemon would be restarted".to_owned() + &command.collect::<String>())
            }
            (false, false) => None,
        };
        let refused = self.repair.refused.iter().map(|rail| format!("not restarted: {rail}"));
        done.into_iter().chain(self.repair.warnings.iter().cloned()).chain(refused).collect()
    }
}

#[cfg(test)]
mod tests;
