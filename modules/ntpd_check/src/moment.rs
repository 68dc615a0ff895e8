// SPDX-License-Identifier: GPL-3.0-or-later

//! When a look was taken, by three clocks: what was watched in between, and whether somebody set the clock.

use serde::{Deserialize, Serialize};

/// Looks further apart than this watched nothing: who knows whether the machine ran in between.
pub const LONGEST_GAP: f64 = 1800.0;

/// How far two clocks of one host may run apart between two looks: reading them one after the other, and 1 %.
const SLACK: f64 = 5.0;
const DRIFT: f64 = 0.01;

/// What reading two clocks one after the other may cost on a busy host. Only Linux shows the clock that steps are told by, and slews
/// it together with the one that is set: nothing but a step moves them apart.
pub const READING: f64 = 0.05;

/// A moment as three clocks show it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// Local clock, Unix seconds: somebody may set it.
    pub at: f64,
    /// CLOCK_MONOTONIC, which nobody sets and which stands still while the host is suspended; absent in what earlier versions left.
    #[serde(default)]
    pub ticks: Option<f64>,
    /// CLOCK_BOOTTIME, which nobody sets and which counts a suspend; absent where the system has none.
    #[serde(default)]
    pub boot: Option<f64>,
}

impl Moment {
    /// Seconds since `earlier` in which this host was watched: none after a suspend, a pause, a step of the clock, a restart of
    /// the host, or a gap between looks that is longer than `longest`.
    pub fn watched_since(&self, earlier: &Self, longest: f64) -> f64 {
        let wall = self.at - earlier.at;
        if self.stepped_since(earlier).is_some() {
            return 0.0;
        }
        let gap = match self.ticks.zip(earlier.ticks) {
            Some((now, then)) if (wall - (now - then)).abs() > SLACK + DRIFT * wall.abs() => 0.0,
            Some((now, then)) => wall.min(now - then),
            None => wall,
        };
        if (0.0..=longest).contains(&gap) { gap } else { 0.0 }
    }

    /// By how much somebody set the clock since `earlier`, where this can be told and is more than reading clocks costs.
    pub fn stepped_since(&self, earlier: &Self) -> Option<f64> {
        let (now, then) = self.boot.zip(earlier.boot)?;
        let passed = now - then;
        let step = (self.at - earlier.at) - passed;
        (passed >= 0.0 && step.abs() > READING).then_some(step)
    }

    /// Seconds since `earlier` by the clock that nobody sets, if both moments are of one start of this host.
    pub fn ticks_since(&self, earlier: &Self) -> Option<f64> {
        self.ticks.zip(earlier.ticks).map(|(now, then)| now - then).filter(|passed| *passed >= 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(at: f64, ticks: f64, boot: f64) -> Moment {
        Moment { at, ticks: Some(ticks), boot: Some(boot) }
    }

    #[test]
    fn what_was_watched_between_two_looks() {
        let first = moment(1000.0, 50.0, 50.0);
        let cases = [
            ("five minutes", moment(1300.0, 350.0, 350.0), 300.0, None),
            ("eight hours of suspend", moment(29_800.0, 60.0, 28_850.0), 0.0, None),
            ("a long gap", moment(8200.0, 7250.0, 7250.0), 0.0, None),
            ("set forward by an hour", moment(4900.0, 350.0, 350.0), 0.0, Some(3600.0)),
            ("set back by an hour", moment(-2300.0, 350.0, 350.0), 0.0, Some(-3600.0)),
            ("set by an eighth of a second", moment(1300.125, 350.0, 350.0), 0.0, Some(0.125)),
            ("the host was started anew", moment(1300.0, 20.0, 20.0), 0.0, None),
        ];
        for (name, now, watched, step) in cases {
            assert_eq!(
                (now.watched_since(&first, LONGEST_GAP), now.stepped_since(&first)),
                (watched, step),
                "{name}"
            );
        }
        let old = Moment { at: 1000.0, ..Moment::default() };
        assert_eq!(moment(1300.0, 9e9, 9e9).watched_since(&old, LONGEST_GAP), 300.0);
        assert_eq!(moment(29_800.0, 9e9, 9e9).watched_since(&old, LONGEST_GAP), 0.0);
    }
}
