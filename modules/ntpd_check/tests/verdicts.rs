// SPDX-License-Identifier: GPL-3.0-or-later

//! Every captured output of ntpctl, and the verdict it must get, one look only and without a start time.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its fixtures fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ntpd_check::evidence::{Evidence, Source};
use ntpd_check::judge::{Limits, judge};
use ntpd_check::judgement::Judgement;
use ntpd_check::ntpctl::parse;
use ntpd_check::params::Params;
use ntpd_check::report::Report;
use ntpd_check::verdict::Severity;

/// `SCENARIO  62-VERDICT  79-VERDICT`: the outputs of `ntpctl -s all`; `-` where that version has no such file.
const EXPECTED: &str = include_str!("verdicts.txt");

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/ntpctl")
}

fn captured(suffix: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for version in ["6.2p3", "7.9p1"] {
        for entry in fs::read_dir(fixtures().join(version)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.ends_with(suffix) {
                found.insert(format!("{version}/{name}"), fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn judged(report: Report) -> Judgement {
    let evidence = Evidence::of_source(1_700_000_000.0, Source::Openntpd(report));
    judge(&evidence, &Limits::new(&Params::default(), "linux"))
}

fn said(judgement: &Judgement) -> String {
    format!("{}/{}", judgement.verdict.word(), judgement.severity.word().to_lowercase())
}

#[test]
fn every_captured_output_parses_with_nothing_left_over() {
    let all = captured(".txt");
    assert!(all.len() > 200, "{}", all.len());
    for (name, text) in all {
        let report = parse(&text).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let rows = text.lines().filter(|line| line.starts_with("   ") && line.contains("s ")).count();
        let marked = text.lines().filter(|line| line.starts_with(" *")).count();
        let headers = text.lines().filter(|line| line.trim_start().starts_with("wt ")).count();
        assert_eq!(report.peers.len() + report.sensors.len(), rows + marked, "{name} ({headers} headers)");
    }
}

#[test]
fn verdicts_of_all_scenarios() {
    let mut outputs = captured(".all.txt");
    let mut wrong = Vec::new();
    for line in EXPECTED.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let words: Vec<_> = line.split_whitespace().collect();
        let [scenario, old, new] = words[..] else { panic!("{line:?}") };
        for (version, expected) in [("6.2p3", old), ("7.9p1", new)] {
            let name = format!("{version}/{scenario}.all.txt");
            let Some(text) = outputs.remove(&name) else {
                assert_eq!(expected, "-", "{name} is missing");
                continue;
            };
            let found = said(&judged(parse(&text).unwrap()));
            if found != expected {
                wrong.push(format!("{name}: expected {expected}, found {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(outputs.is_empty(), "no verdict is expected of {:?}", outputs.keys());
}

#[test]
fn the_incident_names_its_peer_and_nothing_else_is_blocked() {
    for (name, text) in captured(".all.txt") {
        let judgement = judged(parse(&text).unwrap());
        let after_alarm = ["incident2-02", "incident2-03", "incident2-04", "incident2-05", "kod-after-sync"];
        let expected: &[&str] =
            if after_alarm.iter().any(|moment| name.contains(moment)) { &["10.99.0.4"] } else { &[] };
        assert_eq!(judgement.blocking_peers, expected, "{name}");
    }
}

#[test]
fn the_four_lines_of_the_origin() {
    let text = fs::read_to_string(fixtures().join("origin.all.txt")).unwrap();
    let judgement = judged(parse(&text).unwrap());
    assert_eq!(said(&judgement), "discordant/critical");
    assert_eq!(judgement.falsetickers, ["192.0.2.4"]);
    let near = |value: Option<f64>, expected: f64| (value.unwrap() - expected).abs() < 0.0005;
    assert!(near(judgement.clock.offset_mean, 0.712), "{:?}", judgement.clock);
    assert!(near(judgement.clock.offset_median, 0.985), "{:?}", judgement.clock);
    assert!(near(judgement.clock.clock_error, -0.985), "{:?}", judgement.clock);
    // The same lines with the poll that every captured freeze shows.
    let frozen = text.replace("    9s   30s ", " 2445s 3112s ");
    assert_ne!(frozen, text);
    let judgement = judged(parse(&frozen).unwrap());
    assert_eq!((said(&judgement).as_str(), judgement.severity), ("blocked/critical", Severity::Critical));
    assert_eq!(judgement.blocking_peers, ["192.0.2.4"]);
}
