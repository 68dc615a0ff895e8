// SPDX-License-Identifier: GPL-3.0-or-later

//! Why there is nothing to judge.

use crate::verdict::{Severity, Verdict};

/// A daemon that could not be asked, or an answer that could not be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What this means for the clock check.
    pub verdict: Verdict,
    /// How bad that is.
    pub severity: Severity,
    /// In plain words, with what to do.
    pub reason: String,
}

impl Failure {
    fn new(verdict: Verdict, severity: Severity, reason: impl Into<String>) -> Self {
        Self { verdict, severity, reason: reason.into() }
    }

    /// Neither ntpctl nor chronyc can be started here.
    pub fn no_tool(reason: impl Into<String>) -> Self {
        Self::new(Verdict::NoTool, Severity::Unknown, reason)
    }

    /// Nobody listens: the clock runs free.
    pub fn no_daemon(reason: impl Into<String>) -> Self {
        Self::new(Verdict::NoDaemon, Severity::Critical, reason)
    }

    /// The user of this check may not ask.
    pub fn no_permission(reason: impl Into<String>) -> Self {
        Self::new(Verdict::NoPermission, Severity::Unknown, reason)
    }

    /// The daemon exists but is stopped, hung or going down.
    pub fn not_answering(reason: impl Into<String>) -> Self {
        Self::new(Verdict::NotAnswering, Severity::Critical, reason)
    }

    /// The output is not in the known grammar.
    pub fn parse(reason: impl Into<String>) -> Self {
        Self::new(Verdict::ParseError, Severity::Unknown, reason)
    }
}
