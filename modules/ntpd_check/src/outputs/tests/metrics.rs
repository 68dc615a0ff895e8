// SPDX-License-Identifier: GPL-3.0-or-later

//! Metrics for Prometheus.

use super::*;

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
    let pools = prometheus::text(&outcome(Source::Openntpd(
        parse(include_str!("../../../../../tests/fixtures/ntpctl/7.9p1/names-pool-03-synced.all.txt"))
            .unwrap(),
    )));
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

/// The collector refuses a file with the same metric and labels twice, and all that stands in it.
#[test]
fn prometheus_shows_every_peer_once() {
    let text = include_str!("../../../../../tests/fixtures/ntpctl/7.9p1/healthy-06-later.all.txt");
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
    let tracking = include_str!("../../../../../tests/fixtures/chronyc/03-healthy.tracking.csv");
    let sources = include_str!("../../../../../tests/fixtures/chronyc/03-healthy.sources.csv");
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
    let guide = include_str!("../../../../../docs/docsite/rst/guide_monitoring.rst");
    assert!(guide.contains(&table), "docs/docsite/rst/guide_monitoring.rst needs this table:\n{table}");
}
