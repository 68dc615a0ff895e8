// SPDX-License-Identifier: GPL-3.0-or-later

//! leap-seconds.list as IERS and IANA publish it: read whole, its own hash checked.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use sha1::{Digest, Sha1};

/// Unix epoch in NTP seconds (1900-01-01).
const NTP_TO_UNIX: i64 = 2_208_988_800;

/// Where systems keep the list: Debian's tzdata, FreeBSD's periodic fetch and base, ntp packages.
pub const PLACES: [&str; 4] = [
    "/usr/share/zoneinfo/leap-seconds.list",
    "/var/db/ntpd.leap-seconds.list",
    "/etc/ntp/leap-seconds",
    "/var/lib/ntp/leap-seconds.list",
];

/// A larger file is not a leap-seconds.list: today's has 5 KiB.
pub const LARGEST: u64 = 1 << 20;

/// The leap seconds one file knows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeapTable {
    /// Where it was read from.
    pub path: PathBuf,
    /// Unix seconds of its last change.
    pub updated: Option<f64>,
    /// Unix seconds after which it promises nothing.
    pub expires: f64,
    /// Changes of TAI-UTC, oldest first, without the start value of 1972.
    #[serde(skip)]
    pub leaps: Vec<Leap>,
}

/// One change of TAI-UTC.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Leap {
    /// Unix seconds from which the new value holds.
    pub at: f64,
    /// TAI-UTC from then on, in seconds.
    pub tai_offset: i64,
}

impl LeapTable {
    /// The first leap second after `now`.
    pub fn next_after(&self, now: f64) -> Option<Leap> {
        self.leaps.iter().copied().find(|leap| leap.at > now)
    }

    /// The last leap second not after `now`.
    pub fn last_before(&self, now: f64) -> Option<Leap> {
        self.leaps.iter().copied().rfind(|leap| leap.at <= now)
    }
}

/// Reads the list that stands in `path`.
///
/// # Errors
/// A line outside the format, no expiry, times out of order, or a hash that does not match.
pub fn parse(text: &str, path: &Path) -> Result<LeapTable> {
    let doing = || format!("reading leap seconds from {}", path.display());
    let mut list = List::default();
    for (number, line) in text.lines().enumerate() {
        list.line(line.trim())
            .with_context(|| format!("line {}: {line:?}", number + 1))
            .with_context(doing)?;
    }
    list.finish(path).with_context(doing)
}

/// Of several tables the one that promises for longest.
pub fn newest(tables: impl Iterator<Item = LeapTable>) -> Option<LeapTable> {
    tables.max_by(|one, other| one.expires.total_cmp(&other.expires))
}

#[derive(Default)]
struct List {
    updated: Option<i64>,
    expires: Option<i64>,
    entries: Vec<(i64, i64)>,
    digits: Sha1,
    hash: Option<[u32; 5]>,
}

impl List {
    fn line(&mut self, line: &str) -> Result<()> {
        if let Some(value) = line.strip_prefix("#$") {
            self.updated = Some(self.number(value)?);
        } else if let Some(value) = line.strip_prefix("#@") {
            self.expires = Some(self.number(value)?);
        } else if let Some(words) = line.strip_prefix("#h") {
            self.hash = Some(hash_words(words)?);
        } else if !line.is_empty() && !line.starts_with('#') {
            let data = line.split('#').next().unwrap_or_default();
            let mut words = data.split_whitespace();
            let (Some(time), Some(offset), None) = (words.next(), words.next(), words.next()) else {
                bail!("expected two numbers");
            };
            let entry = (self.number(time)?, self.number(offset)?);
            if self.entries.last().is_some_and(|last| last.0 >= entry.0) {
                bail!("the times are out of order");
            }
            self.entries.push(entry);
        }
        Ok(())
    }

    /// The hash covers the digits of every number, in the order of the file, without blanks and comments.
    fn number(&mut self, text: &str) -> Result<i64> {
        let text = text.trim();
        let plain = text.len() <= 12 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !plain {
            bail!("{text:?} is not a number of seconds");
        }
        self.digits.update(text.as_bytes());
        Ok(text.parse()?)
    }

    fn finish(self, path: &Path) -> Result<LeapTable> {
        let expires = self.expires.context("there is no line of expiry (#@)")?;
        let wanted = self.hash.context("there is no hash line (#h)")?;
        if self.entries.len() < 2 {
            bail!("expected the start value and at least one leap second");
        }
        let digest = self.digits.finalize();
        let mut found = [0u32; 5];
        for (word, bytes) in found.iter_mut().zip(digest.chunks_exact(4)) {
            *word = bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte));
        }
        if found != wanted {
            bail!("its hash does not match its numbers: the file is damaged; get it again");
        }
        let unix = |ntp: i64| (ntp - NTP_TO_UNIX) as f64;
        let leaps = self.entries.iter().skip(1).map(|&(at, tai_offset)| Leap { at: unix(at), tai_offset });
        Ok(LeapTable {
            path: path.to_owned(),
            updated: self.updated.map(unix),
            expires: unix(expires),
            leaps: leaps.collect(),
        })
    }
}

/// Five hexadecimal words; leading zeros may be missing, so they are compared as numbers.
fn hash_words(text: &str) -> Result<[u32; 5]> {
    let words: Vec<u32> = text
        .split_whitespace()
        .map(|word| {
            u32::from_str_radix(word, 16).with_context(|| format!("{word:?} is not a hexadecimal word"))
        })
        .collect::<Result<_>>()?;
    let found = words.len();
    words.try_into().map_err(|_| anyhow::anyhow!("expected five words of hash, found {found}"))
}

#[cfg(test)]
mod tests;
