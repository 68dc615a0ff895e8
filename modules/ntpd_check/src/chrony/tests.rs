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
    assert_eq!((liar.state, liar.reach, liar.poll, liar.heard_ago), ('x', 255, 1.0, Some(2)));
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
