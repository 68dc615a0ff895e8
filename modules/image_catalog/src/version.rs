// SPDX-License-Identifier: GPL-3.0-or-later

//! Versions of images, in the order that pkg(8) has for them.

use std::cmp::Ordering;
use std::fmt;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

/// The longest name of an image, version and all: it becomes a file name, a dataset name and part of a device name.
pub(crate) const LIMIT: usize = 128;

/// The version of an image: letters, digits, `.` and `_`, starting with a digit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageVersion(String);

impl ImageVersion {
    /// The version as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Orders versions as pkg does: part by part as numbers, letters as stages before a release, and a port
    /// revision (`_1`) last. `1.0` and `1` are equal, so this is no `Ord`.
    pub fn compare(&self, other: &Self) -> Ordering {
        let (mine, my_revision) = split_revision(&self.0);
        let (theirs, their_revision) = split_revision(&other.0);
        compare_parts(mine, theirs).then(my_revision.cmp(&their_revision))
    }
}

impl TryFrom<String> for ImageVersion {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        if text.len() > LIMIT
            || !text.starts_with(|c: char| c.is_ascii_digit())
            || !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'))
        {
            bail!(
                "image version {text:?} is not made of letters, digits, '.' and '_', starting with a digit"
            );
        }
        Ok(Self(text))
    }
}

impl From<ImageVersion> for String {
    fn from(version: ImageVersion) -> Self {
        version.0
    }
}

impl fmt::Display for ImageVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `1.0_3` is version `1.0`, revision 3.
fn split_revision(version: &str) -> (&str, i128) {
    match version.rsplit_once('_') {
        Some((front, revision)) => (front, take_number(revision).0.unwrap_or(0)),
        None => (version, 0),
    }
}

fn compare_parts(mut mine: &str, mut theirs: &str) -> Ordering {
    while !(mine.is_empty() && theirs.is_empty()) {
        let (my_part, my_rest) = take_part(mine);
        let (their_part, their_rest) = take_part(theirs);
        if my_part != their_part {
            return my_part.cmp(&their_part);
        }
        (mine, theirs) = (my_rest, their_rest);
    }
    Ordering::Equal
}

/// One part of a version: its number (-1 where it begins with letters), the rank of its letters, and the
/// number after those (-1 where there is none). What is absent altogether counts as zeros.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    number: i128,
    stage: u8,
    level: i128,
}

fn take_part(text: &str) -> (Part, &str) {
    if text.is_empty() {
        return (Part::default(), text);
    }
    let (number, behind_number) = take_number(text);
    let (letters, behind_letters) = take_while(behind_number, |c| c.is_ascii_alphabetic());
    let known = stage(letters);
    // "1.0rc1" is read as if a dot stood before "rc1".
    if letters.is_empty() || (known.is_some() && number.is_some()) {
        let part = Part { number: number.unwrap_or(-1), ..Part::default() };
        return (part, skip_separators(behind_number));
    }
    let (level, rest) = take_number(behind_letters);
    let stage = known.unwrap_or_else(|| letter_rank(letters));
    (Part { number: number.unwrap_or(-1), stage, level: level.unwrap_or(-1) }, skip_separators(rest))
}

/// The rank of a word pkg knows: `pl` lies before every letter, the others count as their first letter.
fn stage(letters: &str) -> Option<u8> {
    match letters.to_ascii_lowercase().as_str() {
        "pl" => Some(0),
        word @ ("alpha" | "beta" | "pre" | "rc") => Some(letter_rank(word)),
        _ => None,
    }
}

fn letter_rank(letters: &str) -> u8 {
    letters.bytes().next().map_or(0, |letter| letter.to_ascii_lowercase().saturating_sub(b'a') + 1)
}

fn take_number(text: &str) -> (Option<i128>, &str) {
    match take_while(text, |c| c.is_ascii_digit()) {
        ("", rest) => (None, rest),
        (digits, rest) => (Some(digits.parse().unwrap_or(i128::MAX)), rest),
    }
}

fn take_while(text: &str, wanted: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !wanted(c)).unwrap_or(text.len()))
}

fn skip_separators(text: &str) -> &str {
    text.trim_start_matches(|c: char| !c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> ImageVersion {
        ImageVersion::try_from(text.to_owned()).unwrap()
    }

    /// The rules are those stated in pkg's libpkg/pkg_version.c, whose own examples are the last lines.
    #[test]
    fn orders_versions_as_pkg_does() {
        use Ordering::{Equal, Greater, Less};
        for (a, b, expected) in [
            ("20250101", "20250515", Less),
            ("9", "10", Less),
            ("1.0", "1.0", Equal),
            ("1", "1.0", Equal),
            ("1.0", "1.0.1", Less),
            ("1.0_1", "1.0", Greater),
            ("1.0_2", "1.0_10", Less),
            ("1.0rc1", "1.0", Less),
            ("1.0alpha1", "1.0beta1", Less),
            ("1.0beta2", "1.0rc1", Less),
            ("1.0pl1", "1.0", Less),
            ("1.0a", "1.0", Greater),
            ("1.0a", "1.0b", Less),
            ("20250515.1", "20250515", Greater),
            ("100000000000000000000000000000000000000001", "3", Greater),
            ("10", "10.0.0", Equal),
            ("10..1", "10.1", Equal),
            ("10a1b2", "10a1.b2", Equal),
            ("10alpha", "10.a", Equal),
            ("10alpha", "10", Less),
            ("10a", "10", Greater),
            ("0.1beta2", "0.1.b2", Equal),
            ("1.d2", "1.Development2", Equal),
            ("2pl1", "2alpha3", Less),
        ] {
            assert_eq!(version(a).compare(&version(b)), expected, "{a} {b}");
            assert_eq!(version(b).compare(&version(a)), expected.reverse(), "{b} {a}");
        }
    }
}
