// SPDX-License-Identifier: GPL-3.0-or-later

//! A row of either table: three small numbers, two whole seconds, and what was measured.

use super::word::{Word, starts, whole_seconds};
use crate::report::TRUST_VALID;

/// Highest trust level of OpenNTPD, in every version.
const TRUSTED: u32 = 10;

/// Highest weight that ntpd.conf may give.
const HEAVIEST: u32 = 10;

/// Beyond this no clock has a stratum.
const UNSYNCHRONISED: u32 = 16;

/// Figures of a sensor; those of a peer are one more.
const FEWEST: usize = 2;

/// One row, of a peer or of a sensor.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) marked: bool,
    /// Lost where the left edge is cut off.
    pub(super) weight: Option<u32>,
    /// `tl`, or `gd` of a sensor.
    pub(super) level: u32,
    pub(super) stratum: Option<u32>,
    pub(super) next: i64,
    pub(super) poll: i64,
    pub(super) measured: Measured,
    /// Whether everything before the figures is lost.
    pub(super) headless: bool,
}

/// What stands behind `poll`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Measured {
    /// Seconds: offset, delay and jitter of a peer, offset and correction of a sensor, or fewer.
    Values(Vec<f64>),
    /// `---- peer not valid ----`, `- sensor not valid -`, or their beginning.
    NotValid {
        /// Whether the word `sensor` stands there.
        sensor: bool,
    },
}

/// The row that these words begin with.
pub(super) fn row(words: &[Word<'_>]) -> Option<(Row, usize)> {
    let first = words.first()?.text;
    let marked = first.starts_with('*');
    let alone = usize::from(first == "*");
    let number = |at: usize| {
        let word = words.get(alone + at)?.text;
        small(if at == 0 && alone == 0 { word.strip_prefix('*').unwrap_or(word) } else { word })
    };
    let seconds = |at: usize| whole_seconds(words.get(alone + at)?.text);
    // Where the unit of both is lost, what stands behind them tells what they are.
    let plain = |at: usize| words.get(alone + at)?.text.parse::<i64>().ok();
    let unitless =
        plain(3).is_some() && plain(4).is_some() && words.get(alone + 5..).is_some_and(is_measured);
    let seconds = |at: usize| if unitless { plain(at) } else { seconds(at) };
    // The weight is lost where the left edge is; one word less, and a row that begins its line or follows a star.
    let weighted = seconds(3).is_some() && seconds(4).is_some();
    let (weight, shift) =
        if weighted { (Some(number(0).filter(|&weight| weight <= HEAVIEST)?), 1) } else { (None, 0) };
    let level = number(shift).filter(|&level| level <= TRUSTED)?;
    let stratum = match words.get(alone + shift + 1)?.text {
        dash if is_dashes(dash) => None,
        word => Some(small(word).filter(|&stratum| stratum <= UNSYNCHRONISED)?),
    };
    let (next, poll) = (seconds(shift + 2)?, seconds(shift + 3)?);
    let taken = alone + shift + 4;
    let rest = words.get(taken..).unwrap_or_default();
    // All of a row have lost it, or none: a figure that lacks it alone is the end of what was cut off.
    let figure = if millis(rest).is_none() { bare } else { millis };
    let (measured, length) = measured(rest, figure);
    Some((Row { marked, weight, level, stratum, next, poll, measured, headless: false }, taken + length))
}

/// Three figures that begin at `at`, right behind what may be left of a poll: a row without its left half.
pub(super) fn headless(words: &[Word<'_>], at: usize) -> Option<(Row, usize)> {
    let first = words.get(at)?;
    let before =
        at.checked_sub(1).and_then(|before| words.get(before)).filter(|before| before.line == first.line);
    if before.is_some_and(|before| !before.text.ends_with('s') || before.text.ends_with("ms")) {
        return None;
    }
    let (Measured::Values(values), length) = measured(words.get(at..)?, millis) else { return None };
    // Who has figures is trusted at least so much.
    let row = Row {
        marked: false,
        weight: None,
        level: TRUST_VALID,
        stratum: None,
        next: 0,
        poll: 0,
        measured: Measured::Values(values.clone()),
        headless: true,
    };
    (values.len() == 3).then_some((row, length))
}

/// Whether nothing but the end of a row looks so: a figure with its unit, several with three decimals, or the words of one without any.
fn is_measured(words: &[Word<'_>]) -> bool {
    let several = || matches!(measured(words, bare).0, Measured::Values(values) if values.len() >= FEWEST);
    millis(words).is_some() || not_valid(words).is_some() || several()
}

/// One figure, and how many words it takes.
type Figure = fn(&[Word<'_>]) -> Option<(f64, usize)>;

fn measured(words: &[Word<'_>], figure: Figure) -> (Measured, usize) {
    if let Some(found) = not_valid(words) {
        return found;
    }
    let dashes = dashes(words);
    if dashes > 0 {
        return (Measured::NotValid { sensor: false }, dashes);
    }
    let (mut values, mut length) = (Vec::new(), 0);
    while values.len() < 3
        && let Some((value, taken)) = figure(words.get(length..).unwrap_or_default())
    {
        values.push(value);
        length += taken;
    }
    (Measured::Values(values), length)
}

/// `---- peer not valid ----`, with or without the dashes.
fn not_valid(words: &[Word<'_>]) -> Option<(Measured, usize)> {
    let before = dashes(words);
    let said = words.get(before..)?;
    let kinds = [("peer", false), ("sensor", true)];
    let (_, sensor) = kinds.into_iter().find(|(kind, _)| starts(said, &[kind, "not", "valid"]))?;
    Some((Measured::NotValid { sensor }, before + 3 + dashes(said.get(3..)?)))
}

fn dashes(words: &[Word<'_>]) -> usize {
    words.iter().take_while(|word| is_dashes(word.text)).count()
}

/// A count of at most three digits: nothing in these columns is larger, and dates are.
fn small(word: &str) -> Option<u32> {
    (word.len() <= 3 && word.bytes().all(|byte| byte.is_ascii_digit())).then(|| word.parse().ok()).flatten()
}

fn is_dashes(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte == b'-')
}

/// A figure that has lost its unit: ntpctl always prints three decimals.
fn bare(words: &[Word<'_>]) -> Option<(f64, usize)> {
    let word = words.first()?.text;
    let (_, decimals) = word.split_once('.')?;
    let whole = decimals.len() == 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    in_seconds(word).filter(|_| whole).map(|value| (value, 1))
}

/// `-984.784ms`, in one word or with a blank before the unit, in seconds.
pub(super) fn millis(words: &[Word<'_>]) -> Option<(f64, usize)> {
    let word = words.first()?.text;
    let (number, taken) = match word.strip_suffix("ms") {
        Some(number) => (number, 1),
        None if words.get(1)?.text == "ms" => (word, 2),
        None => return None,
    };
    in_seconds(number).map(|seconds| (seconds, taken))
}

/// Milliseconds without their unit.
fn in_seconds(number: &str) -> Option<f64> {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let numeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !numeric(whole) || !numeric(part) {
        return None;
    }
    let value: f64 = number.parse().ok()?;
    // As the strict reader: whole microseconds, so that both give the same number.
    let seconds = (value * 1000.0).round() / 1e6;
    seconds.is_finite().then_some(seconds)
}
