// SPDX-License-Identifier: GPL-3.0-or-later

//! Several reports in one paste: where each begins, whose it is, and which one counts.

use std::collections::BTreeSet;

use super::clean::Line;
use super::names::address;
use super::piece::Piece;
use super::pieces::Found;
use super::word::Word;
use crate::failure::Failure;

/// The report that counts.
#[derive(Debug)]
pub(super) struct Chosen<'a> {
    pub(super) pieces: Vec<&'a Found>,
    /// That there are others.
    pub(super) note: Option<String>,
}

/// One report, or the part of one that a command shows.
#[derive(Debug, Default)]
struct Part<'a> {
    pieces: Vec<&'a Found>,
    status: bool,
    claimed: bool,
    peers: Table,
    sensors: Table,
    line: usize,
    depth: usize,
}

/// How far a table has come.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Table {
    #[default]
    None,
    Title,
    Header,
    Rows,
}

/// Of several reports the last that has a table, among those that are quoted least: a mail answers above what it quotes.
///
/// # Errors
/// Where they are those of different hosts.
pub(super) fn choose<'a>(
    lines: &[Line],
    words: &[Word<'_>],
    found: &'a [Found],
) -> Result<Option<Chosen<'a>>, Failure> {
    let mut parts = joined(split(lines, words, found));
    // Three times in a row are no report: traceroute shows them, too.
    parts.retain(|part| {
        !part.pieces.iter().all(|found| matches!(&found.piece, Piece::Row(row) if row.headless))
    });
    let Some(least) = parts.iter().map(|part| part.depth).min() else { return Ok(None) };
    let all = parts.len();
    one_host(lines, words, &parts)?;
    parts.retain(|part| part.depth == least);
    let with_table = parts.iter().rposition(|part| part.has_table());
    let at = with_table.unwrap_or(parts.len().saturating_sub(1));
    let Some(part) = parts.into_iter().nth(at) else { return Ok(None) };
    let number = lines.get(part.line).map_or(0, |line| line.number);
    let note = (all > 1).then(|| {
        format!("{all} reports stand in this text; the last whole one, from line {number} on, is judged")
    });
    Ok(Some(Chosen { pieces: part.pieces, note }))
}

impl Part<'_> {
    fn has_table(&self) -> bool {
        self.peers == Table::Rows || self.sensors == Table::Rows
    }

    /// Whether such a piece has had its place in this report already.
    fn is_over_before(&self, piece: &Piece) -> bool {
        let tables = self.peers.max(self.sensors);
        match piece {
            Piece::Peers(_) | Piece::Sensors(_) | Piece::Constraint(_) | Piece::Clock(_) => {
                self.claimed || tables != Table::None
            }
            Piece::Nothing => self.claimed && tables != Table::None,
            Piece::PeerTitle => self.peers != Table::None || self.sensors != Table::None,
            Piece::PeerHeader => self.peers > Table::Title || self.sensors != Table::None,
            Piece::SensorTitle => self.sensors != Table::None,
            Piece::SensorHeader => self.sensors > Table::Title,
            Piece::Row(_) => false,
        }
    }

    fn note(&mut self, piece: &Piece) {
        match piece {
            Piece::Clock(_) => (self.status, self.claimed) = (true, true),
            Piece::Peers(_) | Piece::Sensors(_) | Piece::Constraint(_) => self.status = true,
            Piece::Nothing => (),
            Piece::PeerTitle => self.peers = Table::Title,
            Piece::PeerHeader => self.peers = Table::Header,
            Piece::SensorTitle => self.sensors = Table::Title,
            Piece::SensorHeader => self.sensors = Table::Header,
            Piece::Row(_) if self.sensors > Table::None => self.sensors = Table::Rows,
            Piece::Row(_) => self.peers = Table::Rows,
        }
    }
}

fn split<'a>(lines: &[Line], words: &[Word<'_>], found: &'a [Found]) -> Vec<Part<'a>> {
    let mut parts: Vec<Part<'a>> = Vec::new();
    for found in found {
        if parts.last().is_none_or(|part| part.is_over_before(&found.piece)) {
            let line = words.get(found.start).map_or(0, |word| word.line);
            let depth = lines.get(line).map_or(0, |line| line.depth);
            parts.push(Part { line, depth, ..Part::default() });
        }
        if let Some(part) = parts.last_mut() {
            part.note(&found.piece);
            part.pieces.push(found);
        }
    }
    parts
}

/// `ntpctl -s peers; ntpctl -s status` is one report: a table without a status, and after it a status without a table.
fn joined(parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    let mut whole: Vec<Part<'_>> = Vec::new();
    for part in parts {
        match whole.last_mut() {
            Some(last)
                if last.has_table() && !last.status && !part.has_table() && last.depth == part.depth =>
            {
                last.status = part.status;
                last.pieces.extend(part.pieces);
            }
            _ => whole.push(part),
        }
    }
    whole
}

/// A report of one host says nothing about another.
fn one_host(lines: &[Line], words: &[Word<'_>], parts: &[Part<'_>]) -> Result<(), Failure> {
    let mut hosts: Vec<&str> = Vec::new();
    let mut headings: Vec<&str> = Vec::new();
    let mut peers: Vec<BTreeSet<&str>> = Vec::new();
    let mut from = 0;
    for part in parts {
        let above = lines.get(from..part.line).unwrap_or_default();
        hosts.extend(above.iter().rev().find_map(host));
        headings.extend(above.iter().rev().find(|line| !line.text.trim().is_empty()).and_then(heading));
        let range =
            part.pieces.first().map_or(0, |first| first.start)..part.pieces.last().map_or(0, |last| last.end);
        let shown = words.get(range).unwrap_or_default();
        peers.push(shown.iter().filter_map(|word| address(word.text)).collect());
        let last = shown.last().map_or(part.line, |word| word.line);
        from = last.saturating_add(1);
    }
    // Nobody can tell by its peers whose a report without names is.
    if peers.iter().any(BTreeSet::is_empty) && headings.len() == parts.len() {
        hosts.extend(headings);
    }
    hosts.sort_unstable();
    hosts.dedup();
    let advice = "give the report of one host at a time";
    if hosts.len() > 1 {
        return Err(Failure::parse(format!(
            "expected one host, found reports of {}: {advice}",
            hosts.join(", ")
        )));
    }
    let named: Vec<_> = peers.iter().filter(|peers| !peers.is_empty()).collect();
    let apart = named.windows(2).any(|pair| matches!(pair, [a, b] if a.is_disjoint(b)));
    if apart {
        return Err(Failure::parse(format!(
            "expected one host, found {} reports without a peer in common: {advice}",
            named.len()
        )));
    }
    Ok(())
}

/// `hv1:` or `# hv1` right above a report. It may as well say `before:`.
fn heading(line: &Line) -> Option<&str> {
    let text = line.text.trim();
    let word = text.strip_suffix(':').unwrap_or(text).trim_matches(['#', '*', '=', '-', ' ']);
    let name = word.chars().all(|char| char.is_alphanumeric() || ".-_".contains(char));
    (name && !word.is_empty() && word.len() < text.len()).then_some(word)
}

/// The host that a line announces: a prompt with the command, or the heading of a tool that asks many hosts.
fn host(line: &Line) -> Option<&str> {
    let text = line.text.trim();
    let name = |text: &str| {
        !text.is_empty() && text.chars().all(|char| char.is_alphanumeric() || ".-_".contains(char))
    };
    if line.is_command() {
        if let Some((_, after)) = text.split_once('@') {
            let end = after.find(|char: char| !(char.is_alphanumeric() || ".-_".contains(char)));
            return after.get(..end.unwrap_or(after.len()));
        }
        let first = text.split_whitespace().next()?;
        return first.strip_suffix(['#', '$', '%']).filter(|first| name(first));
    }
    // ansible: `hv1 | CHANGED | rc=0 >>` and `ok: [hv1] =>`; clush and tail: `==> hv1 <==`; pssh: `[1] 12:00:00 [SUCCESS] hv1`.
    if let Some((first, after)) = text.split_once(" | ") {
        let state = after.split_whitespace().next().unwrap_or_default();
        return Some(first).filter(|_| ["CHANGED", "SUCCESS", "FAILED", "UNREACHABLE!"].contains(&state));
    }
    if let Some((state, after)) = text.split_once(": [") {
        let told = ["ok", "changed", "fatal", "failed"].contains(&state);
        return after.split(']').next().filter(|_| told);
    }
    if let Some((_, after)) = text.split_once("[SUCCESS] ") {
        return after.split_whitespace().next();
    }
    let framed = text.trim_matches(['=', '-', '<', '>', '#', ' ']);
    (text.starts_with("==") || text.starts_with("--")).then_some(framed).filter(|framed| name(framed))
}
