// SPDX-License-Identifier: GPL-3.0-or-later

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::*;
use crate::report::{Constraint, Count, Status};
use crate::verdict::{Severity, Verdict};

fn error(text: &str) -> String {
    format!("{:#}", parse(text).unwrap_err())
}

#[test]
fn status_lines_of_every_version() {
    let count = |valid, total| Some(Count { valid, total });
    let unsynced = Status::default();
    let synced = Status { synced: true, stratum: Some(3), ..Status::default() };
    let offset = |seconds, errors| Some(Constraint::Offset { seconds, errors });
    let cases = [
        ("clock unsynced\n", unsynced.clone()),
        ("3/4 peers valid, clock synced, stratum 3\n", Status { peers: count(3, 4), ..synced.clone() }),
        (
            "1/2 peers valid, 1/1 sensors valid, clock synced, stratum 3\n",
            Status { peers: count(1, 2), sensors: count(1, 1), ..synced.clone() },
        ),
        ("0/1 sensors valid, clock unsynced\n", Status { sensors: count(0, 1), ..unsynced.clone() }),
        (
            "4/4 peers valid, constraint offset -1s, clock synced, stratum 3\n",
            Status { peers: count(4, 4), constraint: offset(-1, 0), ..synced.clone() },
        ),
        (
            "4/4 peers valid, constraint offset 12s (2 errors), clock unsynced\n",
            Status { peers: count(4, 4), constraint: offset(12, 2), ..unsynced.clone() },
        ),
        (
            "0/2 peers valid, constraints configured but none available, clock unsynced\n",
            Status { peers: count(0, 2), constraint: Some(Constraint::Unavailable), ..unsynced.clone() },
        ),
        (
            "4/4 peers valid, clock unsynced, clock offset is -931.455ms\n",
            Status { peers: count(4, 4), pending: Some(-0.931455), ..unsynced.clone() },
        ),
        ("no peers and no sensors configured\nclock unsynced\n", unsynced.clone()),
        (
            "constraint offset 0s, no peers and no sensors configured\nclock unsynced\n",
            Status { constraint: offset(0, 0), ..unsynced.clone() },
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text).unwrap().status, Some(expected), "{text}");
    }
}

#[test]
fn names_of_every_form() {
    let table = |desc: &str| {
        format!(
            "peer\n   wt tl st  next  poll          offset       delay      jitter\n{desc}\n    1  2  -    0s    0s             ---- peer not valid ----\n"
        )
    };
    let cases = [
        ("192.0.2.1 ", Some("192.0.2.1"), None, false),
        ("192.0.2.1 ntp.example.org", Some("192.0.2.1"), Some("ntp.example.org"), false),
        ("192.0.2.1 from pool pool.example.org", Some("192.0.2.1"), Some("pool.example.org"), true),
        ("fe80::1%em0 ", Some("fe80::1%em0"), None, false),
        ("not resolved ntp.example.org", None, Some("ntp.example.org"), false),
        ("not resolved from pool pool.example.org", None, Some("pool.example.org"), true),
        ("192.0.2.1 ntp.example.org (non-dnssec lookup)", Some("192.0.2.1"), Some("ntp.example.org"), false),
        ("192.0.2.1 ntp.example.org rtable 4 ", Some("192.0.2.1"), Some("ntp.example.org"), false),
    ];
    for (desc, address, name, pool) in cases {
        let report = parse(&table(desc)).unwrap();
        let peer = &report.peers[0];
        assert_eq!(
            (peer.address.as_deref(), peer.name.as_deref(), peer.pool),
            (address, name, pool),
            "{desc}"
        );
    }
}

#[test]
fn rows_and_sensors() {
    let text = "1/1 peers valid, 1/2 sensors valid, clock synced, stratum 1

peer
   wt tl st  next  poll          offset       delay      jitter
192.0.2.1 from pool pool.example.org
 * 10 10  2 1503s 1648s  -12345678.901ms 12345.678ms    -0.000ms

sensor
   wt gd st  next  poll          offset  correction
nmea0  GPS
 *  1  1  0    9s   15s         0.123ms    70.000ms
udcf0  DCFa
    1  0  0    0s   15s         - sensor not valid -
";
    let report = parse(text).unwrap();
    let peer = &report.peers[0];
    assert!(peer.selected && peer.weight == 10 && peer.trust == 10 && peer.stratum == Some(2));
    assert_eq!((peer.next, peer.poll), (1503, 1648));
    let sample = peer.sample.unwrap();
    assert_eq!((sample.offset, sample.delay, sample.jitter), (-12345.678901, 12.345678, 0.0));
    let [gps, dcf] = &report.sensors[..] else { panic!("{:?}", report.sensors) };
    assert_eq!(
        (gps.device.as_str(), gps.refid.as_str(), gps.offset, gps.correction),
        ("nmea0", "GPS", Some(0.000123), Some(0.07))
    );
    assert_eq!((dcf.selected, dcf.good, dcf.offset), (false, 0, None));
}

#[test]
fn line_ends_of_another_system_are_no_harm() {
    let text = "0/1 peers valid, clock unsynced\r\n\r\npeer\r\n   wt tl st  next  poll          offset       delay      jitter\r\n192.0.2.1 \r\n    1  2  -    0s    0s             ---- peer not valid ----\r\n";
    let report = parse(text).unwrap();
    assert_eq!((report.peers.len(), report.status.unwrap().synced), (1, false));
}

#[test]
fn nothing_is_dropped() {
    let header = "   wt tl st  next  poll          offset       delay      jitter\n";
    let row = "    1 10  2   24s   34s         0.367ms    13.738ms     1.220ms\n";
    let cases = [
        (String::new(), "reading the output of ntpctl: it is empty"),
        ("hello\n".into(), r#"reading line 1 "hello": this is not a line that ntpctl prints here"#),
        (
            "4/4 peers valid, moon full, clock unsynced\n".into(),
            r#"reading line 1 "4/4 peers valid, moon full, clock unsynced": unknown part "moon full""#,
        ),
        (
            "5/4 peers valid, clock unsynced\n".into(),
            r#"reading line 1 "5/4 peers valid, clock unsynced": "5/4" counts more valid ones than there are"#,
        ),
        (
            "clock unsynced, clock offset is 1ms\n".into(),
            r#"reading line 1 "clock unsynced, clock offset is 1ms": clock offset "1ms" is not milliseconds"#,
        ),
        (
            "no peers and no sensors configured\n".into(),
            r#"reading line 1 "no peers and no sensors configured": the line that begins with "clock" is missing"#,
        ),
        (
            "clock unsynced\nclock unsynced\n".into(),
            r#"reading line 2 "clock unsynced": this is not a line that ntpctl prints here"#,
        ),
        (
            "# ntpctl -s all\nclock unsynced\n".into(),
            r##"reading line 1 "# ntpctl -s all": this is not a line that ntpctl prints here"##,
        ),
        ("peer\n".into(), r#"reading line 1 "peer": the table ends before its header"#),
        (
            "peer\nwt tl\n".into(),
            r#"reading line 1 "peer": expected the table header "wt tl st next poll offset delay jitter", found "wt tl""#,
        ),
        (
            format!("peer\n{header}{row}"),
            r#"reading line 1 "peer": line 3 "    1 10  2   24s   34s         0.367ms    13.738ms     1.220ms" is a data row without a name above it"#,
        ),
        (format!("peer\n{header}192.0.2.1 \n"), r#"reading line 1 "peer": no data row follows "192.0.2.1 ""#),
        (
            format!(
                "peer\n{header}192.0.2.1 \n    1 10  2   24s   34s         0.367us    13.738ms     1.220ms\n"
            ),
            r#"reading line 1 "peer": reading line 4 "    1 10  2   24s   34s         0.367us    13.738ms     1.220ms": column offset is "0.367us", not milliseconds"#,
        ),
        (
            format!(
                "peer\n{header}192.0.2.1 \n    1 10  2   24s   34s         0.367ms    13.738ms     1.220ms 7\n"
            ),
            r#"reading line 1 "peer": reading line 4 "    1 10  2   24s   34s         0.367ms    13.738ms     1.220ms 7": "7" follows the last column"#,
        ),
        (
            format!("2/2 peers valid, clock unsynced\n\npeer\n{header}192.0.2.1 \n{row}"),
            "the status line counts 2 peers but the table has 1 rows: some lines are missing",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(&text), expected, "{text}");
    }
}

/// Every way of ntpctl-failures.*.txt in tests/fixtures/ntpctl.
#[test]
fn failures_say_precisely_why() {
    let cases = [
        (
            1 << 8,
            "ntpctl: connect: /run/openntpd/ntpd.sock: No such file or directory\n",
            Verdict::NoDaemon,
            Severity::Critical,
        ),
        (
            1 << 8,
            "ntpctl: connect: /run/openntpd/ntpd.sock: Connection refused\n",
            Verdict::NoDaemon,
            Severity::Critical,
        ),
        (
            1 << 8,
            "ntpctl: connect: /var/run/ntpd.sock: Permission denied\n",
            Verdict::NoPermission,
            Severity::Unknown,
        ),
        (13, "", Verdict::NotAnswering, Severity::Critical),
        (1 << 8, "ntpctl: pipe closed\n", Verdict::NotAnswering, Severity::Critical),
        (
            1 << 8,
            "ntpctl: ibuf_ctl: imsg_get error: Numerical result out of range\n",
            Verdict::NotAnswering,
            Severity::Critical,
        ),
        (
            1 << 8,
            "ntpctl: read error: Numerical result out of range\n",
            Verdict::NotAnswering,
            Severity::Critical,
        ),
        (1 << 8, "ntpctl: Unknown show modifier 'all'\n", Verdict::ParseError, Severity::Unknown),
    ];
    for (status, stderr, verdict, severity) in cases {
        let finished = Finished {
            cmd: "ntpctl -s all".into(),
            status: ExitStatus::from_raw(status),
            stdout: String::new(),
            stderr: stderr.into(),
        };
        let failure = answer(&finished).unwrap_err();
        assert_eq!((failure.verdict, failure.severity), (verdict, severity), "{stderr}");
        assert!(failure.reason.contains(stderr.trim()), "{}", failure.reason);
    }
}
