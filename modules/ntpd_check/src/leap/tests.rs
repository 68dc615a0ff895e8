// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;

/// Debian's tzdata 2025b.
const LIST: &str = include_str!("../../../../tests/lab/ntp/leap-seconds.list");

fn read(text: &str) -> Result<LeapTable> {
    parse(text, Path::new("leap-seconds.list"))
}

#[test]
fn the_list_as_it_is_published() {
    let table = read(LIST).unwrap();
    assert_eq!(table.leaps.len(), 27);
    assert_eq!(table.leaps.first(), Some(&Leap { at: 78_796_800.0, tai_offset: 11 }));
    let last = Leap { at: 1_483_228_800.0, tai_offset: 37 };
    assert_eq!(table.last_before(1_483_228_800.0), Some(last));
    assert_eq!(table.next_after(1_483_228_799.0), Some(last));
    assert_eq!(table.next_after(1_483_228_800.0), None);
    assert_eq!(table.expires, 1_782_604_800.0);
}

#[test]
fn of_several_lists_the_newest_counts() {
    let table = |expires| LeapTable { expires, ..read(LIST).unwrap() };
    let newest_of = |all: &[f64]| newest(all.iter().copied().map(table)).map(|table| table.expires);
    assert_eq!(newest_of(&[]), None);
    assert_eq!(newest_of(&[2.0, 3.0, 1.0]), Some(3.0));
}

#[test]
fn damage_is_seen() {
    let cases = [
        (
            "3692217600",
            "3692217601",
            "its hash does not match its numbers: the file is damaged; get it again",
        ),
        (
            "#@\t3991593600",
            "#@\t3991593601",
            "its hash does not match its numbers: the file is damaged; get it again",
        ),
        ("#h\t", "# ", "there is no hash line (#h)"),
        ("#@\t", "# ", "there is no line of expiry (#@)"),
    ];
    for (from, to, expected) in cases {
        let text = LIST.replace(from, to);
        assert_ne!(text, LIST, "{from}");
        let error = format!("{:#}", read(&text).unwrap_err());
        assert_eq!(error, format!("reading leap seconds from leap-seconds.list: {expected}"));
    }
}

#[test]
fn lines_outside_the_format_are_shown() {
    let cases = [
        ("hello\n", "line 1: \"hello\": expected two numbers"),
        ("1 2 3\n", "line 1: \"1 2 3\": expected two numbers"),
        ("-1 2\n", "line 1: \"-1 2\": \"-1\" is not a number of seconds"),
        ("20 10\n10 11\n", "line 2: \"10 11\": the times are out of order"),
        ("#h 1 2 3\n", "line 1: \"#h 1 2 3\": expected five words of hash, found 3"),
        (
            "#h 1 2 3 4 z\n",
            "line 1: \"#h 1 2 3 4 z\": \"z\" is not a hexadecimal word: invalid digit found in string",
        ),
        ("#@ 9999999999999\n", "line 1: \"#@ 9999999999999\": \"9999999999999\" is not a number of seconds"),
    ];
    for (text, expected) in cases {
        let error = format!("{:#}", read(text).unwrap_err());
        assert_eq!(error, format!("reading leap seconds from leap-seconds.list: {expected}"));
    }
}
