// SPDX-License-Identifier: GPL-3.0-or-later

//! What programs put around and into a text: colours, tags, entities, blanks and dashes of typography, marks of quotation.

use super::markup::{entities, escapes, tags};
use super::word::plain;

/// One line of a paste.
#[derive(Debug)]
pub(super) struct Line {
    /// Its number in the paste, from 1; lines that stood in one, as in JSON, share it.
    pub(super) number: usize,
    /// How often it is quoted with `>`.
    pub(super) depth: usize,
    /// What is left of it.
    pub(super) text: String,
}

/// Marks right before something else that no question or list has.
const MANY: usize = 4;

/// Between two terminals, and no name.
pub(super) const SIDE: char = '\u{2502}';

/// The lines of a text, freed of all that ntpctl never prints.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let text = blanks(&text.replace("\r\n", "\n"));
    let mut lines = Vec::new();
    for (index, raw) in text.split('\n').enumerate() {
        let shown = terminal(raw);
        let shown = entities(&tags(&escapes(&entities(&shown))));
        for part in shown.split(['\n', '\r']) {
            let (depth, text) = unquoted(part);
            let panes = two_panes(text);
            let text: String =
                text.chars().map(|char| if panes && is_side(char) { SIDE } else { typed(char) }).collect();
            let text = points(&text).replace(SIDE, " \u{2502} ");
            lines.push(Line { number: index + 1, depth, text });
        }
    }
    unnumbered(&mut lines);
    lines
}

/// Marks that stand for blanks where there are so many of them: no-break spaces that a code page lacks, and what editors show.
fn blanks(text: &str) -> String {
    let mut text = text.to_owned();
    for mark in ['?', '\u{b7}', '\u{2423}', '\u{237d}'] {
        let shows = |(_, after): (usize, &str)| after.starts_with(|next: char| !next.is_whitespace());
        let count = text
            .match_indices(mark)
            .map(|(at, _)| (at, text.get(at + mark.len_utf8()..).unwrap_or_default()));
        if count.filter(|found| shows(*found)).count() >= MANY {
            text = text.replace(mark, " ");
        }
    }
    text
}

/// Decimal commas of figures, which a spreadsheet makes of points: ntpctl always prints three decimals.
fn points(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let is_point = |at: usize| {
        let decimals = (1..=3).all(|next| digit(Some(at + next)));
        let unit = text.get(at + 4..).unwrap_or_default().trim_start();
        digit(at.checked_sub(1)) && decimals && unit.starts_with("ms")
    };
    text.char_indices().map(|(at, char)| if char == ',' && is_point(at) { '.' } else { char }).collect()
}

/// The side of a frame.
fn is_side(char: char) -> bool {
    matches!(char, '\u{2502}' | '\u{2503}' | '\u{2551}')
}

/// Whether two terminals stand side by side: one line between them, with something on both of its sides.
fn two_panes(text: &str) -> bool {
    let parts: Vec<_> = text.split(is_side).collect();
    parts.len() == 2 && parts.iter().all(|part| !part.trim().is_empty())
}

/// Takes away what grep -n puts before every line, `7:` or `file:7:`, where these numbers count on.
fn unnumbered(lines: &mut [Line]) {
    let counted: Option<Vec<(usize, usize)>> =
        lines.iter().filter(|line| !line.is_blank()).map(line_number).collect();
    let Some(counted) = counted.filter(|counted| counted.len() > 1) else { return };
    if counted.windows(2).any(|pair| matches!(pair, [a, b] if b.0 <= a.0)) {
        return;
    }
    for (line, (_, length)) in lines.iter_mut().filter(|line| !line.is_blank()).zip(counted) {
        line.text.drain(..length);
    }
}

/// The number before a line, and how many bytes it takes with what stands before it.
fn line_number(line: &Line) -> Option<(usize, usize)> {
    let mut length = 0;
    for part in line.text.split(':').take(2) {
        length += part.len() + 1;
        if let Ok(number) = part.trim_start().parse() {
            return (length <= line.text.len()).then_some((number, length));
        }
    }
    None
}

/// What a terminal shows of a line: no colours and titles, and no character that was rubbed out.
fn terminal(raw: &str) -> String {
    let caret = raw.replace("^[[", "\u{1b}[").replace("M-BM- ", " ");
    let mut shown = String::with_capacity(caret.len());
    let mut rest = caret.chars();
    while let Some(char) = rest.next() {
        match char {
            '\u{1b}' => shown.extend(sequence(&mut rest)),
            '\u{9b}' => shown.extend(control(&mut rest)),
            '\u{8}' => drop(shown.pop()),
            _ => shown.push(char),
        }
    }
    shown
}

/// The rest of an escape sequence; one that moves the cursor leaves a blank.
fn sequence(rest: &mut std::str::Chars<'_>) -> Option<char> {
    match rest.next() {
        Some('[') => control(rest),
        // The title of a window ends with a bell or `ESC \`.
        Some(']') => {
            let mut before = ' ';
            let mut ends = |char: char| {
                let end = char == '\u{7}' || (before == '\u{1b}' && char == '\\');
                before = char;
                end
            };
            let _ = rest.by_ref().find(|&char| ends(char));
            None
        }
        Some('(' | ')' | '#' | '%') => {
            let _ = rest.next();
            None
        }
        _ => None,
    }
}

fn control(rest: &mut std::str::Chars<'_>) -> Option<char> {
    let end = rest.by_ref().find(|char| ('@'..='~').contains(char));
    matches!(end, Some('C' | 'D' | 'G' | 'H' | 'f' | 'a' | '`')).then_some(' ')
}

/// How often a line is quoted, and what stands behind the marks.
fn unquoted(line: &str) -> (usize, &str) {
    let mut depth = 0;
    let mut rest = line.trim_start_matches(char::is_whitespace);
    while let Some(after) = rest.strip_prefix('>') {
        depth += 1;
        rest = after.trim_start_matches(char::is_whitespace);
    }
    if depth == 0 { (0, line) } else { (depth, rest) }
}

/// The character that was typed, or printed, before typography made it another one.
fn typed(char: char) -> char {
    match char {
        '\u{2010}'..='\u{2015}'
        | '\u{2212}'
        | '\u{207b}'
        | '\u{fe58}'
        | '\u{fe63}'
        | '\u{ff0d}'
        | '\u{ad}' => '-',
        '\u{2217}' | '\u{ff0a}' | '\u{2022}' | '\u{2023}' | '\u{25cf}' | '\u{25e6}' | '\u{25aa}'
        | '\u{2731}' | '\u{204e}' | '\u{b7}' => '*',
        '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{2039}' | '\u{203a}' => '"',
        '\u{2044}' | '\u{2215}' => '/',
        '\u{ff10}'..='\u{ff19}' | '\u{ff0c}' | '\u{ff0e}' | '\u{ff0f}' => {
            char::from_u32(u32::from(char) - 0xfee0).unwrap_or(char)
        }
        // A no-break space that was read in the wrong code page leaves this before it.
        '\u{c2}' => ' ',
        // Frames of terminals, and what has no width.
        '\u{2500}'..='\u{259f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2060}'..='\u{2064}'
        | '\u{feff}'
        | '\u{180e}'
        | '\u{2800}'
        | char::REPLACEMENT_CHARACTER => ' ',
        blank if blank.is_whitespace() || blank.is_control() => ' ',
        other => other,
    }
}

impl Line {
    /// Whether it is what stands around every report: nothing, a fence, a rule, or a prompt, with or without the command.
    pub(super) fn is_noise(&self) -> bool {
        let text = self.text.trim();
        // Rules are drawn with signs, and with scissors: `--- 8< ---`.
        if text.chars().filter(|char| char.is_alphanumeric()).count() < 2 {
            return true;
        }
        let fence = text.trim_start_matches(['`', '~']);
        if fence.len() + 3 <= text.len() && !fence.contains(' ') {
            return true;
        }
        self.is_command() || is_prompt(text) || is_frame(text)
    }

    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Whether ntpctl is called in it.
    pub(super) fn is_command(&self) -> bool {
        let mut words = self.text.split_whitespace().map(plain).skip_while(|word| !word.ends_with("ntpctl"));
        words.next().is_some() && words.next().is_none_or(|flag| flag.starts_with("-s"))
    }
}

/// An empty prompt: one or two words, the last of which ends as prompts do.
fn is_prompt(text: &str) -> bool {
    let words: Vec<_> = text.split_whitespace().collect();
    words.len() <= 3 && words.last().is_some_and(|last| last.ends_with(['#', '$', '%', '>']))
}

/// What trackers and pagers put around a text: `{code}`, `[quote=joe]`, `(END)`.
fn is_frame(text: &str) -> bool {
    let inner = [('{', '}'), ('[', ']'), ('(', ')')]
        .iter()
        .find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close));
    let word =
        inner.map(|inner| inner.trim_start_matches('/').split([':', '=', ' ']).next().unwrap_or_default());
    word.is_some_and(|word| {
        ["code", "noformat", "quote", "pre", "panel", "spoiler", "end"]
            .contains(&word.to_ascii_lowercase().as_str())
    })
}
