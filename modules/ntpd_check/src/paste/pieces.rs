// SPDX-License-Identifier: GPL-3.0-or-later

//! The words of a paste, and every piece of a report among them: its place on a line does not matter, and neither does a
//! line that was broken in two.

use super::clean::Line;
use super::piece::{Piece, piece};
use super::row::headless;

/// What may stand around a word without belonging to it.
const AROUND: [char; 13] = ['"', '\'', '`', ',', ';', '|', '[', ']', '{', '}', '(', ')', '_'];

/// One word.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    /// Position of its line.
    pub(super) line: usize,
}

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

/// Nothing, or emphasis around nothing.
fn is_empty(word: &str) -> bool {
    word.is_empty() || (word.len() > 1 && word.bytes().all(|byte| byte == b'*'))
}

/// A word without brackets, quotes and emphasis; a lone star and a run of dashes mean something in a table.
pub(super) fn plain(word: &str) -> &str {
    let bare = word.trim_matches(AROUND);
    let bare = bare.trim_end_matches('$').trim_start_matches('+');
    if bare.starts_with("**") || bare.ends_with('*') {
        let inner = bare.trim_matches(|char| char == '*' || AROUND.contains(&char));
        if !inner.is_empty() {
            return inner;
        }
    }
    bare
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
