// SPDX-License-Identifier: GPL-3.0-or-later

use std::os::unix::process::ExitStatusExt;

use super::*;
use crate::evidence::{Evidence, Source};
use crate::judge::{Limits, judge};
use crate::judgement::Judgement;
use crate::params::Params;
use crate::probe::{Probed, Problem};
use crate::verdict::{Severity, Verdict};

macro_rules! captured {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/ntpdrs/", $name))
    };
}

const HEALTHY: &str = captured!("03-healthy.prometheus.txt");
const ALARM: &str = captured!("07-alarm-all.prometheus.txt");

fn evidence(text: &str, uptime: f64) -> Evidence {
    let source = Source::Chrony(parse(text).unwrap());
    Evidence { uptime: Some(uptime), ..Evidence::of_source(1_795_895_110.0, source) }
}

fn judged(evidence: &Evidence) -> Judgement {
    judge(evidence, &Limits::new(&Params::default(), "linux"))
}

#[test]
fn captured_outputs_and_their_verdicts() {
    let started = captured!("02-started.prometheus.txt");
    let unsynced = HEALTHY.replace("leap_indicator 0", "leap_indicator 3").replace("stratum 3", "stratum 16");
    let cases = [
        (started, 2.0, Verdict::Starting, Severity::Ok),
        (started, 901.0, Verdict::Offset, Severity::Critical),
        (HEALTHY, 901.0, Verdict::Ok, Severity::Ok),
        (captured!("04-falseticker1.prometheus.txt"), 901.0, Verdict::Discordant, Severity::Warning),
        (captured!("05-falseticker2.prometheus.txt"), 901.0, Verdict::NoMajority, Severity::Critical),
        (captured!("08-all-silent.prometheus.txt"), 901.0, Verdict::FewPeers, Severity::Critical),
        (captured!("09-never-answered.prometheus.txt"), 901.0, Verdict::Unsynced, Severity::Critical),
        (captured!("10-offset-all.prometheus.txt"), 901.0, Verdict::Offset, Severity::Warning),
        (unsynced.as_str(), 901.0, Verdict::Unsynced, Severity::Critical),
    ];
    for (text, uptime, verdict, severity) in cases {
        let found = judged(&evidence(text, uptime));
        assert_eq!((found.verdict, found.severity), (verdict, severity), "{:?}", found.reasons);
    }
    let found = judged(&evidence(captured!("04-falseticker1.prometheus.txt"), 901.0));
    assert_eq!(found.reasons, ["ntpd-rs discards as falsetickers: 10.99.0.4"]);
    let found = judged(&evidence(captured!("10-offset-all.prometheus.txt"), 901.0));
    assert!((found.clock.clock_error.unwrap() - 0.208).abs() < 0.01, "{:?}", found.clock);
    assert_eq!((found.clock.valid_peers, found.clock.drift_ppm), (4, None));
}

/// What ntp-ctl does not show of a server it says itself when it is asked.
#[test]
fn servers_without_time_are_told_by_probes() {
    assert_eq!(judged(&evidence(ALARM, 901.0)).verdict, Verdict::Ok);
    let lost = |server: &str| Probed {
        server: server.into(),
        address: None,
        sent: 1,
        answers: Vec::new(),
        problem: Some(Problem::Alarm),
    };
    let mut probed = evidence(ALARM, 901.0);
    probed.probes = vec![lost("10.99.0.4")];
    let found = judged(&probed);
    assert_eq!(found.verdict, Verdict::Ok, "three are left");
    assert!(found.notes[0].starts_with("probing 10.99.0.4: "), "{:?}", found.notes);
    probed.probes = ["10.99.0.1", "10.99.0.2", "10.99.0.3", "10.99.0.4"].map(lost).into();
    let found = judged(&probed);
    assert_eq!(
        (found.verdict, found.severity),
        (Verdict::FewPeers, Severity::Critical),
        "{:?}",
        found.reasons
    );
}

#[test]
fn sources_of_all_kinds() {
    let receiver =
        HEALTHY.replace("10.99.0.1:123", "/run/gps.sock").replace("10.99.0.2:123", "[2001:db8::1]:123");
    let other = receiver.replace("10.99.0.3:123", "10.99.0.3:1123");
    let report = parse(&other).unwrap();
    let names: Vec<(char, &str)> =
        report.sources.iter().map(|source| (source.mode, source.name.as_str())).collect();
    assert_eq!(
        names,
        [('#', "/run/gps.sock"), ('^', "10.99.0.3:1123"), ('^', "10.99.0.4"), ('^', "2001:db8::1")]
    );
    let second = &report.sources[1];
    assert_eq!((second.reach, second.heard_ago, second.poll), (None, Some(0), 1.0));
    let warned = format!("Warning: Unable to load configuration file: io error\n{other}");
    assert_eq!(parse(&warned).unwrap(), report);
    let found = metric(r#"a{name="x \"y\", z\\",id="1"} 2.5"#).unwrap();
    assert_eq!(
        (found.labels["name"].as_str(), found.labels["id"].as_str(), found.value),
        ("x \"y\", z\\", "1", 2.5)
    );
}

#[test]
fn what_cannot_be_read_is_shown() {
    let cases = [
        (
            HEALTHY.replace("ntp_system_stratum 3", "ntp_system_stratum x"),
            "reading ntp-ctl status \"ntp_system_stratum x\"",
        ),
        (
            HEALTHY.replace("ntp_system_stratum", "ntp_system_level"),
            "reading ntp-ctl status: ntp_system_stratum is missing",
        ),
        (
            HEALTHY.replace("ntp_source_delay_seconds", "ntp_source_way_seconds"),
            "reading ntp-ctl status: delay_seconds of 10.99.0.1:123 is missing",
        ),
        (HEALTHY.replace("\"} ", " "), "reading ntp-ctl status \"ntp_uptime_seconds"),
        (String::new(), "reading ntp-ctl status: ntp_system_stratum is missing"),
    ];
    for (text, expected) in cases {
        let error = format!("{:#}", parse(&text).unwrap_err());
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_missing_daemon_is_told_from_one_that_shows_nothing() {
    let said = |stderr: &str| Finished {
        cmd: "ntp-ctl status".into(),
        status: std::process::ExitStatus::from_raw(256),
        stdout: String::new(),
        stderr: stderr.into(),
    };
    for absent in [captured!("01-no-daemon.err"), captured!("11-hour-off.err")] {
        assert_eq!(refusal(&said(absent), false).verdict, Verdict::NoDaemon);
        let hidden = refusal(&said(absent), true);
        assert_eq!(hidden.verdict, Verdict::NoPermission);
        assert!(hidden.reason.contains("observation-path"), "{}", hidden.reason);
    }
    let refused = "Could not open socket at /run/ntpd-rs/observe: Permission denied (os error 13)";
    assert!(refusal(&said(refused), true).reason.ends_with("run this check as root"));
    assert_eq!(refusal(&said("unrecognized"), true).verdict, Verdict::ParseError);
}
