// SPDX-License-Identifier: GPL-3.0-or-later

//! Sizes and durations as people write them in a playbook.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

const UNITS: [(char, u32); 5] = [('P', 50), ('T', 40), ('G', 30), ('M', 20), ('K', 10)];

/// A size in bytes; read from a number, or from text such as `20G` (units of 1024).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    /// The shortest exact form: `20G`, `1536M`, `1000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, shift) in UNITS {
            if self.0 != 0 && self.0.trailing_zeros() >= shift {
                return write!(f, "{}{unit}", self.0 >> shift);
            }
        }
        write!(f, "{}", self.0)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || {
            format!("invalid size {text:?}: expected bytes or a number with one of K, M, G, T, P, as in 20G")
        };
        let trimmed = text.trim().trim_end_matches(['B', 'b']).trim_end_matches('i').trim_end();
        let letter = trimmed.chars().last().map(|c| c.to_ascii_uppercase());
        let shift = UNITS.iter().find(|(unit, _)| Some(*unit) == letter).map_or(0, |(_, shift)| *shift);
        let digits = if shift == 0 { trimmed } else { trimmed[..trimmed.len() - 1].trim_end() };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid());
        }
        let number: u64 = digits.parse().map_err(|_| invalid())?;
        number.checked_mul(1 << shift).map(Size).ok_or_else(|| format!("size {text:?} is beyond 2^64 bytes"))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size in bytes or with a unit, as in 20G")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Size, E> {
        Ok(Size(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Size, E> {
        u64::try_from(value).map(Size).map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Size, E> {
        value.parse().map_err(E::custom)
    }
}

/// A duration in seconds; read from a number or from its text.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Seconds(f64);

impl Seconds {
    /// `seconds` whole seconds.
    pub const fn new(seconds: u32) -> Self {
        Seconds(seconds as f64)
    }

    /// `millis` thousandths of a second.
    pub const fn from_millis(millis: u32) -> Self {
        Seconds(millis as f64 / 1000.0)
    }

    /// The same as a [`Duration`].
    pub fn duration(self) -> Duration {
        Duration::from_secs_f64(self.0)
    }

    /// The number of seconds.
    pub fn as_f64(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0)
    }
}

impl TryFrom<f64> for Seconds {
    type Error = String;

    /// Refuses what no task waits for: negative, not finite, beyond ten years.
    fn try_from(value: f64) -> Result<Self, String> {
        const TEN_YEARS: f64 = 3.2e8;
        if (0.0..=TEN_YEARS).contains(&value) {
            Ok(Seconds(value))
        } else {
            Err(format!("invalid duration {value}: expected seconds from 0 to {TEN_YEARS}"))
        }
    }
}

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let value = text.trim().parse::<f64>();
        value.map_err(|_| format!("invalid duration {text:?}: expected a number of seconds"))?.try_into()
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecondsVisitor)
    }
}

struct SecondsVisitor;

impl Visitor<'_> for SecondsVisitor {
    type Value = Seconds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Seconds, E> {
        Seconds::try_from(value as f64).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Seconds, E> {
        Seconds::try_from(value as f64).map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Seconds, E> {
        Seconds::try_from(value).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Seconds, E> {
        value.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_shown_exactly() {
        let cases = [
            ("0", 0, "0"),
            ("1000", 1000, "1000"),
            ("20G", 20 << 30, "20G"),
            ("20g", 20 << 30, "20G"),
            ("1536 MiB", 1536 << 20, "1536M"),
            ("4KB", 4096, "4K"),
            ("8P", 8 << 50, "8P"),
        ];
        for (text, bytes, shown) in cases {
            let size: Size = text.parse().unwrap();
            assert_eq!((size.0, size.to_string().as_str()), (bytes, shown), "{text}");
        }
        for text in ["", "G", "-1", "1.5G", "0x10", "20X", "1 2", "99999999P", "２G", "é"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn seconds_are_bounded() {
        assert_eq!("1.5".parse::<Seconds>().unwrap().duration(), Duration::from_millis(1500));
        for text in ["-1", "nan", "inf", "1e300", "soon"] {
            assert!(text.parse::<Seconds>().is_err(), "{text}");
        }
    }
}
