//! One outcome, four ways to say it.

pub mod json;
pub mod nagios;
pub mod prometheus;
pub mod text;
mod view;

pub use view::PeerView;

use crate::judge::Judgement;
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

#[cfg(test)]
mod tests;
