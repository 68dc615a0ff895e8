// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;
use crate::evidence::{Evidence, Source};
use crate::judge::{Limits, judge};
use crate::judgement::Judgement;
use crate::params::Params;
use crate::verdict::{Severity, Verdict};

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
fn half_a_table_is_never_called_good() {
    let whole = good();
    let status = "4/4 peers valid, clock synced, stratum 3\n";
    let table = format!("peer\n{HEADER}");
    let cases = [
        ("no status", whole.replace(status, ""), "the status line is missing: "),
        ("status only", status.to_owned(), "the peer table is missing: a blocked daemon cannot be told"),
        (
            "three rows",
            format!("{status}{table}{}", rows(&[1, 2, 3])),
            "1 of 4 rows of the peer table are missing",
        ),
        (
            "a row twice",
            format!("{status}{table}{}", rows(&[1, 2, 3, 4, 4])),
            "the peer table has 5 rows, but the status line counts 4 peers",
        ),
        (
            "a row twice, and another one lost",
            format!("{status}{table}{}", rows(&[1, 2, 3, 3])),
            "row 4 of the peer table is a copy of one above it",
        ),
        (
            "other valid ones",
            whole.replace("4/4", "3/4"),
            "4 rows of the peer table are valid, but the status line counts 3",
        ),
        ("no count", whole.replace("4/4 peers valid, ", ""), "the beginning of the status line is missing: "),
        ("a damaged count", whole.replace("4/4", "/4"), "the beginning of the status line is missing: "),
        (
            "a status that ends",
            whole.replace("clock synced, stratum 3", "clock synced,"),
            "the status line is cut off",
        ),
        (
            "a row that ends behind its poll",
            whole.trim_end().trim_end_matches("0.412ms     6.266ms     0.175ms").to_owned(),
            "row 4 is cut off behind its poll: its offset is not known",
        ),
        (
            "a row that ends later",
            whole.trim_end().trim_end_matches("0.175ms").to_owned(),
            "row 4 is cut off behind 2 of 3 figures: the others count as 0",
        ),
        (
            "a row that was read by a scanner",
            whole.replacen("474s 1502s", "474s 15O2s", 1),
            "row 1 has lost its left half: whether the daemon waits for it is not known",
        ),
        (
            "figures that were read wrongly, too",
            whole.replacen("474s 1502s         0.412ms", "474s 15O2s         O.412ms", 1),
            "1 of 4 rows of the peer table are missing",
        ),
        (
            "a number that was broken in two",
            whole.replacen(" 474s 1502s", "4\n74s 1502s", 1),
            "figures stand beside a trust level below 6, where ntpctl shows none: 10.99.0.1",
        ),
        (
            "another number that was broken in two",
            whole.replacen(" 474s 1502s", "47\n4s 1502s", 1),
            "row 1 has lost its left half: whether the daemon waits for it is not known",
        ),
        (
            "a decimal comma",
            whole.replacen("0.412ms", "0,412ms", 1),
            "row 1 is cut off behind its poll: its offset is not known",
        ),
    ];
    for (name, text, gap) in cases {
        let judgement = judged(pasted(&text));
        assert_eq!(
            (judgement.verdict, judgement.severity),
            (Verdict::Incomplete, Severity::Unknown),
            "{name}"
        );
        assert!(
            judgement.reasons.iter().any(|reason| reason.starts_with(gap)),
            "{name}: {:?}",
            judgement.reasons
        );
    }
}

#[test]
fn half_a_table_shows_what_is_wrong_in_it() {
    let incident = include_str!("../../../../tests/fixtures/ntpctl/7.9p1/incident2-03-leap+15min.all.txt");
    let lines: Vec<_> = incident.lines().collect();
    for (name, half, verdict) in [
        ("without the status", &lines[1..], Verdict::Blocked),
        ("the last two rows", &lines[8..], Verdict::Blocked),
        ("the first three rows", &lines[..10], Verdict::Offset),
    ] {
        let judgement = judged(pasted(&half.join("\n")));
        assert_eq!((judgement.verdict, judgement.severity), (verdict, Severity::Critical), "{name}");
        assert!(judgement.notes.iter().any(|note| note.contains("missing")), "{name}: {:?}", judgement.notes);
        let few = judgement.reasons.iter().any(|reason| reason.contains("are needed"));
        assert_eq!(few, name == "the last two rows", "{:?}", judgement.reasons);
    }
    let right: Vec<String> = lines.iter().map(|line| line.chars().skip(22).collect()).collect();
    let judgement = judged(pasted(&format!("{}\n{}", lines[0], right[1..].join("\n"))));
    assert_eq!((judgement.verdict, judgement.severity), (Verdict::Discordant, Severity::Critical));
    assert_eq!(judgement.falsetickers, ["row 4"]);
    let cut = incident.trim_end().rsplit_once("  ").unwrap().0;
    assert_eq!(judged(pasted(cut)).blocking_peers, ["10.99.0.4"]);
}

#[test]
fn of_several_reports_the_last_whole_one_counts() {
    let bad = good().replace("0.412ms", "-984.9ms");
    let note = |count: u32, line: u32| {
        format!("{count} reports stand in this text; the last whole one, from line {line} on, is judged")
    };
    let status = "4/4 peers valid, clock synced, stratum 3\n";
    let quoted: String = bad.lines().map(|line| format!("> {line}\n")).collect();
    let cases = [
        ("one after the other", format!("{bad}\n{}", good()), note(2, 14), Verdict::Ok),
        ("the other way round", format!("{}\n{bad}", good()), note(2, 14), Verdict::Offset),
        (
            "a mail quotes the older one below",
            format!("{}\nJoe wrote:\n{quoted}", good()),
            note(2, 1),
            Verdict::Ok,
        ),
        ("a status behind a report", format!("{bad}\n{status}"), note(2, 1), Verdict::Offset),
        ("a status before a report", format!("{status}\n{bad}"), note(2, 3), Verdict::Offset),
        ("the end of an older one", format!("{}\n{bad}", rows(&[3, 4])), note(2, 6), Verdict::Offset),
    ];
    for (name, text, note, verdict) in cases {
        let paste = pasted(&text);
        assert_eq!(paste.notes.first(), Some(&note), "{name}");
        assert_eq!(judged(paste).verdict, verdict, "{name}");
    }
    for text in [
        format!("{}\n$ ntpctl -s peers\npeer\n{HEADER}{}", status, rows(&[1, 2, 3, 4])),
        format!("peer\n{HEADER}{}\n$ ntpctl -s status\n{status}", rows(&[1, 2, 3, 4])),
    ] {
        let paste = pasted(&text);
        assert_eq!((&paste.notes, judged(paste.clone()).verdict), (&vec![], Verdict::Ok), "{text}");
    }
}

#[test]
fn reports_of_several_hosts_are_refused() {
    let (one, two) = (good(), good());
    let elsewhere = good().replace("10.99.", "192.0.");
    let advice = "give the report of one host at a time";
    let hosts = format!("expected one host, found reports of hv1, hv2: {advice}");
    let cases = [
        (format!("root@hv1:~# ntpctl -s all\n{one}root@hv2:~# ntpctl -s all\n{two}"), &hosts),
        (format!("hv1# ntpctl -s all\n{one}hv2# ntpctl -s all\n{two}"), &hosts),
        (format!("hv1 | CHANGED | rc=0 >>\n{one}hv2 | CHANGED | rc=0 >>\n{two}"), &hosts),
        (format!("ok: [hv1] =>\n{one}ok: [hv2] =>\n{two}"), &hosts),
        (format!("==> hv1 <==\n{one}==> hv2 <==\n{two}"), &hosts),
        (
            format!("---------------\nhv1\n---------------\n{one}{elsewhere}"),
            &format!("expected one host, found 2 reports without a peer in common: {advice}"),
        ),
        (format!("[1] 18:31:23 [SUCCESS] hv1\n{one}[2] 18:31:23 [SUCCESS] hv2\n{two}"), &hosts),
    ];
    for (text, expected) in cases {
        let failure = refused(&text);
        assert_eq!((failure.verdict, &failure.reason), (Verdict::ParseError, expected), "{text}");
    }
    let twice = format!("root@hv1:~# ntpctl -s all\n{one}root@hv1:~# ntpctl -s all\n{two}");
    assert_eq!(judged(pasted(&twice)).verdict, Verdict::Ok);
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
