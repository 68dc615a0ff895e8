// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;
use crate::evidence::{Evidence, Source};
use crate::failure::Failure;
use crate::judge::{Limits, judge};
use crate::ntpctl::parse;
use crate::params::Params;
use crate::soft::Shown;
use crate::verdict::Severity;

mod metrics;

macro_rules! captured {
    ($name:literal) => {
        parse(include_str!(concat!("../../../../tests/fixtures/ntpctl/", $name, ".all.txt")))
            .map(Source::Openntpd)
    };
}

fn outcome(source: Source) -> Outcome {
    let evidence =
        Evidence { uptime: Some(100_000.0), pid: Some(7), ..Evidence::of_source(1_700_000_000.0, source) };
    let judgement = judge(&evidence, &Limits::new(&Params::default(), "linux"));
    let observed = Observed::of(evidence);
    Outcome { observed, judgement, repair: RepairPlan::default(), restarted: false }
}

fn nagios_text(outcome: &Outcome) -> String {
    nagios::text(outcome, &Params::default(), &Shown::hard(outcome.judgement.severity))
}

fn incident() -> Outcome {
    outcome(captured!("7.9p1/incident2-03-leap+15min").unwrap())
}

/// One perfdata item after the plugin guidelines: 'label'=value[UOM];[warn];[crit];[min];[max].
fn item(text: &str) -> (String, Option<f64>, String, Vec<String>) {
    let (label, rest) = text.split_once('=').unwrap();
    assert!(!label.is_empty() && !label.contains(['\'', ' ', '=']), "{text}");
    let parts: Vec<String> = rest.split(';').map(str::to_owned).collect();
    assert!(parts.len() <= 5, "{text}");
    let value = parts[0].trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == '%');
    let unit = parts[0][value.len()..].to_owned();
    let value = if parts[0] == "U" { None } else { Some(value.parse().unwrap()) };
    (label.to_owned(), value, if parts[0] == "U" { String::new() } else { unit }, parts[1..].to_vec())
}

/// Whether a value raises an alarm for a range after the guidelines: `10`, `10:`, `~:10`, `10:20`, `@10:20`.
fn alarms(range: &str, value: f64) -> bool {
    let (inside, range) = range.strip_prefix('@').map_or((false, range), |rest| (true, rest));
    let (low, high) = range.split_once(':').unwrap_or(("0", range));
    let low = if low == "~" { f64::NEG_INFINITY } else { low.parse().unwrap() };
    let high = if high.is_empty() { f64::INFINITY } else { high.parse().unwrap() };
    inside == (low..=high).contains(&value)
}

#[test]
fn nagios_follows_the_plugin_guidelines() {
    let text = nagios_text(&incident());
    let first = text.lines().next().unwrap();
    let (said, data) = first.split_once(" | ").unwrap();
    assert!(said.starts_with("NTPD CRITICAL - blocked: 10.99.0.4 is counted as valid"), "{said}");
    assert_eq!(text.matches('|').count(), 1, "a bar begins performance data and stands nowhere else");
    let items: Vec<_> = data.split(' ').map(item).collect();
    let labels: Vec<_> = items.iter().map(|item| item.0.as_str()).collect();
    let expected =
        ["offset", "offset_mean", "offset_median", "pending", "constraint", "peers", "blocking", "stratum"];
    assert_eq!(labels, expected);
    let value = |label: &str| items.iter().find(|item| item.0 == label).unwrap();
    assert_eq!((value("offset").1, value("offset").2.as_str()), (Some(-0.984_294), "s"));
    assert_eq!((value("pending").1, value("peers").1, value("blocking").1), (None, Some(4.0), Some(1.0)));
    for (label, warns, criticals) in [
        ("offset", true, true),
        ("peers", false, false),
        ("blocking", true, false),
        ("stratum", false, false),
    ] {
        let (_, found, _, ranges) = value(label);
        let alarm = |at: usize| !ranges[at].is_empty() && alarms(&ranges[at], found.unwrap());
        assert_eq!((alarm(0), alarm(1)), (warns, criticals), "{label} {ranges:?}");
    }
}

#[test]
fn nagios_of_a_good_clock_and_of_none() {
    let good = nagios_text(&outcome(captured!("7.9p1/healthy-06-later").unwrap()));
    assert!(
        good.starts_with(
            "NTPD OK - ok: 4 of 4 peers valid, stratum 2, clock error 0.115 ms | offset=0.000115s;"
        ),
        "{good}"
    );
    let gone = nagios_text(&outcome(Source::Failed(Failure::no_daemon("gone | with a bar\nand a line"))));
    assert!(
        gone.starts_with("NTPD CRITICAL - no_daemon: gone / with a bar and a line | offset=U;"),
        "{gone}"
    );
    let codes = [Severity::Ok, Severity::Warning, Severity::Critical, Severity::Unknown].map(Severity::code);
    assert_eq!(codes, [0, 1, 2, 3]);
}

#[test]
fn nagios_shows_soft_states_and_ranges() {
    let outcome = incident();
    let shown = Shown { severity: Severity::Ok, soft: Some((1, 3)) };
    let text = nagios::text(&outcome, &Params::default(), &shown);
    assert!(text.starts_with("NTPD OK - soft critical (1 of 3), blocked: 10.99.0.4 is counted"), "{text}");
    let mut params = Params::default();
    params.monitoring.warning = Some(crate::range::Range::parse("@0:1").unwrap());
    let text = nagios::text(&outcome, &params, &Shown::hard(Severity::Ok));
    assert!(text.contains(" | offset=-0.984294s;@0:1;-0.25:0.25;; "), "{text}");
    let gone = nagios_text(&super::tests::outcome(Source::Failed(Failure::no_daemon("gone"))));
    assert!(gone.ends_with(" peers=U;3:;1:;0; blocking=U;0;;0; stratum=U;9;;0;16"), "{gone}");
}

#[test]
fn json_has_its_promised_keys_and_no_invented_zero() {
    let object = json::object(&incident()).unwrap();
    assert_eq!(object["verdict"], "blocked");
    assert_eq!(object["severity"], "critical");
    assert_eq!(object["blocking_peers"], serde_json::json!(["10.99.0.4"]));
    assert_eq!(object["clock"]["offset_median"], 0.984_294);
    assert_eq!(object["clock"]["pending_slew"], serde_json::Value::Null);
    assert_eq!(object["peers"][3]["blocking"], true);
    assert_eq!(object["peers"][3]["offset"], 0.105_506);
    assert_eq!(object["leap"], serde_json::Value::Null);
    let gone = json::object(&outcome(Source::Failed(Failure::no_daemon("gone")))).unwrap();
    assert_eq!((&gone["verdict"], &gone["peers"]), (&"no_daemon".into(), &serde_json::json!([])));
    assert_eq!(gone["clock"]["clock_error"], serde_json::Value::Null);
}

#[test]
fn a_person_sees_the_verdict_and_the_peer() {
    let text = text::text(&incident());
    assert!(text.starts_with("CRITICAL: blocked\n  - 10.99.0.4 is counted as valid"), "{text}");
    assert!(text.contains("\n BLOCKING  10.99.0.4  offset 105.5 ms  poll 3112 s\n"), "{text}");
    assert!(text.contains("clock error -984.3 ms (by daemon; mean 712.2 ms, median 984.3 ms)\n"), "{text}");
}

#[test]
fn a_planned_restart_is_told_as_one_that_was_made() {
    let mut outcome = incident();
    outcome.repair = RepairPlan { wanted: true, restart: true, ..RepairPlan::default() };
    outcome.repair.warnings = vec!["this host serves time on 192.0.2.5".to_owned()];
    for (restarted, said) in [(false, "the daemon would be restarted"), (true, "the daemon was restarted")] {
        outcome.restarted = restarted;
        for text in [text::text(&outcome), nagios_text(&outcome)] {
            let told = [said, "this host serves time on 192.0.2.5"];
            assert!(told.iter().all(|line| text.lines().any(|found| found == *line)), "{text}");
        }
    }
    outcome.repair =
        RepairPlan { wanted: true, refused: vec!["too early".to_owned()], ..RepairPlan::default() };
    outcome.restarted = false;
    let text = text::text(&outcome);
    assert!(text.ends_with("\nnot restarted: too early\n") && !text.contains("would be"), "{text}");
}
