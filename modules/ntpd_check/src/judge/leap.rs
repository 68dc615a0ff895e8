// SPDX-License-Identifier: GPL-3.0-or-later

//! Judgement around leap seconds: smearing and stepping servers differ by up to a second for a day, and a clock
//! that is one second off afterwards has missed the leap.

use crate::evidence::Evidence;
use crate::judgement::Figures;
use crate::spoken::{lasting, spoken};
use crate::verdict::{Finding, Severity, Verdict};

/// One day in seconds.
pub const DAY: f64 = 86400.0;

/// Time around a leap in which servers may disagree by a smear.
const WINDOW: f64 = DAY;

/// What a smearing server can be off by, with room for the network.
const SMEAR: f64 = 1.1;

/// A missed leap second looks like this.
const SIGNATURE: std::ops::RangeInclusive<f64> = 0.85..=1.15;

/// Days after a leap in which the signature is believed.
const MEMORY: f64 = 7.0 * DAY;

/// Time after a leap after which nobody repeats it any more.
const SETTLED: f64 = 3600.0;

/// Time before which a table about to expire is worth a word.
const EXPIRY_NOTICE: f64 = 28.0 * DAY;

/// Whether a leap second is less than a day away, before or after.
pub(super) fn near(evidence: &Evidence) -> bool {
    let table = evidence.leaps.as_ref();
    table.is_some_and(|table| table.leaps.iter().any(|leap| (leap.at - evidence.now).abs() <= WINDOW))
}

/// Whether a leap second comes within `seconds`.
pub(super) fn due_within(evidence: &Evidence, seconds: f64) -> bool {
    let table = evidence.leaps.as_ref();
    table
        .and_then(|table| table.next_after(evidence.now))
        .is_some_and(|leap| leap.at - evidence.now <= seconds)
}

/// The critical threshold, relaxed near a leap unless the error is what a missed one leaves behind.
pub(super) fn critical_offset(evidence: &Evidence, critical: f64) -> (f64, &'static str) {
    if near(evidence) && critical < SMEAR && !settled_since_leap(evidence) {
        return (SMEAR, ", relaxed around a leap second");
    }
    (critical, "")
}

fn settled_since_leap(evidence: &Evidence) -> bool {
    since_last(evidence).is_some_and(|ago| (SETTLED..=MEMORY).contains(&ago))
}

fn since_last(evidence: &Evidence) -> Option<f64> {
    let last = evidence.leaps.as_ref()?.last_before(evidence.now)?;
    Some(evidence.now - last.at)
}

/// What the table and the error say together.
pub(super) fn findings(evidence: &Evidence, figures: &Figures) -> Vec<Finding> {
    let Some(table) = &evidence.leaps else { return Vec::new() };
    let mut findings = Vec::new();
    if let Some(next) = table.next_after(evidence.now) {
        findings.push(Finding::note(format!(
            "leap second in {}: TAI-UTC becomes {} s",
            days(next.at - evidence.now),
            next.tai_offset
        )));
    }
    let error = figures.error();
    if let Some(ago) = since_last(evidence).filter(|ago| *ago <= MEMORY && SIGNATURE.contains(&error)) {
        findings.push(Finding::new(
            Verdict::Offset,
            if ago >= SETTLED { Severity::Critical } else { Severity::Warning },
            format!(
                "{} off, {} after a leap second: this looks like a missed leap second",
                spoken(error),
                lasting(ago)
            ),
        ));
    }
    let left = table.expires - evidence.now;
    if left <= 0.0 {
        findings.push(Finding::note(format!(
            "{} expired {} ago: a leap second announced since then is not known here; update tzdata",
            table.path.display(),
            days(-left)
        )));
    } else if left <= EXPIRY_NOTICE {
        findings.push(Finding::note(format!("{} expires in {}", table.path.display(), days(left))));
    }
    findings
}

fn days(seconds: f64) -> String {
    if seconds < 2.0 * DAY { lasting(seconds) } else { format!("{:.0} days", (seconds / DAY).floor()) }
}
