// SPDX-License-Identifier: GPL-3.0-or-later

//! The checksum that a source must have: given as it is, or in a vendor's list.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result, bail, ensure};

use crate::sum::Summing;

/// How many names of a list a message shows.
const SHOWN: usize = 3;

/// A checksum that is strong enough to vouch for a disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checksum {
    digits: String,
}

impl Checksum {
    fn of_digits(digits: &str) -> Option<Self> {
        let is_known =
            matches!(digits.len(), 64 | 128) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_known.then(|| Self { digits: digits.to_ascii_lowercase() })
    }

    /// Reads `sha256:DIGITS` or `sha512:DIGITS`; `None` where it is something else.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        let Some((kind, digits)) =
            text.split_once(':').filter(|(kind, _)| kind.chars().all(|c| c.is_ascii_alphanumeric()))
        else {
            return Ok(None);
        };
        let expected = match kind.to_ascii_lowercase().as_str() {
            "sha256" => 64,
            "sha512" => 128,
            "http" | "https" => return Ok(None),
            kind => bail!(
                "option source_checksum is of kind {kind:?}, expected sha256 or sha512: no other is asked"
            ),
        };
        let found = Self::of_digits(digits).filter(|sum| sum.digits.len() == expected);
        found.map(Some).with_context(|| {
            format!("option source_checksum has no {expected} hexadecimal digits after {kind}:")
        })
    }

    /// Takes that of `name` out of a list, as `sha256sum`, `sha256 --tag` and FreeBSD's `sha256` write it.
    pub fn in_list(list: &str, name: &str) -> Result<Self> {
        let lines: Vec<_> = list.lines().filter_map(entry).collect();
        if let ([Entry { name: None, sum: Some(sum) }], true) =
            (&lines[..], list.split_whitespace().count() == 1)
        {
            return Ok(sum.clone());
        }
        let named = lines.iter().filter(|line| line.name.as_deref() == Some(name));
        let sums: Vec<_> = named.collect();
        let mut strong: BTreeMap<usize, &Checksum> = BTreeMap::new();
        for sum in sums.iter().filter_map(|line| line.sum.as_ref()) {
            let other = strong.insert(sum.digits.len(), sum);
            ensure!(other.is_none_or(|other| other == sum), "it has two different checksums for {name}");
        }
        match strong.pop_last() {
            Some((_, sum)) => Ok(sum.clone()),
            None if sums.is_empty() => bail!("it has no checksum for {name}, but for {}", names(&lines)),
            None => bail!("it has only checksums for {name} that are too weak, expected SHA-256 or SHA-512"),
        }
    }

    /// What computes such a one.
    pub fn summing(&self) -> Result<Summing> {
        Summing::like(&self.digits).context("reading a checksum")
    }

    /// Judges what was computed.
    pub fn judge(&self, found: &str, source: &str) -> Result<()> {
        ensure!(
            found == self.digits,
            "{source} has checksum {found}, expected {}: the download is damaged or another file than the list is for; fetch it again",
            self.digits
        );
        Ok(())
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", if self.digits.len() == 64 { "sha256" } else { "sha512" }, self.digits)
    }
}

/// A line of a list.
#[derive(Debug)]
struct Entry {
    name: Option<String>,
    /// None where it is of another kind.
    sum: Option<Checksum>,
}

fn entry(line: &str) -> Option<Entry> {
    let line = line.trim().trim_start_matches('\\');
    tagged(line).or_else(|| plain(line))
}

/// `SHA256 (name) = digits`
fn tagged(line: &str) -> Option<Entry> {
    let (kind, rest) = line.split_once('(')?;
    let (name, digits) = rest.rsplit_once(')')?;
    let digits = digits.trim_start().strip_prefix('=')?.trim();
    let kind = kind.trim().to_ascii_uppercase().replace("SHA2-", "SHA");
    let is_strong = matches!((kind.as_str(), digits.len()), ("SHA256", 64) | ("SHA512", 128));
    let sum = Checksum::of_digits(digits).filter(|_| is_strong);
    is_digits(digits).then(|| Entry { name: Some(base(name)), sum })
}

/// `digits  name`, `digits *name`, or digits alone.
fn plain(line: &str) -> Option<Entry> {
    let (digits, name) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let name = name.trim_start_matches([' ', '\t']).trim_start_matches('*');
    is_digits(digits)
        .then(|| Entry { name: (!name.is_empty()).then(|| base(name)), sum: Checksum::of_digits(digits) })
}

fn is_digits(text: &str) -> bool {
    text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Lists are made in folders above the files.
fn base(name: &str) -> String {
    name.rsplit('/').next().unwrap_or_default().to_owned()
}

fn names(lines: &[Entry]) -> String {
    let names: Vec<_> = lines.iter().filter_map(|line| line.name.as_deref()).collect();
    match names.len() {
        0 => "nothing else either: is it a list of checksums?".to_owned(),
        count if count > SHOWN => format!("{} and {} more", names[..SHOWN].join(", "), count - SHOWN),
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(length: usize, digit: char) -> String {
        std::iter::repeat_n(digit, length).collect()
    }

    #[test]
    fn lists_of_every_vendor_are_read() {
        let (a, b) = (digits(64, 'a'), digits(128, 'b'));
        for list in [
            format!("{a}  x.raw.xz\n"),
            format!("{a} *x.raw.xz\r\n{b} *y\n"),
            format!("# comment\n{a}  ./images/x.raw.xz\n"),
            format!("SHA256 (x.raw.xz) = {a}\nSHA256 (y) = {}\n", digits(64, 'c')),
            format!("SHA2-256(x.raw.xz)= {}\n", a.to_uppercase()),
            format!("MD5 (x.raw.xz) = {}\nSHA256 (x.raw.xz) = {a}\n", digits(32, 'd')),
            format!("{a}\n"),
            format!("{a}  x.raw.xz\n{a}  x.raw.xz\n"),
        ] {
            assert_eq!(Checksum::in_list(&list, "x.raw.xz").unwrap().digits, a, "{list}");
        }
        let both = format!("{a}  x\n{b}  x\n");
        assert_eq!(Checksum::in_list(&both, "x").unwrap().to_string(), format!("sha512:{b}"));
    }

    #[test]
    fn lists_that_do_not_say_it_are_refused() {
        let (a, c) = (digits(64, 'a'), digits(64, 'c'));
        for (list, expected) in [
            (
                String::new(),
                "it has no checksum for x, but for nothing else either: is it a list of checksums?",
            ),
            (format!("{a}  xx\n"), "it has no checksum for x, but for xx"),
            (
                format!("{a}\n{c}\n"),
                "it has no checksum for x, but for nothing else either: is it a list of checksums?",
            ),
            (format!("{a}  x\n{c}  x\n"), "it has two different checksums for x"),
            (
                format!("{}  x\nSHA1 (x) = {}\n", digits(32, 'a'), digits(40, 'b')),
                "it has only checksums for x that are too weak, expected SHA-256 or SHA-512",
            ),
            (
                format!("SHA512 (x) = {a}\n"),
                "it has only checksums for x that are too weak, expected SHA-256 or SHA-512",
            ),
        ] {
            assert_eq!(Checksum::in_list(&list, "x").unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_checksum_by_itself() {
        let a = digits(64, 'a');
        assert_eq!(Checksum::parse(&format!("SHA256:{}", a.to_uppercase())).unwrap().unwrap().digits, a);
        assert_eq!(Checksum::parse("https://a/SHA256SUMS").unwrap(), None);
        assert_eq!(Checksum::parse("/srv/SHA256SUMS").unwrap(), None);
        for (text, expected) in [
            (
                "md5:00",
                "option source_checksum is of kind \"md5\", expected sha256 or sha512: no other is asked",
            ),
            ("sha512:00", "option source_checksum has no 128 hexadecimal digits after sha512:"),
            (&format!("sha512:{a}"), "option source_checksum has no 128 hexadecimal digits after sha512:"),
        ] {
            assert_eq!(Checksum::parse(text).unwrap_err().to_string(), expected);
        }
    }
}
