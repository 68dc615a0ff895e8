// SPDX-License-Identifier: GPL-3.0-or-later

//! Seconds in words.

/// A number of seconds as people read it: `-984.3 ms`, `1.2 s`, `6 h 53 min`, `16446 days`.
pub fn spoken(seconds: f64) -> String {
    match seconds.abs() {
        size if size < 1.0 => format!("{:.1} ms", seconds * 1000.0),
        size if size < 600.0 => format!("{seconds:.2} s"),
        size => format!("{seconds:.0} s ({})", lasting(size)),
    }
}

/// A duration as people read it: `90 s`, `33 min`, `2 h 47 min`, `3 days`.
pub fn lasting(seconds: f64) -> String {
    let whole = seconds.max(0.0).round();
    if whole < 120.0 {
        return format!("{whole} s");
    }
    let minutes = (whole / 60.0).round();
    if minutes < 120.0 {
        return format!("{minutes} min");
    }
    if minutes < 60.0 * 96.0 {
        return format!("{} h {} min", (minutes / 60.0).floor(), minutes % 60.0);
    }
    let years = minutes / 60.0 / 24.0 / 365.25;
    if years < 2.0 { format!("{:.0} days", minutes / 1440.0) } else { format!("{years:.0} years") }
}
