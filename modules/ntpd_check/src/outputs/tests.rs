// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;
use crate::evidence::{Evidence, Source};
use crate::failure::Failure;
use crate::judge::{Limits, judge};
use crate::ntpctl::parse;
use crate::params::Params;
use crate::soft::Shown;
use crate::verdict::Severity;

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
    let observed =
        Observed { evidence, candidates: Vec::new(), listens: Vec::new(), memory: Ok(()), notes: Vec::new() };
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

/// `promtool check metrics` reads it in tests/integration/promtool.sh; here: what it says, and its form.
#[test]
fn prometheus_metrics() {
    let text = prometheus::text(&incident());
    let value = |metric: &str| {
        let line = text.lines().find(|line| line.rsplit_once(' ').is_some_and(|(name, _)| name == metric));
        line.unwrap_or_else(|| panic!("{metric} is missing in\n{text}"))
            .rsplit_once(' ')
            .unwrap()
            .1
            .to_owned()
    };
    assert_eq!(value("ntpd_check_clock_synced"), "1");
    assert_eq!(value("ntpd_check_discipline_blocked"), "1");
    assert_eq!(value("ntpd_check_severity"), "2");
    assert_eq!(value("ntpd_check_state{state=\"blocked\"}"), "1");
    assert_eq!(value("ntpd_check_state{state=\"ok\"}"), "0");
    assert_eq!(value("ntpd_check_peers{state=\"valid\"}"), "4");
    assert_eq!(value("ntpd_check_peer_blocking{peer=\"10.99.0.4\",pool=\"\"}"), "1");
    assert_eq!(value("ntpd_check_peer_offset_seconds{peer=\"10.99.0.4\",pool=\"\"}"), "0.105506");
    assert!(!text.contains("pending_slew"), "what is not known is absent, not 0");
    let pools = prometheus::text(&outcome(captured!("7.9p1/names-pool-03-synced").unwrap()));
    assert!(pools.contains("{peer=\"10.99.0.2\",pool=\"pool.example.net\"}"), "{pools}");
    let mut families: Vec<_> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
    let count = families.len();
    families.dedup();
    assert_eq!((families.len(), count), (count, text.matches("# HELP").count()));
}

#[test]
fn the_metrics_file_is_replaced_and_readable() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ntpd_check.prom");
    std::fs::write(&path, "old").unwrap();
    std::fs::write(folder.path().join(".new-abcdef-ntpd_check.prom"), "half a file").unwrap();
    prometheus::write(&path, &incident()).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("# HELP ntpd_check_"));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
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

/// The collector refuses a file with the same metric and labels twice, and all that stands in it.
#[test]
fn prometheus_shows_every_peer_once() {
    let text = include_str!("../../../../tests/fixtures/ntpctl/7.9p1/healthy-06-later.all.txt");
    let named = text
        .replace("10.99.0.2 ", "10.99.0.1 b.example.org")
        .replace("10.99.0.1 \n", "10.99.0.1 a.example.org\n");
    for twice in [text.replace("10.99.0.2", "10.99.0.1"), named] {
        assert_ne!(twice, text);
        let metrics = prometheus::text(&outcome(Source::Openntpd(parse(&twice).unwrap())));
        let series =
            metrics.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
        let mut names: Vec<_> = series.map(|(name, _)| name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{metrics}");
        assert_eq!(names.iter().filter(|name| name.starts_with("ntpd_check_peer_offset_seconds")).count(), 4);
    }
}

#[test]
fn prometheus_does_not_call_a_daemon_that_was_not_asked_unblocked() {
    let gone = prometheus::text(&outcome(Source::Failed(Failure::no_permission("not root"))));
    assert!(!gone.contains("discipline_blocked") && !gone.contains("ntpd_check_peers"), "{gone}");
    assert!(gone.contains("\nntpd_check_state{state=\"no_permission\"} 1\n"), "{gone}");
    assert!(
        gone.contains("\nntpd_check_up 0\n") && prometheus::text(&incident()).contains("\nntpd_check_up 1\n"),
        "{gone}"
    );
    let mut forgetful = incident();
    forgetful.observed.memory = Err("a full disk".to_owned());
    assert!(!prometheus::text(&forgetful).contains("ntpd_check_restarts"));
}

/// Everything that has a metric, as two outcomes.
fn everything() -> [Outcome; 2] {
    let text = "1/2 peers valid, 1/2 sensors valid, constraint offset -1s (2 errors), clock unsynced, clock offset is 1.000ms

peer
   wt tl st  next  poll          offset       delay      jitter
192.0.2.1 from pool pool.example.org
 * 10 10  2 1503s 1648s        12.345ms    12.345ms     0.100ms
192.0.2.2 ntp.example.org
    1  2  -    0s    0s             ---- peer not valid ----

sensor
   wt gd st  next  poll          offset  correction
nmea0  GPS
 *  1  1  0    9s   15s         0.123ms    70.000ms
udcf0  DCFa
    1  0  0    0s   15s         - sensor not valid -
";
    let mut openntpd = outcome(Source::Openntpd(parse(text).unwrap()));
    openntpd.judgement.clock.adjusted_ago = Some(7.0);
    openntpd.judgement.clock.drift_ppm = Some(-12.5);
    let answer = crate::probe::Answer {
        leap: 0,
        stratum: 2,
        refid: "GPS".to_owned(),
        offset: 0.001,
        delay: 0.01,
        root_distance: 0.02,
        reference_age: 3.0,
    };
    let evidence = &mut openntpd.observed.evidence;
    evidence.probes = vec![crate::probe::Probed {
        server: "192.0.2.1".to_owned(),
        address: None,
        sent: 1,
        answers: vec![answer],
        problem: None,
    }];
    let leaps = Vec::new();
    evidence.leaps =
        Some(crate::leap::LeapTable { path: "x".into(), updated: None, expires: 1_782_604_800.0, leaps });
    let tracking = include_str!("../../../../tests/fixtures/chronyc/03-healthy.tracking.csv");
    let sources = include_str!("../../../../tests/fixtures/chronyc/03-healthy.sources.csv");
    [openntpd, outcome(Source::Chrony(crate::chrony::parse(tracking, sources).unwrap()))]
}

#[test]
fn sensors_constraints_and_probes_have_metrics() {
    let [openntpd, chrony] = everything().map(|outcome| prometheus::text(&outcome));
    for line in [
        "ntpd_check_sensor_offset_seconds{sensor=\"nmea0\",refid=\"GPS\"} 0.000123",
        "ntpd_check_sensor_valid{sensor=\"udcf0\",refid=\"DCFa\"} 0",
        "ntpd_check_constraint_offset_seconds -1",
        "ntpd_check_constraint_errors 2",
        "ntpd_check_constraint_available 1",
        "ntpd_check_probe_offset_seconds{peer=\"192.0.2.1\"} 0.001",
        "ntpd_check_peer_valid{peer=\"192.0.2.2\",pool=\"\",name=\"ntp.example.org\"} 0",
        "ntpd_check_frequency_correction_ratio -0.0000125",
        "ntpd_check_leap_table_expiry_timestamp_seconds 1782604800",
    ] {
        assert!(openntpd.lines().any(|found| found == line), "{line} is missing in\n{openntpd}");
    }
    assert!(
        !openntpd.contains("sensor_offset_seconds{sensor=\"udcf0\"")
            && !openntpd.contains("poll_seconds{peer=\"192.0.2.2\"")
    );
    assert!(
        chrony.contains("\nntpd_check_peer_reach_ratio{peer=\"")
            && chrony.contains("\nntpd_check_root_dispersion_seconds ")
    );
    assert!(
        !chrony.contains("constraint") && !chrony.contains("sensor") && !chrony.contains("trust_level"),
        "{chrony}"
    );
}

/// The table in the guide is what is written, word for word.
#[test]
fn every_metric_is_documented() {
    use std::collections::BTreeMap;
    use std::fmt::Write;

    let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut helps = Vec::new();
    for text in everything().map(|outcome| prometheus::text(&outcome)) {
        for line in text.lines() {
            if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
                let entry = (name.to_owned(), help.to_owned());
                if !helps.contains(&entry) {
                    helps.push(entry);
                }
            } else if let Some((name, pairs)) = line.split_once('{') {
                let known = labels.entry(name.to_owned()).or_default();
                for pair in pairs.split("\",") {
                    let label = pair.split('=').next().unwrap().to_owned();
                    if !known.contains(&label) {
                        known.push(label);
                    }
                }
            }
        }
    }
    helps.sort();
    let mut table = String::new();
    for (name, help) in helps {
        let own = |labels: &Vec<String>| format!(" {}", labels.join(", "));
        let labels = match name.starts_with("ntpd_check_peer_") {
            // Where the daemon has it by name.
            true => " peer, pool, name".to_owned(),
            false => labels.get(&name).map_or_else(String::new, own),
        };
        writeln!(table, "   * - ``{name}``\n     -{labels}\n     - {help}").unwrap();
    }
    let guide = include_str!("../../../../docs/docsite/rst/guide_monitoring.rst");
    assert!(guide.contains(&table), "docs/docsite/rst/guide_monitoring.rst needs this table:\n{table}");
}
