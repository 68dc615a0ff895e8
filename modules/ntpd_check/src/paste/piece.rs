// SPDX-License-Identifier: GPL-3.0-or-later

//! One piece of a report at the beginning of some words.

use super::row::{Row, row};
use super::word::{Word, starts, whole_seconds};
use crate::report::{Constraint, Count};

/// What a report is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// `4/4 peers valid`; nothing where the numbers are damaged.
    Peers(Option<Count>),
    /// `1/1 sensors valid`.
    Sensors(Option<Count>),
    /// What is said of constraints.
    Constraint(Constraint),
    /// `no peers and no sensors configured`, or of one kind.
    Nothing,
    /// The claim that ends the status.
    Clock(Clock),
    /// `peer` above its table.
    PeerTitle,
    /// `sensor` above its table.
    SensorTitle,
    /// The names of the columns of a peer table.
    PeerHeader,
    /// The names of the columns of a sensor table.
    SensorHeader,
    /// One row of either.
    Row(Row),
}

/// The end of a status line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Clock {
    pub(super) synced: bool,
    pub(super) stratum: Option<u32>,
    pub(super) pending: Option<f64>,
    /// Whether the line ends in the middle of what it says.
    pub(super) cut: bool,
}

const PEER_COLUMNS: [&str; 8] = ["wt", "tl", "st", "next", "poll", "offset", "delay", "jitter"];
const SENSOR_COLUMNS: [&str; 7] = ["wt", "gd", "st", "next", "poll", "offset", "correction"];

/// Columns that make a header, for the first or last may be lost.
const FEWEST: usize = 3;

/// The piece that these words begin with, and how many of them it takes.
pub(super) fn piece(words: &[Word<'_>]) -> Option<(Piece, usize)> {
    status(words)
        .or_else(|| header(words))
        .or_else(|| title(words))
        .or_else(|| row(words).map(|(row, length)| (Piece::Row(row), length)))
}

fn status(words: &[Word<'_>]) -> Option<(Piece, usize)> {
    let begins = |expected: &[&str]| starts(words, expected);
    if begins(&["clock", "synced"]) || begins(&["clock", "unsynced"]) {
        return Some(clock(words));
    }
    if begins(&["no", "peers", "and", "no", "sensors", "configured"]) {
        return Some((Piece::Nothing, 6));
    }
    if begins(&["no", "peers", "configured"]) || begins(&["no", "sensors", "configured"]) {
        return Some((Piece::Nothing, 3));
    }
    if begins(&["constraints", "configured", "but", "none", "available"]) {
        return Some((Piece::Constraint(Constraint::Unavailable), 5));
    }
    if begins(&["constraint", "offset"]) {
        let seconds = whole_seconds(words.get(2)?.text)?;
        let errors = words.get(3).and_then(|word| word.text.parse().ok());
        let errors = errors.filter(|_| words.get(4).is_some_and(|word| word.text == "errors"));
        let piece = Piece::Constraint(Constraint::Offset { seconds, errors: errors.unwrap_or(0) });
        return Some((piece, if errors.is_some() { 5 } else { 3 }));
    }
    let counted = words.first().filter(|word| word.text.contains('/'))?;
    let kind = words.get(1)?.text;
    if words.get(2)?.text != "valid" {
        return None;
    }
    match kind {
        "peers" => Some((Piece::Peers(count(counted.text)), 3)),
        "sensors" => Some((Piece::Sensors(count(counted.text)), 3)),
        _ => None,
    }
}

/// `4/4`, whatever stands right before it: `file:12:4/4`, `[quote]4/4`.
fn count(word: &str) -> Option<Count> {
    let word = word.rsplit(|char: char| !(char.is_ascii_digit() || char == '/')).next()?;
    let (valid, total) = word.split_once('/')?;
    let count = Count { valid: valid.parse().ok()?, total: total.parse().ok()? };
    (count.valid <= count.total).then_some(count)
}

fn clock(words: &[Word<'_>]) -> (Piece, usize) {
    let synced = starts(words, &["clock", "synced"]);
    let mut clock = Clock { synced, stratum: None, pending: None, cut: false };
    let rest = words.get(2..).unwrap_or_default();
    let length = if synced {
        clock.stratum = rest.get(1).and_then(|word| word.text.trim_end_matches('.').parse().ok());
        let named = starts(rest, &["stratum"]);
        // A claim to be synced never stands without its stratum.
        clock.cut = !named || clock.stratum.is_none();
        if named { 3 + usize::from(clock.stratum.is_some()) } else { 2 }
    } else {
        let offset = ["clock", "offset", "is"];
        let same = rest.iter().zip(offset).take_while(|(word, part)| word.text == *part).count();
        let value = super::row::millis(rest.get(3..).unwrap_or_default()).filter(|_| same == 3);
        clock.pending = value.map(|(value, _)| value);
        clock.cut = same > 0 && value.is_none();
        2 + same + value.map_or(0, |(_, length)| length)
    };
    (Piece::Clock(clock), length.min(words.len()))
}

fn header(words: &[Word<'_>]) -> Option<(Piece, usize)> {
    let run = |columns: &[&str]| {
        let first = words.first()?;
        let from = columns.iter().position(|column| first.text.eq_ignore_ascii_case(column))?;
        let same = words.iter().zip(columns.get(from..)?);
        Some(same.take_while(|(word, column)| word.text.eq_ignore_ascii_case(column)).count())
    };
    let (peers, sensors) = (run(&PEER_COLUMNS).unwrap_or(0), run(&SENSOR_COLUMNS).unwrap_or(0));
    match (peers >= FEWEST, sensors > peers && sensors >= FEWEST) {
        (_, true) => Some((Piece::SensorHeader, sensors)),
        (true, false) => Some((Piece::PeerHeader, peers)),
        _ => None,
    }
}

/// A title ends its line; before it there may be what a tool puts before every line.
fn title(words: &[Word<'_>]) -> Option<(Piece, usize)> {
    let first = words.first()?;
    if words.get(1).is_some_and(|next| next.line == first.line) {
        return None;
    }
    match first.text {
        "peer" => Some((Piece::PeerTitle, 1)),
        "sensor" => Some((Piece::SensorTitle, 1)),
        _ => None,
    }
}
