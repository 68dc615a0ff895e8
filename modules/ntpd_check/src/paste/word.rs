// SPDX-License-Identifier: GPL-3.0-or-later

//! One word of a paste, and what it is by itself.

/// What may stand around a word without belonging to it.
const AROUND: [char; 13] = ['"', '\'', '`', ',', ';', '|', '[', ']', '{', '}', '(', ')', '_'];

/// One word.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    /// Position of its line.
    pub(super) line: usize,
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

/// Nothing, or emphasis around nothing.
pub(super) fn is_empty(word: &str) -> bool {
    word.is_empty() || (word.len() > 1 && word.bytes().all(|byte| byte == b'*'))
}

/// `-1s`.
pub(super) fn whole_seconds(word: &str) -> Option<i64> {
    let number = word.strip_suffix('s')?;
    number.strip_prefix('-').unwrap_or(number).bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    number.parse().ok()
}

/// Whether words begin with these, in letters of either case.
pub(super) fn starts(words: &[Word<'_>], expected: &[&str]) -> bool {
    words.len() >= expected.len()
        && words.iter().zip(expected).all(|(word, expected)| word.text.eq_ignore_ascii_case(expected))
}
