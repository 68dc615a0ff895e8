// SPDX-License-Identifier: GPL-3.0-or-later

//! The words of a paste, and every piece of a report among them: its place on a line does not matter, and neither does a
//! line that was broken in two.

use super::clean::Line;
use super::piece::{Piece, piece};
use super::row::headless;
use super::word::{Word, is_empty, plain};

/// A piece and the words it takes.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) piece: Piece,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// All words of all lines, without what stands around them.
pub(super) fn words(lines: &[Line]) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    for (line, Line { text, .. }) in lines.iter().enumerate() {
        let parts = text.split(|char: char| char.is_whitespace() || matches!(char, ',' | ';' | '|' | '"'));
        words.extend(parts.map(plain).filter(|text| !is_empty(text)).map(|text| Word { text, line }));
    }
    words
}

/// All pieces, in order.
pub(super) fn find(words: &[Word<'_>]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(rest) = words.get(start..).filter(|rest| !rest.is_empty()) {
        let headless = || headless(words, start).map(|(row, length)| (Piece::Row(row), length));
        match piece(rest).or_else(headless) {
            Some((piece, length)) => {
                let end = start + length.max(1);
                found.push(Found { piece, start, end });
                start = end;
            }
            None => start += 1,
        }
    }
    found
}
