// SPDX-License-Identifier: GPL-3.0-or-later

//! Half a report, and more than one.

use super::*;

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
            "a point that became a semicolon",
            whole.replacen("0.412ms", "0;412ms", 1),
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
    let incident = include_str!("../../../../../tests/fixtures/ntpctl/7.9p1/incident2-03-leap+15min.all.txt");
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
