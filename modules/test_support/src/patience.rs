// SPDX-License-Identifier: GPL-3.0-or-later

//! How long tests wait: a slow machine is not a failure.

use std::fmt::Debug;
use std::thread;
use std::time::{Duration, Instant};

/// The limit of something that only a failure makes last so long: `seconds` times `APIARY_PATIENCE` (1 by default).
///
/// `seconds` are at least thirty times what is usual. A limit that a test expects to run out is tiny, and not multiplied.
pub fn patience(seconds: u64) -> Duration {
    let factor = std::env::var("APIARY_PATIENCE").map_or(1.0, |factor| factor.parse().unwrap());
    Duration::from_secs(seconds).mul_f64(factor)
}

/// What `attempt` gives as soon as it is `Ok`, with a limit that is expected to run out, and therefore short.
///
/// On a machine that is slower itself it runs out before its time, which is an `Err`: then one twice as long is tried.
pub fn run_out<T, E: Debug>(what: &str, mut attempt: impl FnMut(Duration) -> Result<T, E>) -> T {
    let mut early = Vec::new();
    for limit in (0..9).map(|doubled| Duration::from_millis(250 << doubled)) {
        match attempt(limit) {
            Ok(found) => return found,
            Err(seen) => early.push(seen),
        }
    }
    panic!("expected {what}; limits of 0.25 s to 64 s gave: {early:#?}")
}

/// What `look` has found, as soon as it is `Ok`; else a panic that says what was waited for, and what was seen last.
pub fn wait_for<T, E: Debug>(what: &str, seconds: u64, mut look: impl FnMut() -> Result<T, E>) -> T {
    let limit = patience(seconds);
    let end = Instant::now() + limit;
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) if Instant::now() >= end => {
                panic!("waited {limit:?} for {what}; the last look gave: {seen:?}")
            }
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
}
