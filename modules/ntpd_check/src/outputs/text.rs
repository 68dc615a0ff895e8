// SPDX-License-Identifier: GPL-3.0-or-later

//! For a person at a terminal.

use std::fmt::Write;

use super::{Outcome, PeerView};
use crate::spoken::spoken;

/// The verdict, why, and the peers.
pub fn text(outcome: &Outcome) -> String {
    let judgement = &outcome.judgement;
    let clock = &judgement.clock;
    let mut text = format!("{}: {}\n", judgement.severity.word(), judgement.verdict.word());
    for reason in &judgement.reasons {
        line(&mut text, &format!("  - {reason}"));
    }
    if let Some(error) = clock.clock_error {
        let figure = |value: Option<f64>| value.map_or("unknown".to_owned(), spoken);
        line(
            &mut text,
            &format!(
                "clock error {} (by {}; mean {}, median {})",
                spoken(error),
                clock.error_source.map_or("nobody".to_owned(), |source| source.to_string()),
                figure(clock.offset_mean),
                figure(clock.offset_median)
            ),
        );
    }
    if let Some(offset) = clock.constraint_offset {
        line(&mut text, &format!("constraints {}", spoken(offset)));
    }
    for note in judgement.notes.iter().chain(&outcome.observed.notes) {
        line(&mut text, &format!("note: {note}"));
    }
    for peer in PeerView::all(outcome) {
        line(&mut text, &row(&peer));
    }
    for one in &outcome.observed.candidates {
        let rank = one.rank.map_or("refused".to_owned(), |rank| format!("rank {rank}"));
        line(&mut text, &format!("candidate {}: {rank} {}", one.server, one.reason.as_deref().unwrap_or("")));
    }
    for told in outcome.repair_lines() {
        line(&mut text, &told);
    }
    text
}

fn row(peer: &PeerView) -> String {
    let mark = match peer {
        PeerView { blocking: true, .. } => "BLOCKING",
        PeerView { falseticker: true, .. } => "FALSE",
        PeerView { selected: true, .. } => "followed",
        PeerView { valid: true, .. } => "valid",
        _ => "not valid",
    };
    let offset = peer.offset.map_or("-".to_owned(), spoken);
    format!("{mark:>9}  {}  offset {offset}  poll {} s", peer.peer, peer.poll)
}

fn line(text: &mut String, line: &str) {
    // Writing into a String cannot fail.
    let _ = writeln!(text, "{}", line.trim_end());
}
