// SPDX-License-Identifier: GPL-3.0-or-later

mod memory;
mod trust;

use super::*;
use crate::judgement::ErrorSource;
use crate::leap::LeapTable;
use crate::ntpctl::parse;
use crate::params::Params;
use crate::probe::{Answer, Probed, Problem};
use crate::report::Sample;
use crate::state::{Row, Snapshot};
use crate::verdict::{Severity, Verdict};

const NOW: f64 = 1_700_000_000.0;

macro_rules! captured {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/ntpctl/", $name, ".all.txt"))
    };
}

fn evidence(text: &str) -> Evidence {
    let source = Source::Openntpd(parse(text).unwrap());
    Evidence { uptime: Some(100_000.0), pid: Some(7), ..Evidence::of_source(NOW, source) }
}

fn judged(evidence: &Evidence) -> Judgement {
    judge(evidence, &Limits::new(&Params::default(), "linux"))
}

fn said(evidence: &Evidence) -> (Verdict, Severity) {
    let judgement = judged(evidence);
    (judgement.verdict, judgement.severity)
}

fn seen(ago: f64, error: f64) -> Snapshot {
    Snapshot {
        at: NOW - ago,
        pid: Some(7),
        synced: Some(true),
        clock_error: Some(error),
        error_source: Some(ErrorSource::Daemon),
        ticks: Some(NOW - ago),
        boot: None,
        uptime: Some(100_000.0 - ago),
        poll: Some(32),
    }
}

fn probed(server: &str, offset: f64) -> Probed {
    let answer = Answer {
        leap: 0,
        stratum: 2,
        refid: format!("198.51.100.{}", server.rsplit('.').next().unwrap()),
        offset,
        delay: 0.01,
        root_distance: 0.01,
        reference_age: 1.0,
    };
    Probed { server: server.into(), address: None, sent: 1, answers: vec![answer], problem: None }
}

/// Three peers that agree on -200 ms, at a poll of 32 s, and the daemon says synced.
fn off() -> Evidence {
    let text = "3/3 peers valid, clock synced, stratum 3

peer
   wt tl st  next  poll          offset       delay      jitter
192.0.2.1 
 *  1 10  2    6s   31s      -200.784ms    13.486ms     0.872ms
192.0.2.2 
    1 10  2   10s   32s      -200.000ms    21.461ms     1.047ms
192.0.2.3 
    1 10  2   12s   31s      -199.821ms    31.484ms     1.091ms
";
    evidence(text)
}

#[test]
fn a_clock_that_does_not_move_is_stuck() {
    let cases = [
        ("no earlier look", vec![], Verdict::Offset),
        ("too short a time", vec![seen(599.0, -0.2)], Verdict::Offset),
        ("no movement", vec![seen(700.0, -0.2)], Verdict::Stuck),
        ("worse", vec![seen(700.0, -0.19)], Verdict::Stuck),
        ("a quarter of what is possible", vec![seen(400.0, -0.25)], Verdict::Offset),
        ("as fast as the kernel can", vec![seen(700.0, -0.55)], Verdict::Slewing),
        ("right a moment ago", vec![seen(700.0, -0.001)], Verdict::Offset),
    ];
    for (name, history, verdict) in cases {
        let mut evidence = off();
        evidence.state.history = history;
        assert_eq!(judged(&evidence).verdict, verdict, "{name}");
    }
    let mut other_daemon = off();
    other_daemon.state.history = vec![Snapshot { pid: Some(6), ..seen(700.0, -0.2) }];
    assert_eq!(judged(&other_daemon).verdict, Verdict::Offset);
}

#[test]
fn the_platform_decides_what_is_stuck() {
    let mut evidence = off();
    evidence.state.history = vec![seen(1500.0, -0.4)];
    let verdict = |os| judge(&evidence, &Limits::new(&Params::default(), os)).verdict;
    assert_eq!((verdict("linux"), verdict("openbsd")), (Verdict::Slewing, Verdict::Slewing));
    let rate = SlewTimes([1.5, 0.985]);
    assert_eq!(rate.of("linux"), [3000.0, 1970.0]);
    assert_eq!(rate.of("freebsd"), [2100.0, 1970.0]);
    assert_eq!(rate.of("openbsd"), [300.0, 197.0]);
}

struct SlewTimes([f64; 2]);

impl SlewTimes {
    fn of(&self, os: &str) -> [f64; 2] {
        self.0.map(|error| limits::SlewRate::of_platform(os).time_for(error).round())
    }
}

#[test]
fn the_age_of_the_last_adjustment_tells() {
    let mut evidence = evidence(captured!("7.9p1/healthy-06-later"));
    for (ago, expected) in [(500.0, Verdict::Ok), (10_131.0, Verdict::Stuck)] {
        evidence.adjusted_ago = Some(ago);
        evidence.state.history.clear();
        assert_eq!(judged(&evidence).verdict, Verdict::Ok, "{ago}: a first look");
        evidence.state.history = (1..40).rev().map(|look| seen(f64::from(look) * 300.0, 0.001)).collect();
        assert_eq!(judged(&evidence).verdict, expected, "{ago}");
    }
    evidence.state.history[10].poll = Some(1600);
    assert_eq!(judged(&evidence).verdict, Verdict::Ok, "its polls were long when it last adjusted");
    evidence.state.history[10].poll = Some(32);
    evidence.source = Source::Openntpd(parse(captured!("7.9p1/healthy-long-01-scaled")).unwrap());
    assert_eq!(judged(&evidence).verdict, Verdict::Ok, "at long polls hours are normal");
}

#[test]
fn a_row_that_does_not_move_blocks_even_at_an_ordinary_poll() {
    let mut evidence = evidence(captured!("7.9p1/healthy-06-later"));
    let sample = Sample { offset: 0.000_518, delay: 0.022_537, jitter: 0.002_246 };
    let frozen = vec!["10.99.0.2".to_owned()];
    for (watched, passed, blocking) in [
        (100.0, 2, vec![]),
        (200.0, 2, frozen.clone()),
        // Nothing else moved either: the daemon did not run.
        (200.0, 1, vec![]),
    ] {
        let row = Row { sample, since: NOW - 9e6, watched, passed };
        evidence.state.rows = [("10.99.0.2".to_owned(), row)].into();
        assert_eq!(judged(&evidence).blocking_peers, blocking, "{watched} {passed}");
    }
    evidence.state.rows.values_mut().for_each(|row| row.passed = 2);
    assert_eq!(judged(&evidence).blocking_peers, frozen);
    evidence.probes = vec![probed("10.99.0.2", 0.0)];
    assert_eq!(judged(&evidence).blocking_peers, [""; 0], "it answers a probe");
}

#[test]
fn a_block_gets_graver_with_time_and_with_a_leap_second() {
    let mut case = evidence(captured!("7.9p1/incident2-02-alarm-12min"));
    assert_eq!(said(&case), (Verdict::Blocked, Severity::Warning));
    case.state.blocked_since = Some(NOW - 7201.0);
    assert_eq!(said(&case), (Verdict::Blocked, Severity::Critical));
    case.state.blocked_since = None;
    case.leaps = Some(leaps(NOW + 80_000.0));
    assert_eq!(said(&case), (Verdict::Blocked, Severity::Critical));
}

fn leaps(at: f64) -> LeapTable {
    let leaps = vec![crate::leap::Leap { at, tai_offset: 38 }];
    LeapTable { path: "leap-seconds.list".into(), updated: None, expires: NOW + 1e7, leaps }
}

#[test]
fn a_probe_says_why_a_peer_blocks() {
    let mut case = evidence(captured!("7.9p1/incident2-03-leap+15min"));
    let alarm = Probed { answers: Vec::new(), problem: Some(Problem::Alarm), ..probed("10.99.0.4", 0.0) };
    case.probes =
        vec![probed("10.99.0.1", -0.985), probed("10.99.0.2", -0.984), probed("10.99.0.3", -0.986), alarm];
    let judgement = judged(&case);
    assert!(judgement.reasons[0].contains("announces LI=3 (alarm)"), "{:?}", judgement.reasons);
    assert_eq!(judgement.clock.error_source, Some(ErrorSource::Probes));
    assert_eq!(judgement.notes, ["direct probes confirm ntpctl: 985.0 ms against 984.3 ms"]);
}

/// OpenNTPD 7.9p1 on Linux shows -669 ms while the clock is 860 ms off the other way.
#[test]
fn probes_refute_what_ntpctl_shows() {
    let mut case = evidence(captured!("7.9p1/offset-all-06-slewing2"));
    case.probes = (1..=4).map(|last| probed(&format!("10.99.0.{last}"), 0.01)).collect();
    let judgement = judged(&case);
    assert_eq!(judgement.clock.clock_error, Some(0.01));
    let said = "direct probes refute ntpctl: 10.0 ms against 646.4 ms; ";
    assert!(judgement.reasons.iter().any(|reason| reason.starts_with(said)), "{:?}", judgement.reasons);
    assert_eq!((judgement.verdict, judgement.severity), (Verdict::Discordant, Severity::Warning));
}

/// A daemon that was just started says nothing, but who measures directly knows.
#[test]
fn probes_count_while_the_daemon_starts() {
    let mut case = evidence(captured!("7.9p1/healthy-02-tl-rising"));
    case.uptime = Some(60.0);
    assert_eq!(said(&case), (Verdict::Starting, Severity::Ok));
    let cases = [(0.01, Severity::Ok), (-0.2, Severity::Warning), (1.0, Severity::Critical)];
    for (offset, severity) in cases {
        case.probes = (1..=3).map(|last| probed(&format!("10.99.0.{last}"), offset)).collect();
        assert_eq!(said(&case), (Verdict::Starting, severity), "{offset}");
    }
    let reason = &judged(&case).reasons[0];
    assert!(reason.ends_with("; by direct probes the clock is off by 1.00 s now"), "{reason}");
}

#[test]
fn around_a_leap_second() {
    let hour = 3600.0;
    let off_by_one = captured!("7.9p1/incident2-03-leap+15min").replace("1545s 3112s", "   5s   32s");
    let cases = [
        ("due in an hour, 200 ms", NOW + hour, off(), Verdict::Offset, Severity::Warning),
        (
            "half an hour ago, one second",
            NOW - hour / 2.0,
            evidence(&off_by_one),
            Verdict::Discordant,
            Severity::Warning,
        ),
        (
            "two hours ago, one second",
            NOW - 2.0 * hour,
            evidence(&off_by_one),
            Verdict::Discordant,
            Severity::Critical,
        ),
        (
            "long ago, one second",
            NOW - 300.0 * hour,
            evidence(&off_by_one),
            Verdict::Discordant,
            Severity::Critical,
        ),
    ];
    for (name, at, mut case, verdict, severity) in cases {
        case.leaps = Some(leaps(at));
        let judgement = judged(&case);
        assert_eq!(
            (judgement.verdict, judgement.severity),
            (verdict, severity),
            "{name}: {:?}",
            judgement.reasons
        );
        let missed =
            judgement.reasons.iter().any(|reason| reason.contains("looks like a missed leap second"));
        assert_eq!(missed, name.ends_with("one second") && !name.starts_with("long"), "{name}");
    }
    let mut expired = off();
    expired.leaps = Some(LeapTable { expires: NOW - 200_000.0, ..leaps(NOW - 1e8) });
    let note = "leap-seconds.list expired 2 days ago: a leap second announced since then is not known here; update tzdata";
    assert_eq!(judged(&expired).notes, [note]);
    expired.leaps = Some(leaps(NOW + 200_000.0));
    assert_eq!(judged(&expired).notes, ["leap second in 2 days: TAI-UTC becomes 38 s"]);
}

#[test]
fn a_start_is_given_its_time_but_no_more() {
    let mut case = evidence(captured!("7.9p1/healthy-04-first-adjust"));
    for (uptime, expected) in
        [(90.0, Verdict::Starting), (900.0, Verdict::Starting), (901.0, Verdict::Unsynced)]
    {
        case.uptime = Some(uptime);
        assert_eq!(judged(&case).verdict, expected, "{uptime}");
    }
}

#[test]
fn a_poisoned_drift_file_is_named() {
    let mut case = evidence(captured!("7.9p1/healthy-06-later"));
    for (ppm, verdict) in [(-499.9, Verdict::Ok), (-1274.0, Verdict::Drift), (524.0, Verdict::Drift)] {
        case.drift_ppm = Some(ppm);
        assert_eq!(judged(&case).verdict, verdict, "{ppm}");
    }
}
