// SPDX-License-Identifier: GPL-3.0-or-later

//! The clocks of this host, read at one moment: they are compared with those of the next look.

use std::time::{Duration, SystemTime};

use anyhow::Result;
use nix::time::{ClockId, clock_gettime};

use crate::moment::READING;

/// How often they are read, at most, where something else was let run in between.
const READINGS: u32 = 5;

/// Seconds of each.
pub struct Clocks {
    /// The clock that is set, since 1970.
    pub now: f64,
    /// CLOCK_MONOTONIC.
    pub ticks: f64,
    /// CLOCK_BOOTTIME, where the system has it.
    pub boot: Option<f64>,
}

impl Clocks {
    /// # Errors
    /// Where the system has no CLOCK_MONOTONIC.
    pub fn read() -> Result<Self> {
        let mut tries = 1;
        loop {
            let boot = since_boot();
            let clocks = Self { now: since_1970(), ticks: seconds_of(ClockId::CLOCK_MONOTONIC)?, boot };
            let took = since_boot().zip(boot).map_or(0.0, |(after, before)| after - before);
            if took < READING / 10.0 || tries == READINGS {
                return Ok(clocks);
            }
            tries += 1;
        }
    }
}

/// Counts a suspend, unlike CLOCK_MONOTONIC.
#[cfg(target_os = "linux")]
fn since_boot() -> Option<f64> {
    seconds_of(ClockId::CLOCK_BOOTTIME).ok()
}

#[cfg(not(target_os = "linux"))]
fn since_boot() -> Option<f64> {
    None
}

/// The clock that is set, in seconds.
pub fn since_1970() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn seconds_of(clock: ClockId) -> Result<f64> {
    Ok(Duration::from(clock_gettime(clock)?).as_secs_f64())
}
