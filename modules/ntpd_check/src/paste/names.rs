// SPDX-License-Identifier: GPL-3.0-or-later

//! Who a row is about: the words above it, or before or behind it where lines were joined.

use std::net::{IpAddr, Ipv4Addr};

use super::word::Word;

/// What is known of a peer's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) address: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    pub(super) pool: bool,
    /// `not resolved` stands there.
    pub(super) unresolved: bool,
    /// What somebody put in place of an address.
    pub(super) stand_in: Option<&'a str>,
    /// Lines from which this was taken.
    pub(super) lines: Vec<usize>,
}

impl Named<'_> {
    fn is_known(&self) -> bool {
        self.address.is_some() || self.unresolved
    }
}

/// The names of all rows, from the words before each and those behind the last.
pub(super) fn all<'a>(before: &[&[Word<'a>]], behind: &[Word<'a>]) -> Vec<Named<'a>> {
    let mut named: Vec<_> = before.iter().map(|words| one(words)).collect();
    let last = one(behind);
    // A table whose last column is the name.
    if last.address.is_some() && named.first().is_some_and(|first| !first.is_known()) {
        named.remove(0);
        named.push(last);
    }
    named
}

fn one<'a>(words: &[Word<'a>]) -> Named<'a> {
    let pair = |first: &str, second: &str| {
        words.windows(2).rposition(|pair| matches!(pair, [a, b] if a.text == first && b.text == second))
    };
    if let Some(at) = pair("not", "resolved") {
        return named(Named { unresolved: true, ..Named::default() }, words, at, at + 2);
    }
    if let Some(at) = words.iter().rposition(|word| address(word.text).is_some()) {
        let address = words.get(at).and_then(|word| address(word.text));
        return named(Named { address, ..Named::default() }, words, at, at + 1);
    }
    if let Some(at) = pair("from", "pool") {
        return named(Named::default(), words, at, at);
    }
    let last = words.last().map(|word| word.line);
    let line: Vec<_> = words.iter().filter(|word| Some(word.line) == last).collect();
    match line[..] {
        [word] | [word, _] if is_name(word.text) => {
            Named { stand_in: Some(word.text), lines: vec![word.line], ..Named::default() }
        }
        _ => Named::default(),
    }
}

/// Adds what stands behind the address.
fn named<'a>(mut named: Named<'a>, words: &[Word<'a>], from: usize, rest: usize) -> Named<'a> {
    let mut at = rest;
    let text = |at: usize| words.get(at).map(|word| word.text);
    if text(at) == Some("from") && text(at + 1) == Some("pool") {
        named.pool = true;
        at += 2;
    }
    if let Some(name) = text(at).filter(|name| is_name(name) && !["non-dnssec", "rtable"].contains(name)) {
        named.name = Some(name);
        at += 1;
    }
    named.lines = words.get(from..at).unwrap_or_default().iter().map(|word| word.line).collect();
    named
}

/// Whether one of these words is an address.
pub(super) fn address_in(words: &[Word<'_>]) -> bool {
    words.iter().any(|word| address(word.text).is_some())
}

/// An address, without what a tool has put before it.
pub(super) fn address(word: &str) -> Option<&str> {
    let numeric = word.split_once('%').map_or(word, |(address, _)| address);
    if numeric.parse::<IpAddr>().is_ok() {
        return Some(word);
    }
    let after = word.rsplit(':').next()?;
    after.parse::<Ipv4Addr>().is_ok().then_some(after)
}

/// A host's name, or what somebody wrote instead of one.
fn is_name(word: &str) -> bool {
    let fits = |char: char| char.is_alphanumeric() || ".-_<>%:".contains(char);
    word.contains(char::is_alphabetic) && word.chars().all(fits) && !word.ends_with(':')
}
