// SPDX-License-Identifier: GPL-3.0-or-later

//! Clocks of public reports, rebuilt: what one look must give.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its fixtures fails")]

use std::fs;
use std::path::Path;

use ntpd_check::evidence::{Evidence, Source};
use ntpd_check::judge::{Limits, judge};
use ntpd_check::judgement::Judgement;
use ntpd_check::ntpctl::parse;
use ntpd_check::params::Params;

const DAY: f64 = 86_400.0;

fn evidence(name: &str) -> Evidence {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/fixtures/clocks/{name}.txt"));
    let report = parse(&fs::read_to_string(path).unwrap()).unwrap();
    Evidence::of_source(1_795_000_000.0, Source::Openntpd(report))
}

fn judged(evidence: &Evidence) -> Judgement {
    judge(evidence, &Limits::new(&Params::default(), "linux"))
}

fn said(judgement: &Judgement) -> String {
    format!("{}/{}", judgement.verdict.word(), judgement.severity.word().to_lowercase())
}

/// `NAME VERDICT`, the daemon's age unknown and two days.
const ONE_LOOK: [(&str, &str, &str); 15] = [
    ("A-rows-984", "offset/critical", "offset/critical"),
    ("A4-rows-blocked", "blocked/critical", "blocked/critical"),
    ("B-rows-ok", "ok/ok", "ok/ok"),
    ("F1-sensor-3s-off", "offset/critical", "offset/critical"),
    ("F2-sensor-dead-unsynced", "unsynced/critical", "unsynced/critical"),
    ("G-two-camps", "no_majority/warning", "no_majority/warning"),
    ("H-polls-just-shortened", "offset/warning", "offset/warning"),
    ("O-minus300", "offset/critical", "offset/critical"),
    ("O2-absurd-jitter", "few_peers/critical", "few_peers/critical"),
    ("O3-all-alarm", "blocked/critical", "blocked/critical"),
    ("L-two-names-one-address", "few_peers/warning", "few_peers/warning"),
    ("T02-one-peer-drift", "offset/critical", "offset/critical"),
    ("T04-1970", "offset/critical", "offset/critical"),
    ("T05-24781s", "offset/critical", "offset/critical"),
    ("T38-never-answered", "unsynced/critical", "unsynced/critical"),
];

#[test]
fn one_look_at_each() {
    for (name, unknown, old) in ONE_LOOK {
        let mut case = evidence(name);
        let found = judged(&case);
        assert_eq!(said(&found), unknown, "{name}: {:?}", found.reasons);
        (case.uptime, case.pid) = (Some(2.0 * DAY), Some(932));
        let found = judged(&case);
        assert_eq!(said(&found), old, "{name}, two days old: {:?}", found.reasons);
    }
}

#[test]
fn far_off_is_told_while_the_daemon_starts_and_that_the_clock_has_to_be_set() {
    for (name, error) in [("T04-1970", 1_420_993_981.762), ("T05-24781s", 24_781.301_6)] {
        for uptime in [None, Some(60.0), Some(300.0), Some(DAY)] {
            let found = judged(&Evidence { uptime, pid: uptime.map(|_| 7), ..evidence(name) });
            assert_eq!(said(&found), "offset/critical", "{name} {uptime:?}");
            let reason = &found.reasons[0];
            assert!(reason.contains("cannot be slewed away") && reason.contains("set the clock"), "{reason}");
            assert!((found.clock.clock_error.unwrap() - error).abs() < 0.01, "{:?}", found.clock);
        }
    }
}

#[test]
fn a_poisoned_drift_file_explains_more_than_one_peer() {
    let poisoned =
        Evidence { drift_ppm: Some(-1274.0), uptime: Some(3.0 * DAY), ..evidence("T02-one-peer-drift") };
    let found = judged(&poisoned);
    assert_eq!(said(&found), "offset/critical", "{:?}", found.reasons);
    assert!(found.reasons[1].contains("drift file holds -1274.0 ppm"), "{:?}", found.reasons);
}

#[test]
fn sources_without_time_are_one_finding() {
    let found = judged(&evidence("O3-all-alarm"));
    assert_eq!(found.reasons.len(), 1, "{:?}", found.reasons);
    assert!(found.reasons[0].starts_with("all sources lost their time"), "{:?}", found.reasons);
    assert_eq!(found.blocking_peers.len(), 4);
}

/// Every attempt shifts what it shows: nothing of that is a figure.
#[test]
fn a_daemon_that_may_not_set_the_clock_is_the_same_at_every_look() {
    let minutes = [4.0, 5.0, 6.0, 7.0];
    let look = |minute: f64, uptime: Option<f64>, may_set: Option<bool>| {
        let case = evidence(&format!("N-nocap-{minute}min"));
        let found = judged(&Evidence { uptime, pid: uptime.map(|_| 7), may_set, ..case });
        assert_eq!(found.clock.clock_error, None, "{minute}");
        assert_eq!((found.clock.offset_mean, found.clock.offset_median), (None, None), "{minute}");
        said(&found)
    };
    for minute in minutes {
        assert_eq!(look(minute, None, None), "starting/warning", "{minute}");
        assert_eq!(look(minute, Some(60.0 * minute), None), "starting/ok", "{minute}");
        assert_eq!(look(minute, Some(DAY + 60.0 * minute), None), "unsynced/critical", "{minute}");
        assert_eq!(look(minute, Some(60.0 * minute), Some(false)), "unsynced/critical", "{minute}");
    }
}
