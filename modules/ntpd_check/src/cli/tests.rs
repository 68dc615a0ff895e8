// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;

fn flags(text: &str) -> Result<Result<Request, String>> {
    parse(text.split_whitespace().map(OsString::from))
}

fn request(text: &str) -> Request {
    flags(text).unwrap().unwrap()
}

#[test]
fn flags_are_the_options() {
    let request = request(
        "--nagios --offset-warning 0.02 --min-peers 2 --candidate a --candidate b --repair --check --from x.txt \
         --state-file /tmp/s --slew-rate 500 --daemon chrony --repair-interval 3600",
    );
    assert_eq!((&request.output, request.mode), (&Output::Nagios, Mode::Check));
    let params = &request.params;
    assert_eq!(params.offset_warning.as_f64(), 0.02);
    assert_eq!((params.min_peers, params.repair, params.probe), (2, true, false));
    assert_eq!(params.candidates, ["a", "b"]);
    assert_eq!(params.from_file.as_deref(), Some(std::path::Path::new("x.txt")));
    assert_eq!((params.slew_rate, params.repair_interval.as_f64()), (Some(500.0), 3600.0));
    assert_eq!(params.daemon, crate::params::Daemon::Chrony);
    assert_eq!(params.offset_critical.as_f64(), 0.25, "what is not said keeps its default");
}

#[test]
fn a_dash_is_standard_input() {
    assert_eq!(request("--from -").params.from_file.as_deref(), Some(Path::new("/dev/stdin")));
}

#[test]
fn every_number_and_text_is_an_option_of_the_module() {
    for name in NUMBERS {
        let value = if name == "offset_warning" { "0.1" } else { "1" };
        assert!(flags(&format!("--{} {value}", name.replace('_', "-"))).is_ok(), "{name}");
    }
    for name in TEXTS {
        let value = if name == "daemon" { "auto" } else { "x" };
        assert!(flags(&format!("--{} {value}", name.replace('_', "-"))).is_ok(), "{name}");
    }
}

#[test]
fn outputs() {
    assert_eq!(request("").output, Output::Text);
    assert_eq!(request("--json").output, Output::Json);
    assert_eq!(request("--prometheus /x/y.prom").output, Output::Prometheus("/x/y.prom".into()));
    assert!(["-", "/dev/stdout", "/dev/fd/1"].iter().all(|name| is_stdout(Path::new(name))));
    assert!(!is_stdout(Path::new("/x/stdout")));
    assert!(flags("--help").unwrap().unwrap_err().starts_with("usage: ntpd_check"));
    assert_eq!(
        flags("--version").unwrap().unwrap_err(),
        format!("ntpd_check {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn flags_of_plugins() {
    let plugin = request("-w 50ms -c 0.2 -t 3 -v");
    assert_eq!(plugin.output, Output::Nagios);
    let params = &plugin.params;
    assert_eq!((params.offset_warning.as_f64(), params.offset_critical.as_f64()), (0.05, 0.2));
    assert_eq!((params.time_limit.as_f64(), params.probe_timeout.as_f64()), (3.0, 1.0));
    assert_eq!(params.ranges(), (Range::within(0.05), Range::within(0.2)));
    assert_eq!(request("-w 0.1 --json").output, Output::Json);
    assert_eq!(request("-t 0.5").params.probe_timeout.as_f64(), 0.5);
    let server = request("-H 192.0.2.1 --attempts 3").params;
    assert_eq!((server.monitoring.server.as_deref(), server.min_peers), (Some("192.0.2.1"), 1));
    assert_eq!((server.monitoring.attempts, request("-H a --min-peers 2").params.min_peers), (3, 2));
    assert_eq!(flags("-h").unwrap().unwrap_err(), USAGE);
    assert_eq!(flags("-V").unwrap().unwrap_err(), flags("--version").unwrap().unwrap_err());
    let ranges = request("-w ~:0.5 -c ~:1").params;
    assert_eq!((ranges.offset_warning.as_f64(), ranges.offset_critical.as_f64()), (0.5, 1.0));
    assert!(flags("-w @0:1").is_ok() && flags("-w -0.1:0.2 -c -0.2:0.2").is_ok());
}

#[test]
fn states_of_ones_own() {
    use crate::verdict::{Severity, Verdict};

    let states = request("--unreachable unknown --state no-daemon=warning --state few_peers=OK")
        .params
        .monitoring
        .states;
    let found: Vec<_> = states.iter().skip(4).copied().collect();
    assert_eq!(found, [(Verdict::NoDaemon, Severity::Warning), (Verdict::FewPeers, Severity::Ok)]);
    assert!(states.iter().take(4).all(|(_, severity)| *severity == Severity::Unknown));
}

#[test]
fn wrong_usage_is_told() {
    let cases = [
        ("--frm x", "unknown flag --frm"),
        ("-n", "invalid option '-n'"),
        ("-w", "missing argument for option '-w'"),
        ("-w soon", "--warning expects seconds or a range like ~:0.5, found \"soon\""),
        ("-w -0.1", "--warning expects seconds or a range like ~:0.5, found \"-0.1\""),
        (
            "-c 2:1 -w 0",
            "--critical: expected a range like 0.05, 0:1, ~:0.5 or @0:1, found \"2:1\": its lower bound is above",
        ),
        ("-t 0", "--timeout expects seconds above 0, found \"0\""),
        ("--attempts few", "--attempts expects a whole number, found \"few\""),
        (
            "--unreachable bad",
            "--unreachable: expected a state, one of ok, warning, critical, unknown, found \"bad\"",
        ),
        (
            "--state no_daemon",
            "--state: expected VERDICT=STATE as in no_permission=critical, found \"no_daemon\"",
        ),
        ("--state gone=ok", "--state: expected a verdict, one of starting, slewing, "),
        ("--expected-offset inf", "--expected-offset expects a number, found \"inf\""),
        ("-w 0.5 -c 0.1", "offset_warning: expected at most offset_critical, 0.1 s, found 0.5 s"),
        ("-w 0.5", "offset_warning: expected at most offset_critical, 0.25 s, found 0.5 s"),
        ("-w 0:0.9 -c 0:0.5", "offset_warning: expected at most offset_critical, 0.5 s, found 0.9 s"),
        (
            "-w -0.4:0.1 -c -0.3:0.4",
            "expected a warning range within the critical one, -0.3:0.4, found -0.4:0.1: critical would come before",
        ),
        ("--prometheus", "missing argument for option '--prometheus'"),
        ("--min-peers many", "--min-peers expects a number, found \"many\": invalid float literal"),
        ("--min-peers 2.5", "reading the flags: invalid type: floating point `2.5`, expected u32"),
        ("--offset-warning -1", "reading the flags: "),
        ("--offset-warning nan", "--offset-warning expects a number, found \"nan\""),
        (
            "--daemon ntpsec",
            "reading the flags: unknown variant `ntpsec`, expected one of `auto`, `openntpd`, `chrony`",
        ),
    ];
    for (text, expected) in cases {
        let error = format!("{:#}", flags(text).unwrap_err());
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}
