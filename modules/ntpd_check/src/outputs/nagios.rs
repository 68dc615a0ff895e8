// SPDX-License-Identifier: GPL-3.0-or-later

//! Output of a monitoring plugin, after the Monitoring Plugins development guidelines: one line with performance
//! data, more lines below it, exit status 0 to 3.

use super::Outcome;
use crate::params::Params;
use crate::soft::Shown;

/// The text; its last line ends without a newline.
pub fn text(outcome: &Outcome, params: &Params, shown: &Shown) -> String {
    let judgement = &outcome.judgement;
    let first = judgement.reasons.first().cloned().unwrap_or_else(|| healthy(outcome));
    let soft = shown.soft.map_or_else(String::new, |(look, of)| {
        format!("soft {} ({look} of {of}), ", judgement.severity.word().to_lowercase())
    });
    let mut text = format!(
        "NTPD {} - {soft}{}: {} | {}",
        shown.severity.word(),
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
    let (warning, critical) = params.ranges();
    let both = format!("{warning};{critical};;");
    let size = format!("{};{};0;", params.offset_warning.as_f64(), params.offset_critical.as_f64());
    let seconds = |label: &str, value: Option<f64>, ranges: &str| match value {
        Some(value) => format!("{label}={value:.6}s;{ranges}"),
        None => format!("{label}=U;{ranges}"),
    };
    let count = |label: &str, value: Option<String>, ranges: &str| {
        format!("{label}={};{ranges}", value.unwrap_or_else(|| "U".to_owned()))
    };
    // Who was not asked has said nothing about peers.
    let asked = outcome.is_answered();
    let total = if asked { clock.total_peers.to_string() } else { String::new() };
    let blocking = outcome.judgement.blocking_peers.len();
    [
        seconds("offset", clock.clock_error, &both),
        seconds("offset_mean", clock.offset_mean, &size),
        seconds("offset_median", clock.offset_median, &size),
        seconds("pending", clock.pending_slew, ";;;"),
        seconds("constraint", clock.constraint_offset, "-3:3;-10:10;;"),
        count(
            "peers",
            asked.then(|| clock.valid_peers.to_string()),
            &format!("{}:;1:;0;{total}", params.min_peers),
        ),
        count("blocking", asked.then(|| blocking.to_string()), "0;;0;"),
        count(
            "stratum",
            clock.stratum.map(|stratum| stratum.to_string()),
            &format!("{};;0;16", params.max_stratum),
        ),
    ]
    .join(" ")
}
