// SPDX-License-Identifier: GPL-3.0-or-later

//! The report that the pieces of a paste make.

use std::collections::BTreeSet;

use super::clean::SIDE;
use super::names::{self, Named};
use super::piece::Piece;
use super::pieces::Found;
use super::row::{Measured, Row};
use super::word::Word;
use crate::report::{Peer, Report, Sample, Sensor, Status};

/// What was made of them.
#[derive(Debug, Default)]
pub(super) struct Built {
    /// What stands in them, and what is cut off within one.
    pub(super) report: Report,
    /// Lines that gave a name.
    pub(super) used: Vec<usize>,
    /// Whether ntpctl says that there is neither peer nor sensor.
    pub(super) nothing_configured: bool,
}

/// Puts the pieces together.
pub(super) fn report(words: &[Word<'_>], pieces: &[&Found]) -> Built {
    let mut built = Built { nothing_configured: has_nothing(words, pieces), ..Built::default() };
    built.status(pieces);
    let sensors = built.report.status.as_ref().is_some_and(|status| status.sensors.is_some());
    let rows = rows(words, pieces, sensors);
    let (peers, devices): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| !row.sensor);
    built.peers(words, &peers);
    built.sensors(&devices);
    built
}

/// A row with the words that may name it.
struct Placed<'a> {
    row: &'a Row,
    sensor: bool,
    before: &'a [Word<'a>],
    end: usize,
}

fn rows<'a>(words: &'a [Word<'a>], pieces: &[&'a Found], has_sensors: bool) -> Vec<Placed<'a>> {
    let mut table = None;
    let mut from = 0;
    let mut rows = Vec::new();
    for found in pieces {
        match &found.piece {
            Piece::PeerTitle | Piece::PeerHeader => table = Some(false),
            Piece::SensorTitle | Piece::SensorHeader => table = Some(true),
            Piece::Row(row) => {
                // Where no header says which table this is, its shape does.
                let sensor = table.unwrap_or(match &row.measured {
                    Measured::Values(values) => has_sensors && values.len() == 2,
                    Measured::NotValid { sensor } => *sensor,
                });
                let before = naming(words.get(from..=found.start).unwrap_or_default());
                rows.push(Placed { row, sensor, before, end: found.end });
            }
            _ => (),
        }
        from = found.end;
    }
    rows
}

/// The words that may name a row, from those up to its own first one: what stands before it on its line does only where no
/// other line names it, for it may be what a tool puts before every line.
fn naming<'a>(words: &'a [Word<'a>]) -> &'a [Word<'a>] {
    let Some((first, before)) = words.split_last() else { return words };
    let own = before.iter().rev().take_while(|word| word.line == first.line).count();
    let above = before.get(..before.len() - own).unwrap_or_default();
    if above.is_empty()
        || names::address_in(before.get(above.len()..).unwrap_or_default()) && !names::address_in(above)
    {
        before
    } else {
        above
    }
}

fn has_nothing(words: &[Word<'_>], pieces: &[&Found]) -> bool {
    let mut nothing = pieces.iter().filter(|found| found.piece == Piece::Nothing);
    nothing.any(|found| words.get(found.start + 1..found.end).is_some_and(|rest| rest.len() == 5))
}

impl Built {
    fn status(&mut self, pieces: &[&Found]) {
        let mut status = Status::default();
        let mut claimed = false;
        for found in pieces {
            match &found.piece {
                Piece::Peers(count) => status.peers = *count,
                Piece::Sensors(count) => status.sensors = *count,
                Piece::Constraint(constraint) => status.constraint = Some(*constraint),
                Piece::Clock(clock) => {
                    claimed = true;
                    (status.synced, status.stratum) = (clock.synced, clock.stratum);
                    status.pending = clock.pending;
                    if clock.cut {
                        self.report.gaps.push("the status line is cut off".to_owned());
                    }
                }
                _ => (),
            }
        }
        // Counts without a claim say nothing about the clock.
        self.report.status = claimed.then_some(status);
    }

    fn peers(&mut self, words: &[Word<'_>], rows: &[Placed<'_>]) {
        let before: Vec<_> = rows.iter().map(|row| row.before).collect();
        let behind = rows.last().map_or(&[][..], |row| behind(words, row.end));
        let named = names::all(&before, behind);
        let mut taken = BTreeSet::new();
        for (index, (placed, named)) in rows.iter().zip(named).enumerate() {
            let place = format!("row {}", index + 1);
            self.used.extend(&named.lines);
            self.report.gaps.extend(cut(placed.row, &place, 3));
            let mut peer = peer(placed.row, &named);
            if peer.address.is_none() && !named.unresolved {
                let free = named.stand_in.filter(|name| taken.insert(*name));
                peer.stand_in = Some(free.map_or(place, str::to_owned));
            }
            self.report.peers.push(peer);
        }
    }

    fn sensors(&mut self, rows: &[Placed<'_>]) {
        for (index, placed) in rows.iter().enumerate() {
            let place = format!("sensor {}", index + 1);
            self.report.gaps.extend(cut(placed.row, &place, 2));
            let line = placed.before.last().map(|word| word.line);
            let name = placed.before.iter().filter(|word| Some(word.line) == line);
            let name: Vec<_> = name.take_while(|word| !word.text.starts_with(SIDE)).collect();
            let (device, refid) = match name[..] {
                [.., device, refid] => (device.text.to_owned(), refid.text.to_owned()),
                [device] => (device.text.to_owned(), String::new()),
                [] => (place, String::new()),
            };
            self.used.extend(line);
            self.report.sensors.push(sensor(placed.row, device, refid));
        }
    }
}

/// The words behind a row on its own line.
fn behind<'a>(words: &'a [Word<'a>], end: usize) -> &'a [Word<'a>] {
    let line = end.checked_sub(1).and_then(|last| words.get(last)).map(|word| word.line);
    let rest = words.get(end..).unwrap_or_default();
    let length = rest.iter().take_while(|word| Some(word.line) == line).count();
    rest.get(..length).unwrap_or_default()
}

fn peer(row: &Row, named: &Named<'_>) -> Peer {
    let sample = match &row.measured {
        Measured::Values(values) => values.first().map(|&offset| Sample {
            offset,
            delay: values.get(1).copied().unwrap_or(0.0),
            jitter: values.get(2).copied().unwrap_or(0.0),
        }),
        Measured::NotValid { .. } => None,
    };
    Peer {
        address: named.address.map(str::to_owned),
        name: named.name.map(str::to_owned),
        pool: named.pool,
        selected: row.marked,
        weight: row.weight.unwrap_or(1),
        trust: row.level,
        stratum: row.stratum,
        next: row.next,
        poll: row.poll,
        sample,
        stand_in: None,
    }
}

fn sensor(row: &Row, device: String, refid: String) -> Sensor {
    let value = |at: usize| match &row.measured {
        Measured::Values(values) => values.get(at).copied(),
        Measured::NotValid { .. } => None,
    };
    Sensor {
        device,
        refid,
        selected: row.marked,
        weight: row.weight.unwrap_or(1),
        good: row.level,
        stratum: row.stratum.unwrap_or(0),
        next: row.next,
        poll: row.poll,
        offset: value(0),
        correction: value(1),
    }
}

/// What a row lacks at its edges.
fn cut(row: &Row, place: &str, columns: usize) -> Option<String> {
    if row.headless {
        return Some(format!("{place} has lost its left half: whether the daemon waits for it is not known"));
    }
    let Measured::Values(values) = &row.measured else { return None };
    match values.len() {
        0 => Some(format!("{place} is cut off behind its poll: its offset is not known")),
        found if found < columns => {
            Some(format!("{place} is cut off behind {found} of {columns} figures: the others count as 0"))
        }
        _ => None,
    }
}
