// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;
use crate::evidence::{Evidence, Source};
use crate::failure::Failure;
use crate::judge::{Limits, judge};
use crate::ntpctl::parse;
use crate::report::Report;

fn good() -> Report {
    parse(include_str!("../../../../tests/fixtures/ntpctl/7.9p1/healthy-06-later.all.txt")).unwrap()
}

/// The same daemon with a clock that is off by `error`.
fn off(error: f64) -> Source {
    let mut report = good();
    report.peers.iter_mut().filter_map(|peer| peer.sample.as_mut()).for_each(|sample| sample.offset += error);
    Source::Openntpd(report)
}

fn judged(source: Source, params: &Params) -> Judgement {
    let evidence = Evidence { uptime: Some(100_000.0), ..Evidence::of_source(1_700_000_000.0, source) };
    let limits = Limits::new(params, "linux");
    params.settle(judge(&evidence.expecting(params.expected_offset), &limits))
}

fn ranges(warning: &str, critical: &str) -> Params {
    let range = |text: &str| (!text.is_empty()).then(|| Range::parse(text).unwrap());
    let monitoring =
        Monitoring { warning: range(warning), critical: range(critical), ..Monitoring::default() };
    Params { monitoring, ..Params::default() }
}

#[test]
fn ranges_decide_over_the_offset() {
    let cases = [
        ("~:0.5", "~:1", -2.0, Severity::Ok),
        ("~:0.5", "~:1", 0.7, Severity::Warning),
        ("~:0.5", "~:1", 1.2, Severity::Critical),
        ("@0:1", "", 0.1, Severity::Warning),
        ("@0:1", "", -0.1, Severity::Ok),
        ("@0:1", "", 2.0, Severity::Critical),
        ("-0.1:0.2", "-0.2:0.3", 0.15, Severity::Ok),
        ("-0.1:0.2", "-0.2:0.3", -0.15, Severity::Warning),
        ("", "0:10", -0.001, Severity::Critical),
    ];
    for (warning, critical, error, severity) in cases {
        let judgement = judged(off(error), &ranges(warning, critical));
        let offset = judgement.findings.iter().find(|finding| finding.verdict == Verdict::Offset);
        let found = offset.map_or(Severity::Ok, |finding| finding.severity);
        assert_eq!(found, severity, "{warning} {critical} {error}: {:?}", judgement.reasons);
    }
    let judgement = judged(off(0.7), &ranges("~:0.5", "~:1"));
    let reason = "the clock is off by 700.1 ms (warning by range ~:0.5, critical by ~:1)";
    assert_eq!((judgement.verdict, judgement.reasons[0].as_str()), (Verdict::Offset, reason));
}

#[test]
fn states_of_failures_and_of_findings() {
    let failures = [
        (Failure::no_daemon("x"), Severity::Critical),
        (Failure::no_permission("x"), Severity::Unknown),
        (Failure::no_tool("x"), Severity::Unknown),
        (Failure::not_answering("x"), Severity::Critical),
    ];
    for (failure, usual) in failures {
        let source = || Source::Failed(failure.clone());
        assert_eq!(judged(source(), &Params::default()).severity, usual);
        for wanted in [Severity::Ok, Severity::Warning, Severity::Critical, Severity::Unknown] {
            let states = UNREACHABLE.map(|verdict| (verdict, wanted)).to_vec();
            let monitoring = Monitoring { states, ..Monitoring::default() };
            let judgement = judged(source(), &Params { monitoring, ..Params::default() });
            assert_eq!((judgement.severity, judgement.verdict), (wanted, failure.verdict));
        }
    }
    let states = vec![(Verdict::FewPeers, Severity::Ok)];
    let few = Params { min_peers: 9, ..Params::default() };
    assert_eq!(judged(off(0.0), &few).severity, Severity::Warning);
    let monitoring = Monitoring { states, ..Monitoring::default() };
    let judgement = judged(off(0.0), &Params { monitoring, ..few });
    assert_eq!((judgement.verdict, judgement.severity), (Verdict::FewPeers, Severity::Ok));
}

#[test]
fn an_expected_offset_is_nothing() {
    let expecting = |expected_offset| Params { expected_offset, ..Params::default() };
    for (error, expected, verdict) in [
        (0.6, 0.6, Verdict::Ok),
        (0.6, 0.0, Verdict::Offset),
        (0.0, 0.6, Verdict::Offset),
        (-0.6, 0.6, Verdict::Offset),
    ] {
        let judgement = judged(off(error), &expecting(expected));
        let found = judgement.findings.iter().any(|finding| finding.verdict == verdict)
            || judgement.verdict == verdict;
        assert!(found, "{error} {expected}: {judgement:?}");
    }
    let error = judged(off(0.6), &expecting(0.5)).clock.clock_error.unwrap();
    assert!((error - 0.1).abs() < 0.001, "{error}");
}
