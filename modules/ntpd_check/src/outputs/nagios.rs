// SPDX-License-Identifier: GPL-3.0-or-later

//! Output of a monitoring plugin, after the Monitoring Plugins development guidelines: one line with performance
//! data, more lines below it, exit status 0 to 3.

use super::Outcome;
use crate::params::Params;

/// The text; its last line ends without a newline.
pub fn text(outcome: &Outcome, params: &Params) -> String {
    let judgement = &outcome.judgement;
    let first = judgement.reasons.first().cloned().unwrap_or_else(|| healthy(outcome));
    let mut text = format!(
        "NTPD {} - {}: {} | {}",
        judgement.severity.word(),
        judgement.verdict.word(),
        plain(&first),
        performance(outcome, params)
    );
    let more =
        judgement.reasons.iter().skip(1).chain(&judgement.notes).chain(&outcome.observed.notes).cloned();
    for line in more.chain(outcome.repair_lines()) {
        text.push('\n');
        text += &plain(&line);
    }
    text
}

fn healthy(outcome: &Outcome) -> String {
    let clock = &outcome.judgement.clock;
    let stratum = clock.stratum.map_or_else(String::new, |stratum| format!(", stratum {stratum}"));
    let error =
        clock.clock_error.map_or_else(String::new, |error| format!(", clock error {:.3} ms", error * 1000.0));
    format!("{} of {} peers valid{stratum}{error}", clock.valid_peers, clock.total_peers)
}

/// A bar separates performance data, so none may stand in the text.
fn plain(text: &str) -> String {
    text.replace('|', "/").replace(['\n', '\r'], " ")
}

/// Labels are plain words, so they need no quotes; `U` is an unknown value.
fn performance(outcome: &Outcome, params: &Params) -> String {
    let clock = &outcome.judgement.clock;
    let (warning, critical) = (params.offset_warning.as_f64(), params.offset_critical.as_f64());
    let both = format!("-{warning}:{warning};-{critical}:{critical};;");
    let size = format!("{warning};{critical};0;");
    let seconds = |label: &str, value: Option<f64>, ranges: &str| match value {
        Some(value) => format!("{label}={value:.6}s;{ranges}"),
        None => format!("{label}=U;{ranges}"),
    };
    let blocked = outcome.judgement.blocking_peers.len();
    [
        seconds("offset", clock.clock_error, &both),
        seconds("offset_mean", clock.offset_mean, &size),
        seconds("offset_median", clock.offset_median, &size),
        seconds("pending", clock.pending_slew, ";;;"),
        format!("peers={};{}:;1:;0;{}", clock.valid_peers, params.min_peers, clock.total_peers),
        format!("blocking={blocked};0;;0;"),
        format!(
            "stratum={};{};;0;16",
            clock.stratum.map_or("U".into(), |stratum| stratum.to_string()),
            params.max_stratum
        ),
    ]
    .join(" ")
}
