// SPDX-License-Identifier: GPL-3.0-or-later

//! What a report lacks: what ntpctl always prints together must be there together before anything is called good.

use super::clean::Line;
use super::word::{plain, whole_seconds};
use crate::report::{Count, Report, TRUST_VALID};

/// What is missing or contradicts itself, one sentence each.
pub(super) fn of_report(report: &Report, nothing_configured: bool) -> Vec<String> {
    let mut gaps = Vec::new();
    let odd = report.peers.iter().filter(|peer| peer.sample.is_some() && !peer.counts());
    let odd: Vec<_> = odd.map(|peer| peer.label()).collect();
    if !odd.is_empty() {
        gaps.push(format!(
            "figures stand beside a trust level below {TRUST_VALID}, where ntpctl shows none: {}",
            odd.join(", ")
        ));
    }
    let Some(status) = &report.status else {
        gaps.push(
            "the status line is missing: whether the clock is synced, or being corrected, is not known"
                .to_owned(),
        );
        return gaps;
    };
    if status.peers.is_none() && status.sensors.is_none() && !nothing_configured {
        gaps.push(
            "the beginning of the status line is missing: how many peers there are is not known".to_owned(),
        );
    }
    // Pasted twice, it may stand where another one stood.
    let again = |at: usize| {
        report.peers.get(at).is_some_and(|peer| report.peers.iter().take(at).any(|other| other == peer))
    };
    let twice: Vec<_> =
        (0..report.peers.len()).filter(|at| again(*at)).map(|at| format!("row {}", at + 1)).collect();
    if !twice.is_empty() {
        gaps.push(format!("{} of the peer table is a copy of one above it", twice.join(", ")));
    }
    let valid = report.peers.iter().filter(|peer| peer.sample.is_some()).count();
    gaps.extend(table("peer", status.peers, report.peers.len(), valid));
    let valid = report.sensors.iter().filter(|sensor| sensor.offset.is_some()).count();
    gaps.extend(table("sensor", status.sensors, report.sensors.len(), valid));
    gaps
}

fn table(kind: &str, count: Option<Count>, rows: usize, valid: usize) -> Option<String> {
    let Some(count) = count else {
        return (rows > 0)
            .then(|| format!("the status line does not count the {kind}s: it is not that of this table"));
    };
    let total = count.total as usize;
    if rows == 0 && total > 0 {
        let told = if kind == "peer" { ": a blocked daemon cannot be told" } else { "" };
        return Some(format!("the {kind} table is missing{told}"));
    }
    if rows < total {
        return Some(format!("{} of {total} rows of the {kind} table are missing", total - rows));
    }
    if rows > total {
        return Some(format!("the {kind} table has {rows} rows, but the status line counts {total} {kind}s"));
    }
    (valid != count.valid as usize).then(|| {
        format!("{valid} rows of the {kind} table are valid, but the status line counts {}", count.valid)
    })
}

/// Lines that were not understood and have figures of a row.
pub(super) fn damaged(unread: &[&Line]) -> Option<String> {
    let figure = |word: &str| {
        let word = plain(word);
        let millis = word
            .strip_suffix("ms")
            .is_some_and(|number| number.ends_with(|last: char| last.is_ascii_digit()));
        millis || whole_seconds(word).is_some()
    };
    let damaged: Vec<_> = unread
        .iter()
        .filter(|line| line.text.split_whitespace().filter(|word| figure(word)).count() > 1)
        .map(|line| line.number.to_string())
        .collect();
    (!damaged.is_empty()).then(|| format!("damaged rows may stand in line {}", damaged.join(", ")))
}
