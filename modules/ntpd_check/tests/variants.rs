// SPDX-License-Identifier: GPL-3.0-or-later

//! The kinds of public reports in other numbers, orders and mixtures: what one look must give, whatever the daemon's age.

#![expect(clippy::unwrap_used, reason = "a test whose table is no output of ntpctl fails")]

use std::fmt::Write;

use ntpd_check::evidence::{Evidence, Source};
use ntpd_check::judge::{Limits, judge};
use ntpd_check::judgement::Judgement;
use ntpd_check::ntpctl::parse;
use ntpd_check::params::Params;

const DAY: f64 = 86_400.0;

/// A row: offset in ms, trust level and poll; `None` is not valid.
type Row = (Option<f64>, u32, i64);

/// What ntpctl prints of peers and sensors.
#[derive(Clone)]
struct Table {
    status: &'static str,
    peers: Vec<Row>,
    /// Delay and jitter of every peer in ms.
    spread: (f64, f64),
    sensors: Vec<Option<f64>>,
}

fn of(status: &'static str, peers: &[Row]) -> Table {
    Table { status, peers: peers.to_vec(), spread: (6.2, 0.17), sensors: Vec::new() }
}

fn sensing(status: &'static str, peers: &[Row], sensors: &[Option<f64>]) -> Table {
    Table { sensors: sensors.to_vec(), ..of(status, peers) }
}

fn text(table: &Table) -> String {
    let mut text = format!("{}\n", table.status);
    if !table.peers.is_empty() {
        text += "\npeer\n   wt tl st  next  poll          offset       delay      jitter\n";
    }
    for (at, (offset, trust, poll)) in table.peers.iter().enumerate() {
        write!(text, "10.99.0.{} \n    1 {trust:2}  2   12s {poll:4}s", at + 1).unwrap();
        let (delay, jitter) = table.spread;
        match offset {
            Some(offset) => writeln!(text, "  {offset:12.3}ms {delay:9.3}ms  {jitter:8.3}ms").unwrap(),
            None => text += "             ---- peer not valid ----\n",
        }
    }
    if !table.sensors.is_empty() {
        text += "\nsensor\n   wt gd st  next  poll          offset  correction\n";
    }
    for (at, offset) in table.sensors.iter().enumerate() {
        write!(text, "nmea{at}  GPS\n    1  {}  0    2s   15s", u32::from(offset.is_some())).unwrap();
        match offset {
            Some(offset) => writeln!(text, "   {offset:11.3}ms     0.000ms").unwrap(),
            None => text += "         - sensor not valid -\n",
        }
    }
    text
}

fn judged(table: &Table, uptime: Option<f64>) -> Judgement {
    let source = Source::Openntpd(parse(&text(table)).unwrap());
    let evidence =
        Evidence { uptime, pid: uptime.map(|_| 7), ..Evidence::of_source(1_795_000_000.0, source) };
    judge(&evidence, &Limits::new(&Params::default(), "linux"))
}

fn said(judgement: &Judgement) -> String {
    format!("{}/{}", judgement.verdict.word(), judgement.severity.word().to_lowercase())
}

/// As many valid peers as there are offsets.
fn all(offsets: &[f64], trust: u32, poll: i64) -> Vec<Row> {
    offsets.iter().map(|offset| (Some(*offset), trust, poll)).collect()
}

fn check(cases: &[(&str, Table, &str)], ages: &[Option<f64>]) {
    for (name, table, expected) in cases {
        for age in ages {
            let found = judged(table, *age);
            assert_eq!(said(&found), *expected, "{name}, {age:?}: {:?}\n{}", found.reasons, text(table));
        }
    }
}

/// However young the daemon, however it counts its peers, and whatever it has tried already.
#[test]
fn a_clock_that_is_far_off_is_told_at_every_age() {
    let unsynced = "4/4 peers valid, clock unsynced";
    let hour = [3_600_123.4, 3_600_124.1, 3_600_124.8, 3_600_125.5];
    let back = hour.map(|offset| -offset);
    let apart = [24_781_301.0, 24_781_603.0, 24_781_999.0, 24_781_444.0];
    let liar = [3_600_001.0, 3_600_002.0, 3_600_000.5, 0.5];
    let some = [(Some(24_781_301.0), 6, 31), (Some(24_781_303.0), 6, 31), (None, 5, 31), (None, 2, 31)];
    let cases = [
        ("an hour behind", of(unsynced, &all(&hour, 7, 31)), "offset/critical"),
        ("an hour ahead", of(unsynced, &all(&back, 7, 31)), "offset/critical"),
        ("after an attempt", of(unsynced, &all(&hour, 10, 31)), "offset/critical"),
        (
            "said synced",
            of("4/4 peers valid, clock synced, stratum 3", &all(&hour, 10, 31)),
            "offset/critical",
        ),
        ("peers a little apart", of(unsynced, &all(&apart, 7, 31)), "offset/critical"),
        ("one of them right", of(unsynced, &all(&liar, 6, 31)), "discordant/critical"),
        ("two of four valid", of("2/4 peers valid, clock unsynced", &some), "offset/critical"),
        (
            "slewing busily",
            of("4/4 peers valid, clock unsynced, clock offset is 90123.123ms", &all(&[0.4; 4], 10, 31)),
            "offset/critical",
        ),
        (
            "a sensor, slewing",
            sensing("1/1 sensors valid, clock unsynced, clock offset is 2900.000ms", &[], &[Some(270.2)]),
            "offset/critical",
        ),
    ];
    check(&cases, &[None, Some(50.0), Some(240.0), Some(1200.0), Some(2.0 * DAY)]);
    let one = of("1/1 peers valid, clock unsynced", &all(&[-347_155_200_000.5], 6, 31));
    for age in [None, Some(50.0), Some(DAY)] {
        let found = judged(&one, age);
        assert_eq!(said(&found), "offset/critical");
        assert!(found.reasons[0].contains("has to be set"), "{:?}", found.reasons);
    }
}

#[test]
fn sensors_and_peers_that_contradict_each_other_are_never_ok() {
    let status = "4/4 peers valid, 1/1 sensors valid, clock synced, stratum 1";
    let good = all(&[0.2, 0.3, 0.1, 0.2], 10, 1500);
    let cases = [
        ("both right", sensing(status, &good, &[Some(0.01)]), "ok/ok"),
        ("a receiver three seconds off", sensing(status, &good, &[Some(3177.4)]), "discordant/warning"),
        (
            "with few peers",
            sensing(
                "1/1 peers valid, 1/1 sensors valid, clock synced, stratum 1",
                &good[..1],
                &[Some(-900.0)],
            ),
            "discordant/warning",
        ),
        (
            "peers three seconds off",
            sensing(status, &all(&[3177.0, 3178.0, 3179.0, 3180.0], 10, 1500), &[Some(0.01)]),
            "discordant/critical",
        ),
        (
            "peers are gone",
            sensing(
                "0/1 peers valid, 1/1 sensors valid, clock synced, stratum 1",
                &[(None, 2, 300)],
                &[Some(3177.4)],
            ),
            "offset/critical",
        ),
        (
            "two receivers apart",
            sensing("2/2 sensors valid, clock synced, stratum 1", &[], &[Some(0.2), Some(3_600_000.1)]),
            "no_majority/warning",
        ),
        (
            "all dead",
            sensing("0/2 sensors valid, clock synced, stratum 1", &[], &[None, None]),
            "unsynced/critical",
        ),
    ];
    check(&cases, &[None, Some(2.0 * DAY)]);
}

#[test]
fn sources_without_time_explain_all() {
    let lost = all(&[0.3, 0.2, -0.1], 10, 3100);
    let mut mixed = lost.clone();
    mixed.push((None, 5, 300));
    let cases = [
        ("three", of("3/3 peers valid, clock synced, stratum 3", &lost), "blocked/critical"),
        (
            "and one that timed out",
            of("3/4 peers valid, clock synced, stratum 3", &mixed),
            "blocked/critical",
        ),
        ("unsynced", of("3/3 peers valid, clock unsynced", &lost), "blocked/critical"),
    ];
    check(&cases, &[None, Some(2.0 * DAY)]);
    for (name, table, _) in cases {
        let found = judged(&table, Some(2.0 * DAY));
        assert_eq!(found.reasons.len(), 1, "{name}: {:?}", found.reasons);
        assert!(found.reasons[0].contains("a restart makes it worse"), "{name}: {:?}", found.reasons);
    }
}

#[test]
fn rows_that_are_no_evidence_leave_too_few() {
    let synced = "4/4 peers valid, clock synced, stratum 3";
    let absurd = |delay, jitter| Table { spread: (delay, jitter), ..of(synced, &all(&[1200.1; 4], 10, 31)) };
    let cases = [
        ("delay alone", absurd(3100.0, 1.0), "few_peers/critical"),
        ("jitter alone", absurd(100.0, 1600.0), "few_peers/critical"),
        ("just evidence", absurd(2900.0, 40.0), "offset/critical"),
    ];
    check(&cases, &[None, Some(2.0 * DAY)]);
}

/// A status line, and what is said of it while the start of the daemon is unknown and after two days.
#[test]
fn peers_that_never_answered_are_never_ok() {
    let never = |peers: usize, poll: i64| {
        let mut text = format!(
            "0/{peers} peers valid, clock unsynced\n\npeer\n   wt tl st  next  poll          offset       delay      jitter\n"
        );
        (0..peers).for_each(|at| {
            write!(
                text,
                "203.0.113.{at} \n    1  2  -    0s {poll:4}s             ---- peer not valid ----\n"
            )
            .unwrap();
        });
        text
    };
    let unresolved = never(2, 0)
        .replace("203.0.113.0 ", "not resolved a.example.org")
        .replace("203.0.113.1 ", "not resolved b.example.org");
    let cases = [
        ("one", never(1, 300), "unsynced/critical"),
        ("nine", never(9, 300), "unsynced/critical"),
        ("queries under way", never(3, 0), "starting/warning"),
        ("refused at the first query", never(3, 3100), "unsynced/critical"),
        ("no name resolved", unresolved, "starting/warning"),
    ];
    for (name, text, unknown) in cases {
        let source = Source::Openntpd(parse(&text).unwrap());
        let mut evidence = Evidence::of_source(1_795_000_000.0, source);
        let limits = Limits::new(&Params::default(), "linux");
        assert_eq!(said(&judge(&evidence, &limits)), unknown, "{name}");
        (evidence.uptime, evidence.pid) = (Some(2.0 * DAY), Some(7));
        assert_eq!(said(&judge(&evidence, &limits)), "unsynced/critical", "{name}, two days old");
    }
}
