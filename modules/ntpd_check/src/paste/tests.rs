// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;
use crate::evidence::{Evidence, Source};
use crate::judge::{Limits, judge};
use crate::judgement::Judgement;
use crate::params::Params;
use crate::verdict::{Severity, Verdict};

mod halves;

const HEADER: &str = "   wt tl st  next  poll          offset       delay      jitter\n";

fn pasted(text: &str) -> Paste {
    read(text.as_bytes()).unwrap()
}

fn refused(text: &str) -> Failure {
    read(text.as_bytes()).unwrap_err()
}

fn judged(paste: Paste) -> Judgement {
    let evidence = Evidence::of_source(1_700_000_000.0, Source::Openntpd(paste.report));
    judge(&evidence, &Limits::new(&Params::default(), "linux"))
}

fn labels(paste: &Paste) -> Vec<&str> {
    paste.report.peers.iter().map(|peer| peer.label()).collect()
}

/// Four good peers by number, with the last digit of their addresses.
fn rows(peers: &[u8]) -> String {
    let row = |last: &u8| {
        format!("10.99.0.{last} \n    1 10  2  474s 1502s         0.412ms     6.266ms     0.175ms\n")
    };
    peers.iter().map(row).collect()
}

fn good() -> String {
    format!("4/4 peers valid, clock synced, stratum 3\n\npeer\n{HEADER}{}", rows(&[1, 2, 3, 4]))
}

#[test]
fn the_origin_as_it_was_pasted() {
    let paste = pasted(include_str!("../../../../tests/fixtures/ntpctl/pastes/seed-as-pasted.txt"));
    assert_eq!(labels(&paste), ["row 1", "row 2", "row 3", "row 4"]);
    assert_eq!((&paste.notes, &paste.report.gaps), (&vec![], &vec![]));
    let pools: Vec<_> = paste.report.peers.iter().map(|peer| (peer.pool, peer.selected)).collect();
    assert_eq!(pools, [(true, false), (true, true), (true, false), (true, false)]);
    let judgement = judged(paste);
    assert_eq!((judgement.verdict, judgement.severity), (Verdict::Blocked, Severity::Critical));
    assert_eq!(judgement.blocking_peers, ["row 4"]);
    assert!((judgement.clock.offset_mean.unwrap() - 0.712_313).abs() < 1e-6, "{:?}", judgement.clock);
    assert!(
        !judgement.reasons.iter().any(|reason| reason.contains("not resolved")),
        "{:?}",
        judgement.reasons
    );
}

#[test]
fn lines_that_are_not_understood_are_listed_and_no_others() {
    let noise = "Last login: Sat Nov 28 18:31:23 2026 from 192.0.2.200\nroot@hv1:~# ntpctl -s all\n";
    let paste = pasted(&format!("{noise}```text\n{}```\nroot@hv1:~# \nany idea?\n", good()));
    let expected = [
        "not understood, line 1: \"Last login: Sat Nov 28 18:31:23 2026 from 192.0.2.200\"",
        "not understood, line 18: \"any idea?\"",
    ];
    assert_eq!(paste.notes, expected);
    assert_eq!(labels(&paste), ["10.99.0.1", "10.99.0.2", "10.99.0.3", "10.99.0.4"]);
    assert_eq!(judged(paste).verdict, Verdict::Ok);
    let many = pasted(&format!("{}{}", "hello there\n".repeat(20), good()));
    assert_eq!((many.notes.len(), many.notes[8].as_str()), (9, "not understood either: 12 more lines"));
    let long = pasted(&format!("{}\n{}", "x".repeat(500), good()));
    assert!(long.notes[0].len() < 120 && long.notes[0].ends_with("...\""), "{:?}", long.notes);
}

/// By their places: a query that is late by two seconds, whole seconds without their unit, and thousandths of milliseconds.
#[test]
fn rows_without_any_unit_are_judged_and_what_is_no_row_is_not() {
    let bare =
        "10.99.0.1\n 1 10 2 -2 1502 0.412 6.266 0.175\n10.99.0.2\n* 1 10 2 9 1502 -984.784 6.266 0.175\n";
    let paste = pasted(&format!("2/2 peers valid, clock synced, stratum 3\n\npeer\n{bare}"));
    assert_eq!((&paste.notes, &paste.report.gaps), (&vec![], &vec![]));
    let offsets: Vec<_> =
        paste.report.peers.iter().map(|peer| (peer.next, peer.sample.unwrap().offset)).collect();
    assert_eq!(offsets, [(-2, 0.000_412), (9, -0.984_784)]);
    assert_eq!(judged(paste).verdict, Verdict::NoMajority);
    for other in ["1 10 2 9 1502 0.412", "1 10 2 9 1502 0.41 6.27", "1 10 2 9 1502 ----", "1 10 2 9 1502 6 4"]
    {
        let paste = pasted(&format!("{}\n{other}\n", good()));
        let note = format!("not understood, line 14: {other:?}");
        assert_eq!((paste.report.peers.len(), paste.notes), (4, vec![note]), "{other}");
    }
}

#[test]
fn what_trackers_put_around_a_text_is_not_told() {
    let frames = [
        ("{code}\n", "{code}\n"),
        ("{code:title=hv1}\n", "{code}\n"),
        ("{noformat}\n", "{noformat}\n"),
        ("[code]\n", "[/code]\n"),
        ("[quote=joe]", "[/quote]"),
        ("```sh\n", "```\n"),
        ("<details><summary>", "</summary></details>"),
        ("--- 8< ---\n", "--- >8 ---\n"),
        ("hv1$ sudo ntpctl -s all\n", "hv1$ "),
        ("\u{279c}  ~ ntpctl -s all\n", "\u{279c}  ~ "),
        ("C:\\> ssh root@hv1 ntpctl -s all\n", "C:\\> \n"),
        ("", "(END)\n~\n~\n"),
    ];
    for (before, after) in frames {
        let paste = pasted(&format!("{before}{}{after}", good()));
        assert_eq!((&paste.notes, &paste.report.gaps), (&vec![], &vec![]), "{before:?}");
        assert_eq!(labels(&paste), ["10.99.0.1", "10.99.0.2", "10.99.0.3", "10.99.0.4"], "{before:?}");
        assert_eq!(judged(paste).verdict, Verdict::Ok, "{before:?}");
    }
}

#[test]
fn what_is_no_report_is_refused_by_name() {
    let expected = "expected the output of ntpctl -s all, found ";
    for (text, found) in [
        ("", "an empty text"),
        (" \n\u{a0}\n", "an empty text"),
        ("hello\n", "neither a status line nor a row of the peer table; it begins with \"hello\""),
        (
            "root@hv1:~# ntpctl -s all\n",
            "neither a status line nor a row of the peer table; it begins with \"root@hv1:~# ntpctl -s all\"",
        ),
    ] {
        let failure = refused(text);
        assert_eq!(
            (failure.verdict, failure.reason),
            (Verdict::ParseError, format!("{expected}{found}")),
            "{text:?}"
        );
    }
    let complaints = [
        ("ntpctl: connect: /run/openntpd/ntpd.sock: Permission denied", Verdict::NoPermission),
        ("ntpctl: connect: /var/run/ntpd.sock: No such file or directory", Verdict::NoDaemon),
        ("ntpctl: connect: /var/run/ntpd.sock: Connection refused", Verdict::NoDaemon),
        ("ntpctl: pipe closed", Verdict::NotAnswering),
    ];
    for (words, verdict) in complaints {
        let failure = refused(&format!("$ ntpctl -s all\n{words}\n$ \n"));
        assert_eq!(failure.verdict, verdict, "{words}");
        assert!(failure.reason.contains(words), "{}", failure.reason);
    }
}

/// Three times in a row are no row of a table by themselves.
#[test]
fn a_traceroute_is_no_table() {
    let hops =
        " 1  gw1 (192.0.2.1)  0.412 ms  0.500 ms  0.600 ms\n 2  192.0.2.2  1.412 ms  1.500 ms  1.600 ms\n";
    assert_eq!(refused(hops).verdict, Verdict::ParseError);
    assert_eq!(refused("0.412 ms 0.500 ms 0.600 ms\n").verdict, Verdict::ParseError);
    let paste = pasted(&format!("{}{hops}", good()));
    assert_eq!((paste.notes.len(), &paste.report.gaps, paste.report.peers.len()), (2, &vec![], 4));
    assert_eq!(judged(paste).verdict, Verdict::Ok);
}

#[test]
fn names_wherever_they_stand() {
    let status = "2/2 peers valid, clock synced, stratum 3\n";
    let row = "1 10 2 474s 1502s 0.412ms 6.266ms 0.175ms";
    let cases = [
        (
            "on the row's line",
            format!("10.99.0.1 a.example.org {row}\n10.99.0.2 {row}\n"),
            ["10.99.0.1", "10.99.0.2"],
        ),
        ("last on the row's line", format!("{row} 10.99.0.1\n{row} 10.99.0.2\n"), ["10.99.0.1", "10.99.0.2"]),
        ("blacked out", format!("ntp-a\n{row}\nntp-b\n{row}\n"), ["ntp-a", "ntp-b"]),
        ("all blacked out alike", format!("xxx\n{row}\nxxx\n{row}\n"), ["xxx", "row 2"]),
        ("gone", format!("{row}\n{row}\n"), ["row 1", "row 2"]),
        (
            "with numbers of lines",
            format!("3:10.99.0.1\n4: {row}\n5:10.99.0.2\n6: {row}\n"),
            ["10.99.0.1", "10.99.0.2"],
        ),
        (
            "IPv6",
            format!("2001:db8::1 a.example.org\n{row}\nfe80::1%em0\n{row}\n"),
            ["2001:db8::1", "fe80::1%em0"],
        ),
        (
            "with remarks",
            format!("10.99.0.1\n{row} <- this one\n10.99.0.2\n{row}\n"),
            ["10.99.0.1", "10.99.0.2"],
        ),
        (
            "never resolved",
            format!("not resolved from pool pool.example.org\n{row}\nnot resolved b.example.org\n{row}\n"),
            ["pool.example.org", "b.example.org"],
        ),
    ];
    for (name, table, expected) in cases {
        let paste = pasted(&format!("{status}wt tl st next poll offset delay jitter\n{table}"));
        assert_eq!(labels(&paste), expected, "{name}");
        assert_eq!((&paste.report.gaps, &paste.notes), (&vec![], &vec![]), "{name}");
    }
}

#[test]
fn rows_that_lost_their_left_edge() {
    let text = good().replace("    1 10  2", " 10  2").replace("10.99.0.", "9.0.");
    let paste = pasted(&text);
    let first = &paste.report.peers[0];
    assert_eq!((first.trust, first.stratum, first.poll, paste.report.peers.len()), (10, Some(2), 1502, 4));
}

/// Where peers have no names, a heading is all that tells whose a report is.
#[test]
fn nameless_reports_under_different_headings_are_not_of_one_host() {
    let nameless: String =
        good().lines().filter(|line| !line.starts_with("10.99")).map(|line| format!("{line}\n")).collect();
    let wrong = nameless.replace("0.412ms", "-984.412ms");
    for (first, second) in [(&wrong, &nameless), (&wrong, &good()), (&good(), &nameless)] {
        let failure = refused(&format!("hv1:\n{first}\nhv2:\n{second}"));
        assert!(
            failure.reason.starts_with("expected one host, found reports of hv1, hv2"),
            "{}",
            failure.reason
        );
    }
    let later = pasted(&format!("before:\n{}\nafter:\n{}", good(), good().replace("0.412ms", "-984.412ms")));
    assert_eq!(judged(later).verdict, Verdict::Offset);
    let undated = pasted(&format!("{nameless}\n{wrong}"));
    assert_eq!(judged(undated).verdict, Verdict::Offset);
}
