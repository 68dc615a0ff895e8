// SPDX-License-Identifier: GPL-3.0-or-later

//! What only a monitoring check is asked for: ranges, states of one's own, a server to compare with.

use anyhow::{Result, bail, ensure};

use crate::judgement::Judgement;
use crate::params::Params;
use crate::range::Range;
use crate::spoken::spoken;
use crate::verdict::{Finding, Severity, Verdict};

/// Verdicts of a daemon that could not be asked.
pub const UNREACHABLE: [Verdict; 4] =
    [Verdict::NoTool, Verdict::NoDaemon, Verdict::NoPermission, Verdict::NotAnswering];

/// Flags of the command line that are no options of the module.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Monitoring {
    /// Range that warns, in place of `offset_warning`.
    pub warning: Option<Range>,
    /// Range that is critical, in place of `offset_critical`.
    pub critical: Option<Range>,
    /// How bad a finding of some kind is, in place of what the judgement says.
    pub states: Vec<(Verdict, Severity)>,
    /// Server that is asked in place of the daemon.
    pub server: Option<String>,
    /// Looks in a row that must be bad before an alert.
    pub attempts: u32,
}

impl Params {
    /// The ranges that clock errors are judged by.
    pub fn ranges(&self) -> (Range, Range) {
        let within = |range: Option<Range>, size: f64| range.unwrap_or(Range::within(size));
        let Monitoring { warning, critical, .. } = self.monitoring;
        (within(warning, self.offset_warning.as_f64()), within(critical, self.offset_critical.as_f64()))
    }

    /// Refuses a warning that would come after the critical state.
    ///
    /// # Errors
    /// Names both ranges.
    pub fn check_ranges(&self) -> Result<()> {
        let (warning, critical) = self.ranges();
        ensure!(
            warning.fits_into(&critical) != Some(false),
            "expected a warning range within the critical one, {critical}, found {warning}: critical would come before the warning"
        );
        Ok(())
    }

    /// The judgement by the ranges and states that were asked for.
    pub fn settle(&self, mut judgement: Judgement) -> Judgement {
        let Monitoring { warning, critical, states, .. } = &self.monitoring;
        if warning.is_none() && critical.is_none() && states.is_empty() {
            return judgement;
        }
        if warning.is_some() || critical.is_some() {
            judgement.findings.retain(|finding| finding.verdict != Verdict::Offset);
            judgement.findings.extend(self.offset(&judgement));
        }
        for finding in &mut judgement.findings {
            let state = states.iter().rev().find(|(verdict, _)| *verdict == finding.verdict);
            finding.severity = state.map_or(finding.severity, |(_, severity)| *severity);
        }
        judgement.conclude();
        judgement
    }

    fn offset(&self, judgement: &Judgement) -> Option<Finding> {
        let error = judgement.clock.clock_error?;
        let (warning, critical) = self.ranges();
        let severity = match (critical.alerts(error), warning.alerts(error)) {
            (true, _) => Severity::Critical,
            (false, true) => Severity::Warning,
            (false, false) => return None,
        };
        let text = format!(
            "the clock is off by {} (warning by range {warning}, critical by {critical})",
            spoken(error)
        );
        Some(Finding::new(Verdict::Offset, severity, text))
    }
}

/// Reads `FAILURE=STATE`.
///
/// # Errors
/// Where either is none that exists.
pub fn state(text: &str) -> Result<(Verdict, Severity)> {
    let Some((verdict, severity)) = text.split_once('=') else {
        bail!("expected VERDICT=STATE as in no_permission=critical, found {text:?}");
    };
    let found = Verdict::ALL.into_iter().find(|known| known.word() == verdict.replace('-', "_"));
    let Some(found) = found.filter(|found| *found != Verdict::Ok) else {
        let known: Vec<_> =
            Verdict::ALL.iter().map(|known| known.word()).filter(|word| *word != "ok").collect();
        bail!("expected a verdict, one of {}, found {verdict:?}", known.join(", "));
    };
    Ok((found, severity_of(severity)?))
}

/// Reads a state by its word.
///
/// # Errors
/// Where there is no such state.
pub fn severity_of(word: &str) -> Result<Severity> {
    let all = [Severity::Ok, Severity::Warning, Severity::Critical, Severity::Unknown];
    match all.into_iter().find(|severity| severity.word().eq_ignore_ascii_case(word)) {
        Some(severity) => Ok(severity),
        None => bail!("expected a state, one of ok, warning, critical, unknown, found {word:?}"),
    }
}

#[cfg(test)]
mod tests;
