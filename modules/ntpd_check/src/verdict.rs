// SPDX-License-Identifier: GPL-3.0-or-later

//! The words of a judgement.

use serde::Serialize;

/// What is the matter, in the order of how much it explains: the first finding names the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Neither ntpctl nor chronyc is installed.
    NoTool,
    /// No daemon runs: the clock is free.
    NoDaemon,
    /// The user of the check may not ask the daemon.
    NoPermission,
    /// The daemon is stopped, hung or going down.
    NotAnswering,
    /// The daemon's answer is not understood.
    ParseError,
    /// A valid peer without fresh replies stops the daemon from adjusting.
    Blocked,
    /// The clock is wrong and does not get better as fast as it must.
    Stuck,
    /// The peers contradict each other and no group has a majority.
    NoMajority,
    /// A majority agrees and at least one peer is outside it.
    Discordant,
    /// The clock is wrong by more than a threshold.
    Offset,
    /// Somebody else sets the clock, too.
    Contested,
    /// The drift file holds a frequency that no sound clock has.
    Drift,
    /// The daemon does not steer the clock.
    Unsynced,
    /// Too few valid peers to tell a wrong one.
    FewPeers,
    /// The chain to a reference clock is not believable.
    Stratum,
    /// A configured name does not resolve.
    Unresolved,
    /// Half a paste, and nothing is wrong in that half.
    Incomplete,
    /// The clock is being corrected and will be right in a known time.
    Slewing,
    /// The daemon was started a moment ago.
    Starting,
    /// Nothing is the matter.
    Ok,
}

impl Verdict {
    /// The word that users see.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoTool => "no_tool",
            Self::NoDaemon => "no_daemon",
            Self::NoPermission => "no_permission",
            Self::NotAnswering => "not_answering",
            Self::ParseError => "parse_error",
            Self::Blocked => "blocked",
            Self::Stuck => "stuck",
            Self::NoMajority => "no_majority",
            Self::Discordant => "discordant",
            Self::Offset => "offset",
            Self::Contested => "contested",
            Self::Unsynced => "unsynced",
            Self::FewPeers => "few_peers",
            Self::Stratum => "stratum",
            Self::Drift => "drift",
            Self::Unresolved => "unresolved",
            Self::Incomplete => "incomplete",
            Self::Slewing => "slewing",
            Self::Starting => "starting",
            Self::Ok => "ok",
        }
    }

    /// All of them, for outputs that list every state.
    pub const ALL: [Self; 20] = [
        Self::Ok,
        Self::Starting,
        Self::Slewing,
        Self::Blocked,
        Self::Stuck,
        Self::NoMajority,
        Self::Discordant,
        Self::Offset,
        Self::Contested,
        Self::Unsynced,
        Self::FewPeers,
        Self::Stratum,
        Self::Drift,
        Self::Unresolved,
        Self::Incomplete,
        Self::NoTool,
        Self::NoDaemon,
        Self::NoPermission,
        Self::NotAnswering,
        Self::ParseError,
    ];
}

/// How bad it is; the exit status of a Nagios plugin, ordered by urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing to do.
    Ok,
    /// Look at it in working hours.
    Warning,
    /// The check itself could not be made.
    Unknown,
    /// Time is wrong, or about to be.
    Critical,
}

impl Severity {
    /// The word that Nagios users know.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Unknown => "UNKNOWN",
            Self::Critical => "CRITICAL",
        }
    }

    /// The exit status of a Nagios plugin.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }
}

/// One thing a rule found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is; [`Verdict::Ok`] for a note without weight.
    pub verdict: Verdict,
    /// How bad it is.
    pub severity: Severity,
    /// In plain words.
    pub text: String,
}

impl Finding {
    /// A finding that counts.
    pub fn new(verdict: Verdict, severity: Severity, text: impl Into<String>) -> Self {
        Self { verdict, severity, text: text.into() }
    }

    /// Something worth knowing.
    pub fn note(text: impl Into<String>) -> Self {
        Self::new(Verdict::Ok, Severity::Ok, text)
    }
}
