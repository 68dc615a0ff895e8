// SPDX-License-Identifier: GPL-3.0-or-later

//! The end of what a guest or its hypervisor wrote, for an error of one line.

/// How much of it is kept; a screen or so.
pub(crate) const TAIL: usize = 4096;

/// Lines of it that are shown.
const LINES: usize = 12;

/// The last of these lines, on one line.
pub(crate) fn last_lines<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines: Vec<String> = lines
        .map(|line| line.chars().filter(|&c| is_harmless(c)).collect::<String>())
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    if last.is_empty() { "none".to_owned() } else { last.join(" | ") }
}

/// Whether a terminal only shows it: a guest must not reach the one of whoever deploys it, nor turn the text round there.
fn is_harmless(c: char) -> bool {
    let turns_text = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !turns_text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_a_terminal_that_it_obeys() {
        let text = "\u{1b}]0;title\u{7} ok\r\n\u{9b}2J\u{202e}evil\n \n";
        assert_eq!(last_lines(text.lines()), "]0;title ok | 2Jevil");
        assert_eq!(last_lines("\r\n\u{7}\n".lines()), "none");
    }
}
