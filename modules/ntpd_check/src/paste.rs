// SPDX-License-Identifier: GPL-3.0-or-later

//! What people paste: the output of ntpctl after terminals, mail programs and wikis have had it. A layer above the strict
//! reader: it finds what ntpctl printed wherever it stands, and says what it did not understand and what is missing.

mod build;
mod clean;
mod decode;
mod gaps;
mod markup;
mod names;
mod piece;
mod pieces;
mod reports;
mod row;
mod word;

use crate::failure::Failure;
use crate::ntpctl;
use crate::report::Report;
use pieces::Found;

/// A paste as far as it is understood.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Paste {
    /// What stands in it, and what it lacks.
    pub report: Report,
    /// Lines that were not understood, and what was made of the rest.
    pub notes: Vec<String>,
}

/// What a daemon without sources says, in every version.
const NOTHING: &str = "no peers and no sensors configured";

/// Lines that are quoted one by one; a scrollback may have thousands.
const QUOTED: usize = 8;

/// Characters of a line that are quoted.
const WIDTH: usize = 80;

/// Reads a text with one report of ntpctl in it, or several of one host, of which the last counts.
///
/// # Errors
/// [`Failure`] where there is no report at all, with what ntpctl complained about where that was pasted, and where the
/// reports are those of different hosts.
pub fn read(bytes: &[u8]) -> Result<Paste, Failure> {
    let text = decode::text(bytes);
    if let Ok(mut report) = ntpctl::parse(&text)
        && (report.status.is_some() || !report.peers.is_empty() || !report.sensors.is_empty())
    {
        report.gaps = gaps::of_report(&report, text.contains(NOTHING));
        return Ok(Paste { report, notes: Vec::new() });
    }
    let lines = clean::lines(&text);
    let words = pieces::words(&lines);
    let found = pieces::find(&words);
    let chosen = reports::choose(&lines, &words, &found)?;
    let Some(chosen) = chosen else { return Err(nothing(&text)) };
    let mut built = build::report(&words, &chosen.pieces);
    let unread = unread(&lines, &words, &found, &built.used);
    let report = &mut built.report;
    report.gaps.extend(gaps::of_report(report, built.nothing_configured));
    report.gaps.extend(gaps::damaged(&unread));
    let mut notes: Vec<String> = chosen.note.into_iter().collect();
    notes.extend(told(&unread));
    Ok(Paste { report: built.report, notes })
}

/// Why there is nothing to read: ntpctl's own complaint where that is what was pasted.
fn nothing(text: &str) -> Failure {
    let complaint = text.lines().rev().find_map(|line| line.find("ntpctl: ").and_then(|at| line.get(at..)));
    if let Some(failure) = complaint.and_then(|words| ntpctl::complaint(words.trim())) {
        return failure;
    }
    let found = match text.lines().find(|line| !line.trim().is_empty()) {
        Some(line) => {
            format!("neither a status line nor a row of the peer table; it begins with {:?}", short(line))
        }
        None => "an empty text".to_owned(),
    };
    Failure::parse(format!("expected the output of ntpctl -s all, found {found}"))
}

/// Lines with something on them that is neither part of a report nor what surrounds one in a terminal.
fn unread<'a>(
    lines: &'a [clean::Line],
    words: &[word::Word<'_>],
    found: &[Found],
    used: &[usize],
) -> Vec<&'a clean::Line> {
    let mut read = vec![false; lines.len()];
    let of_pieces = found.iter().flat_map(|found| words.get(found.start..found.end).unwrap_or_default());
    for line in of_pieces.map(|word| word.line).chain(used.iter().copied()) {
        if let Some(seen) = read.get_mut(line) {
            *seen = true;
        }
    }
    let left = lines.iter().zip(read).filter(|(line, read)| !read && !line.is_noise());
    left.map(|(line, _)| line).collect()
}

fn told(unread: &[&clean::Line]) -> Vec<String> {
    let quoted = unread.iter().take(QUOTED);
    let mut notes: Vec<String> =
        quoted.map(|line| format!("not understood, line {}: {:?}", line.number, short(&line.text))).collect();
    if unread.len() > QUOTED {
        notes.push(format!("not understood either: {} more lines", unread.len() - QUOTED));
    }
    notes
}

fn short(line: &str) -> String {
    let line = line.trim();
    let head: String = line.chars().take(WIDTH).collect();
    if head.len() < line.len() { head + "..." } else { head }
}

#[cfg(test)]
mod tests;
