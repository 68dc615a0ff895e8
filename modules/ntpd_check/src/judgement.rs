// SPDX-License-Identifier: GPL-3.0-or-later

//! What to think of a clock, and the numbers behind it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::verdict::{Finding, Severity, Verdict};

/// What to think of one clock.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// The one that explains most.
    pub verdict: Verdict,
    /// The worst of all findings.
    pub severity: Severity,
    /// Every finding that counts, worst explanation first.
    pub reasons: Vec<String>,
    /// Worth knowing, without weight.
    pub notes: Vec<String>,
    /// Peers the daemon waits for in vain.
    pub blocking_peers: Vec<String>,
    /// Peers outside the majority.
    pub falsetickers: Vec<String>,
    /// Everything in seconds.
    pub clock: Figures,
    /// What the reasons and notes say, with the weight of each.
    #[serde(skip)]
    pub findings: Vec<Finding>,
}

impl Judgement {
    /// Verdict, severity, reasons and notes of what was found.
    pub fn conclude(&mut self) {
        self.findings.sort_by_key(|finding| finding.verdict);
        let (notes, reasons): (Vec<_>, Vec<_>) =
            self.findings.iter().partition(|finding| finding.verdict == Verdict::Ok);
        self.verdict = reasons.first().map_or(Verdict::Ok, |finding| finding.verdict);
        self.severity = reasons.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Ok);
        let texts = |findings: Vec<&Finding>| findings.iter().map(|finding| finding.text.clone()).collect();
        (self.notes, self.reasons) = (texts(notes), texts(reasons));
    }

    /// Half a paste may show what is wrong, but never that nothing is.
    pub fn temper(&mut self, gaps: &[String]) {
        let good = self.severity == Severity::Ok;
        self.findings.extend(gaps.iter().map(|gap| match good {
            true => Finding::new(
                Verdict::Incomplete,
                Severity::Unknown,
                format!("{gap}; nothing is wrong in what is there"),
            ),
            false => Finding::note(gap),
        }));
        self.conclude();
    }
}

/// Figures of one clock, in seconds unless named otherwise; absent is never 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Figures {
    /// The daemon's own claim.
    pub synced: Option<bool>,
    /// The stratum that the daemon has, as far as it says.
    pub stratum: Option<u32>,
    /// Peers the daemon counts as valid.
    pub valid_peers: u32,
    /// Peers that are configured; a pool's members count one by one.
    pub total_peers: u32,
    /// The origin's rule: mean over the offsets of all valid peers plus the pending slew, then absolute.
    pub offset_mean: Option<f64>,
    /// Median over the offsets of all valid peers plus the pending slew, absolute.
    pub offset_median: Option<f64>,
    /// Rest of the running slew that the daemon reports.
    pub pending_slew: Option<f64>,
    /// What the clock must be moved by to be right: the number to alert on.
    pub clock_error: Option<f64>,
    /// Where `clock_error` comes from.
    pub error_source: Option<ErrorSource>,
    /// The interval that the majority agrees on, without pending slew.
    pub majority: Option<[f64; 2]>,
    /// Majority interval of the direct probes.
    pub probe_majority: Option<[f64; 2]>,
    /// Members of the majority among the valid peers, or among good probes where there are more of those.
    pub truechimers: u32,
    /// Time until the clock is right at this kernel's slew rate.
    pub eta: Option<f64>,
    /// Time since the daemon last adjusted the clock.
    pub adjusted_ago: Option<f64>,
    /// Frequency correction in parts per million.
    pub drift_ppm: Option<f64>,
    /// What HTTPS constraints say that the clock must be moved by, in whole seconds.
    pub constraint_offset: Option<f64>,
    /// Constraints that could not be asked.
    pub constraint_errors: Option<u32>,
    /// What the rows alone say that the clock must be moved by, if they say anything.
    #[serde(skip)]
    pub shown: Option<f64>,
    /// What direct probes say, if they agree among themselves, be they enough to count or not.
    #[serde(skip)]
    pub probed: Option<f64>,
    /// Whether anybody can tell how far the clock is off.
    #[serde(skip)]
    pub trusted: bool,
    /// Whether the rows have been shifted by corrections of which nobody knows whether they were made.
    #[serde(skip)]
    pub shifted: bool,
    /// Whether the daemon may not set the clock, so that no correction of its has any effect.
    #[serde(skip)]
    pub powerless: bool,
    /// Different servers whose rows are evidence.
    #[serde(skip)]
    pub voters: usize,
    /// The smallest error that any row leaves open.
    #[serde(skip)]
    pub least: f64,
    /// Distance between the largest and the smallest offset of valid peers.
    #[serde(skip)]
    pub spread: f64,
    /// Peers outside the majority by more than the warning threshold.
    #[serde(skip)]
    pub falsetickers: Vec<String>,
    /// Largest jitter among valid peers.
    #[serde(skip)]
    pub jitter: f64,
}

/// Who tells how far a clock is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorSource {
    /// What the daemon itself says its error is.
    Daemon,
    /// Direct probes of its peers, which agree.
    Probes,
}

impl fmt::Display for ErrorSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Daemon => "daemon",
            Self::Probes => "probes",
        })
    }
}
