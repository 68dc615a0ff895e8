// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;
use crate::evidence::{Evidence, Source};
use crate::judge::{Limits, judge};
use crate::params::Params;
use crate::verdict::{Severity, Verdict};

macro_rules! captured {
    ($name:literal) => {
        (
            include_str!(concat!("../../../../tests/fixtures/chronyc/", $name, ".tracking.csv")),
            include_str!(concat!("../../../../tests/fixtures/chronyc/", $name, ".sources.csv")),
        )
    };
}

fn judged(output: (&str, &str), uptime: f64) -> crate::judgement::Judgement {
    let (tracking, sources) = output;
    let report = parse(tracking, sources).unwrap();
    let source = Source::Chrony(report);
    let evidence = Evidence { uptime: Some(uptime), ..Evidence::of_source(1_795_376_740.0, source) };
    judge(&evidence, &Limits::new(&Params::default(), "linux"))
}

#[test]
fn captured_outputs_and_their_verdicts() {
    let cases = [
        (captured!("02-started"), 1.0, Verdict::Starting, Severity::Ok),
        (captured!("02-started"), 901.0, Verdict::Unsynced, Severity::Critical),
        (captured!("03-healthy"), 901.0, Verdict::Ok, Severity::Ok),
        (captured!("04-falseticker1"), 901.0, Verdict::Discordant, Severity::Warning),
        (captured!("05-falseticker2"), 901.0, Verdict::NoMajority, Severity::Critical),
        (captured!("06-offset-all"), 901.0, Verdict::Offset, Severity::Warning),
        (captured!("07-alarm1"), 901.0, Verdict::Ok, Severity::Ok),
        (captured!("08-all-silent"), 901.0, Verdict::FewPeers, Severity::Critical),
        (captured!("09-three-silent"), 901.0, Verdict::FewPeers, Severity::Warning),
    ];
    for (output, uptime, verdict, severity) in cases {
        let found = judged(output, uptime);
        assert_eq!((found.verdict, found.severity), (verdict, severity), "{:?}", found.reasons);
    }
    assert_eq!(judged(captured!("04-falseticker1"), 901.0).falsetickers, ["10.99.0.4"]);
    let ahead = judged(captured!("06-offset-all"), 901.0).clock.clock_error.unwrap();
    assert!((ahead - 0.2).abs() < 0.001, "servers ahead of this clock are a positive error: {ahead}");
}

#[test]
fn a_source_that_is_ahead_has_a_positive_offset() {
    let (tracking, sources) = captured!("04-falseticker1");
    let report = parse(tracking, sources).unwrap();
    let liar = &report.sources[3];
    assert!((liar.offset - 0.3).abs() < 0.001, "{liar:?}");
    assert_eq!((liar.state, liar.reach, liar.poll, liar.heard_ago), ('x', Some(255), 1.0, Some(2)));
}

#[test]
fn nobody_is_valid_who_has_not_answered_for_eight_polls() {
    let (tracking, sources) = captured!("03-healthy");
    let valid = |reach: u8, heard: Option<u64>, poll: f64, margin: f64| {
        let mut report = parse(tracking, sources).unwrap();
        let first = &mut report.sources[0];
        (first.reach, first.heard_ago, first.poll, first.margin) = (Some(reach), heard, poll, margin);
        crate::judge::usable(first)
    };
    assert!(valid(0o377, Some(8192), 1024.0, 0.01) && valid(1, Some(0), 1.0, 0.01));
    assert!(!valid(0, Some(1), 1024.0, 0.01), "reach 0");
    assert!(!valid(0o377, None, 1024.0, 0.01), "never heard of");
    assert!(!valid(0o377, Some(8203), 1024.0, 0.01), "too long ago");
    assert!(!valid(0o377, Some(1), 1024.0, 1.6), "too little known");
    let found = judged(captured!("09-three-silent"), 901.0);
    assert_eq!((found.clock.valid_peers, found.clock.total_peers), (1, 4));
    assert!(
        found.notes.iter().any(|note| note.contains("192.0.2.4 (reach 0, heard 25 h 19 min ago")),
        "{:?}",
        found.notes
    );
}

/// A chronyd that corrects nothing, or a clock that somebody has set since, is seen by who measures.
#[test]
fn probes_and_chronyd_that_contradict_each_other_are_never_ok() {
    let (tracking, sources) = captured!("03-healthy");
    let mut evidence = Evidence {
        uptime: Some(901.0),
        ..Evidence::of_source(1_795_376_740.0, Source::Chrony(parse(tracking, sources).unwrap()))
    };
    let probed = |last: u8, offset: f64| crate::probe::Probed {
        server: format!("10.99.0.{last}"),
        address: Some(format!("10.99.0.{last}")),
        sent: 1,
        answers: vec![crate::probe::Answer {
            leap: 0,
            stratum: 2,
            refid: format!("198.51.100.{last}"),
            offset,
            delay: 0.01,
            root_distance: 0.02,
            reference_age: 1.0,
        }],
        problem: None,
    };
    for (servers, offset, verdict, severity) in [
        (4, 0.0, Verdict::Ok, Severity::Ok),
        (1, 0.6, Verdict::Discordant, Severity::Warning),
        (4, 0.6, Verdict::Offset, Severity::Critical),
    ] {
        evidence.probes = (1..=servers).map(|last| probed(last, offset)).collect();
        let found = judge(&evidence, &Limits::new(&Params::default(), "linux"));
        assert_eq!(
            (found.verdict, found.severity),
            (verdict, severity),
            "{servers} {offset}: {:?}",
            found.reasons
        );
    }
}

/// After a suspend of eight hours nothing has been updated for as long.
#[test]
fn a_missing_update_is_watched_before_it_is_told() {
    let (tracking, sources) = captured!("03-healthy");
    let report = parse(tracking, sources).unwrap();
    let now = report.tracking.updated.unwrap() + 28_800.0;
    let mut evidence =
        Evidence { uptime: Some(90_000.0), ..Evidence::of_source(now, Source::Chrony(report)) };
    let verdict = |evidence: &Evidence| judge(evidence, &Limits::new(&Params::default(), "linux")).verdict;
    assert_eq!(verdict(&evidence), Verdict::Ok);
    let look = |ago: f64| crate::state::Snapshot {
        at: now - ago,
        pid: None,
        synced: Some(true),
        clock_error: None,
        error_source: None,
        ticks: Some(now - ago),
        boot: None,
        uptime: None,
        poll: None,
    };
    evidence.state.history = vec![look(28_700.0), look(300.0)];
    assert_eq!(verdict(&evidence), Verdict::Ok);
    evidence.state.history = vec![look(900.0), look(600.0), look(300.0)];
    assert_eq!(verdict(&evidence), Verdict::Stuck);
}

#[test]
fn what_chronyd_does_not_know_is_judged() {
    let (tracking, sources) = captured!("03-healthy");
    for (dispersion, verdict, severity) in [
        (0.1, Verdict::Ok, Severity::Ok),
        (0.3, Verdict::Offset, Severity::Warning),
        (1.6, Verdict::Offset, Severity::Critical),
    ] {
        let mut report = parse(tracking, sources).unwrap();
        report.tracking.root_dispersion = dispersion;
        let source = Source::Chrony(report);
        let evidence = Evidence { uptime: Some(901.0), ..Evidence::of_source(1_795_376_740.0, source) };
        let found = judge(&evidence, &Limits::new(&Params::default(), "linux"));
        assert_eq!((found.verdict, found.severity), (verdict, severity), "{dispersion}: {:?}", found.reasons);
    }
}

#[test]
fn other_lines_are_shown() {
    let (tracking, sources) = captured!("03-healthy");
    let cases = [
        ("", sources, "reading chronyc tracking: expected one line, found \"\""),
        ("a,b\n", sources, "reading chronyc tracking \"a,b\": expected 14 fields, found 2"),
        (tracking, "^,*,x\n", "reading chronyc sources \"^,*,x\": expected 10 fields, found 3"),
        (
            tracking,
            "!,*,x,2,6,377,1,0,0,0\n",
            "reading chronyc sources \"!,*,x,2,6,377,1,0,0,0\": \"!\" is none of ^=#",
        ),
        (
            tracking,
            "^,*,x,2,6,978,1,0,0,0\n",
            "reading chronyc sources \"^,*,x,2,6,978,1,0,0,0\": reach \"978\" is not octal: invalid digit found in string",
        ),
        (
            tracking,
            "^,*,x,2,6,377,1,nan,0,0\n",
            "reading chronyc sources \"^,*,x,2,6,377,1,nan,0,0\": \"nan\" is not a finite number",
        ),
    ];
    for (tracking, sources, expected) in cases {
        assert_eq!(format!("{:#}", parse(tracking, sources).unwrap_err()), expected);
    }
}

#[test]
fn a_missing_daemon_is_told() {
    use std::os::unix::process::ExitStatusExt;

    let finished = Finished {
        cmd: "chronyc -n -c tracking".into(),
        status: std::process::ExitStatus::from_raw(1 << 8),
        stdout: captured!("01-no-daemon").0.into(),
        stderr: String::new(),
    };
    let failure = refusal(&finished);
    assert_eq!((failure.verdict, failure.severity), (Verdict::NoDaemon, Severity::Critical));
    assert_eq!(failure.reason, "chronyc: 506 Cannot talk to daemon; chronyd is not running");
}

/// Sources that chronyd uses and its own account of the clock: a chronyd that may not set the clock, or that somebody set under it.
#[test]
fn sources_that_contradict_their_daemon_are_never_ok() {
    let (tracking, sources) = captured!("03-healthy");
    let off = |by: f64| {
        let mut report = parse(tracking, sources).unwrap();
        report.sources.iter_mut().for_each(|source| source.offset += by);
        let source = Source::Chrony(report);
        let evidence = Evidence { uptime: Some(901.0), ..Evidence::of_source(1_795_376_740.0, source) };
        judge(&evidence, &Limits::new(&Params::default(), "linux"))
    };
    assert_eq!(off(0.1).verdict, Verdict::Ok, "within what a network does");
    let found = off(-0.9);
    assert_eq!((found.verdict, found.severity), (Verdict::Discordant, Severity::Critical));
    let expected = "the sources that chronyd uses say that the clock is off by -899.4 ms, and chronyd itself that it is by 0.7 ms";
    assert_eq!(found.reasons, [expected]);
}
