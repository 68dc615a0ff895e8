// SPDX-License-Identifier: GPL-3.0-or-later

//! What a domain does at the moment.

/// What a domain does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It runs.
    Running,
    /// It is there, but its processors stand still.
    Paused,
    /// The guest has put itself to sleep.
    Suspended,
    /// It does not run.
    Shutoff,
}

impl Activity {
    /// The word for it in replies.
    pub fn word(self) -> &'static str {
        match self {
            Activity::Running => "running",
            Activity::Paused => "paused",
            Activity::Suspended => "suspended",
            Activity::Shutoff => "shutoff",
        }
    }

    /// Whether a process of the hypervisor exists for it.
    pub fn is_active(self) -> bool {
        self != Activity::Shutoff
    }
}
