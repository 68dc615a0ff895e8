// SPDX-License-Identifier: GPL-3.0-or-later

//! Ranges of the Monitoring Plugins guidelines, in seconds: `10`, `10:`, `~:10`, `10:20`, `@10:20`.

use std::fmt;

use anyhow::{Context, Result, ensure};

/// Values between two bounds, both included, and whether it is these that raise an alert, or all others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    low: f64,
    high: f64,
    inside: bool,
}

impl Range {
    /// Everything that is at most `size` from 0: what a plain number means for an offset, which has two signs.
    pub fn within(size: f64) -> Self {
        Self { low: -size, high: size, inside: false }
    }

    /// Reads a range that has `:` or `@`.
    ///
    /// # Errors
    /// Where it is none, or its bounds are the wrong way round.
    pub fn parse(text: &str) -> Result<Self> {
        let expected = || format!("expected a range like 0.05, 0:1, ~:0.5 or @0:1, found {text:?}");
        let (inside, rest) = text.strip_prefix('@').map_or((false, text), |rest| (true, rest));
        let (low, high) = rest.split_once(':').unwrap_or(("0", rest));
        let low = if low == "~" {
            Some(f64::NEG_INFINITY)
        } else {
            seconds(if low.is_empty() { "0" } else { low })
        };
        let high = if high.is_empty() { Some(f64::INFINITY) } else { seconds(high) };
        let (low, high) = low.zip(high).with_context(expected)?;
        ensure!(low <= high, "{}: its lower bound is above the upper one", expected());
        Ok(Self { low, high, inside })
    }

    /// Whether `value` raises an alert.
    pub fn alerts(&self, value: f64) -> bool {
        self.inside == (self.low..=self.high).contains(&value)
    }

    /// Whether everything that is good by `self` is good by `other`, too; unknown where either names what is bad.
    pub fn fits_into(&self, other: &Self) -> Option<bool> {
        let comparable = !self.inside && !other.inside;
        comparable.then_some(self.low >= other.low && self.high <= other.high)
    }

    /// How far from 0 a good value may be, where only good ones are named and an end is finite.
    pub fn size(&self) -> Option<f64> {
        let ends = [self.low, self.high].into_iter().filter(|end| end.is_finite()).map(f64::abs);
        ends.reduce(f64::max).filter(|_| !self.inside)
    }
}

/// A number of seconds; `ms` and `s` may follow it.
pub fn seconds(text: &str) -> Option<f64> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1000.0),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    let numeric = number.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let value: f64 = number.parse().ok().filter(|_| numeric)?;
    Some(value / unit).filter(|value| value.is_finite())
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inside {
            f.write_str("@")?;
        }
        match self.low {
            f64::NEG_INFINITY => f.write_str("~:")?,
            low => write!(f, "{low}:")?,
        }
        if self.high.is_finite() { write!(f, "{}", self.high) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_the_guidelines() {
        let cases = [
            ("10", [-1.0, 11.0], [0.0, 10.0]),
            ("10:", [9.0, -10.0], [10.0, 1e9]),
            ("~:10", [10.5, 11.0], [-1e9, 10.0]),
            ("10:20", [9.0, 21.0], [10.0, 20.0]),
            ("@10:20", [10.0, 20.0], [9.0, 21.0]),
            ("-0.5:500ms", [-0.6, 0.6], [-0.5, 0.5]),
            (":1s", [-0.1, 1.1], [0.0, 1.0]),
        ];
        for (text, bad, good) in cases {
            let range = Range::parse(text).unwrap();
            assert!(bad.iter().all(|value| range.alerts(*value)), "{text}");
            assert!(good.iter().all(|value| !range.alerts(*value)), "{text}");
            let again = Range::parse(&range.to_string()).unwrap();
            assert_eq!(again, range, "{text}");
        }
        for text in ["", ":", "x", "1:x", "20:10", "@", "nan", "~", "1:2:3", "inf", "~:nan"] {
            let ends = [":", "@", ""].contains(&text);
            assert!(Range::parse(text).is_err() || ends, "{text}");
        }
        assert!(Range::parse("").is_err() || Range::parse("").unwrap().alerts(-1.0));
    }

    #[test]
    fn which_range_is_the_wider_one() {
        let range = |text| Range::parse(text).unwrap();
        assert_eq!(range("~:0.5").fits_into(&range("~:1")), Some(true));
        assert_eq!(range("~:0.5").fits_into(&range("1")), Some(false));
        assert_eq!(range("@0:1").fits_into(&range("1")), None);
        let sizes = ["~:0.5", "-2:1", "@0:1", "~:"].map(|text| range(text).size());
        assert_eq!(sizes, [Some(0.5), Some(2.0), None, None]);
    }
}
