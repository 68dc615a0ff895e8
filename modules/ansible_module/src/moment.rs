//! Moments in UTC, as people and names have them.

use std::time::{SystemTime, UNIX_EPOCH};

/// A moment as `2026-11-22T18:15:00Z`.
pub fn readable(time: SystemTime) -> String {
    let [year, month, day, hour, minute, second] = fields(time);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Now, as `20261122T181500Z`: for names.
pub fn now() -> String {
    readable(SystemTime::now()).replace(['-', ':'], "")
}

/// Days are turned into a date over years that begin in March, so that the leap day is the last one
/// (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn fields(time: SystemTime) -> [u64; 6] {
    const ERA: u64 = 146_097;
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / ERA, days % ERA);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_based = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_based + 2) / 5 + 1;
    let month = if march_based < 10 { march_based + 3 } else { march_based - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    [year, month, day, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60]
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
