// SPDX-License-Identifier: GPL-3.0-or-later

//! Moments in UTC, as people and names have them.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat, Utc};

/// A moment as `2026-11-22T18:15:00Z`.
pub fn readable(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    // Years of six digits come from a damaged disk; then, as before 1970, it is the first moment.
    let time = i64::try_from(seconds).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.unwrap_or(DateTime::<Utc>::UNIX_EPOCH).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Now, as `20261122T181500Z`: for names.
pub fn now() -> String {
    readable(SystemTime::now()).replace(['-', ':'], "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_as_date_prints_them() {
        // date -u -d @SECONDS +%FT%TZ
        let table = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_795_371_300, "2026-11-22T18:15:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, expected) in table {
            assert_eq!(readable(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }
}
