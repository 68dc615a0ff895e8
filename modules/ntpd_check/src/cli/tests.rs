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
        assert!(flags(&format!("--{} 1", name.replace('_', "-"))).is_ok(), "{name}");
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
fn wrong_usage_is_told() {
    let cases = [
        ("--frm x", "unknown flag --frm"),
        ("-n", "invalid option '-n'"),
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
