// SPDX-License-Identifier: GPL-3.0-or-later

//! Dates in versions: an image of `20261122` is from that day, whenever it is published.

use chrono::{DateTime, NaiveDate};
use image_catalog::name::ImageVersion;

/// The day that a version begins with, as in `20261122` and `20261122.1`.
pub fn date_of(version: &ImageVersion) -> Option<NaiveDate> {
    let digits = version.as_str().get(..8)?;
    let next = version.as_str()[8..].chars().next();
    let alone =
        digits.bytes().all(|b| b.is_ascii_digit()) && !next.is_some_and(|c| c.is_ascii_alphanumeric());
    let in_our_time = NaiveDate::from_ymd_opt(1970, 1, 1)?..NaiveDate::from_ymd_opt(2200, 1, 1)?;
    alone
        .then(|| NaiveDate::parse_from_str(digits, "%Y%m%d").ok())
        .flatten()
        .filter(|date| in_our_time.contains(date))
}

/// Midnight UTC of that day in seconds since 1970, 0 where a version names no day.
pub fn time_of(version: &ImageVersion) -> u64 {
    let midnight = date_of(version).and_then(|date| date.and_hms_opt(0, 0, 0));
    midnight.map_or(0, |time| time.and_utc().timestamp().unsigned_abs())
}

/// The day of a time in seconds since 1970.
pub fn day(seconds: u64) -> Option<NaiveDate> {
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0).map(|time| time.date_naive())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_name_a_day_or_none() {
        for (version, time) in [
            ("20261122", 1_795_305_600),
            ("20261122.2", 1_795_305_600),
            ("20261122_1", 1_795_305_600),
            ("20261131", 0),
            ("202611220", 0),
            ("19691231", 0),
            ("1.0", 0),
            ("99999999", 0),
        ] {
            assert_eq!(time_of(&ImageVersion::try_from(version.to_owned()).unwrap()), time, "{version}");
        }
    }
}
