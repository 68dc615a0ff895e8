// SPDX-License-Identifier: GPL-3.0-or-later

//! Every captured output of ntpctl in every form that people paste: it reads as it did before. And what is cut or damaged:
//! no panic, and never a good verdict from half of a bad one.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its fixtures fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ntpd_check::evidence::{Evidence, Source};
use ntpd_check::judge::{Limits, judge};
use ntpd_check::judgement::Judgement;
use ntpd_check::ntpctl::parse;
use ntpd_check::params::Params;
use ntpd_check::paste::read;
use ntpd_check::report::Report;
use ntpd_check::verdict::Verdict;
use proptest::prelude::*;

mod forms;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/ntpctl")
}

fn captured() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for version in ["6.2p3", "7.9p1"] {
        for entry in fs::read_dir(fixtures().join(version)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.ends_with(".all.txt") {
                found.push((format!("{version}/{name}"), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 100, "{}", found.len());
    found.push(("sensors".to_owned(), forms::SENSORS.to_owned()));
    found.sort();
    found
}

fn judged(report: Report) -> Judgement {
    let evidence = Evidence::of_source(1_700_000_000.0, Source::Openntpd(report));
    judge(&evidence, &Limits::new(&Params::default(), "linux"))
}

#[test]
fn every_form_reads_as_what_was_printed() {
    let mut wrong = Vec::new();
    for (form, change) in forms::ALL {
        // One of each kind is enough for so many forms.
        let kinds = [
            "names-pool-03",
            "no-peers",
            "constraint-02",
            "incident2-0",
            "offset-all-05",
            "strata-05",
            "sensors",
        ];
        let some = captured_once().iter().filter(|(name, _)| kinds.iter().any(|kind| name.contains(kind)));
        for (name, text) in some {
            let expected = parse(text).unwrap();
            let found = read(&change(text)).map(|paste| paste.report);
            if found.as_ref() != Ok(&expected) {
                let text = String::from_utf8_lossy(&change(text)).into_owned();
                wrong.push(format!(
                    "{form}, {name}:
{text}
{found:?}"
                ));
                break;
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{}",
        wrong.join(
            "

"
        )
    );
}

#[test]
fn names_may_be_lost() {
    for (name, text) in captured().into_iter().filter(|(name, _)| !name.starts_with("sensors")) {
        let expected = judged(parse(&text).unwrap());
        let lines = text.lines().enumerate().filter(|(at, line)| *at < 4 || line.starts_with(' '));
        let nameless: Vec<_> = lines.map(|(_, line)| line).collect();
        let found = judged(read(nameless.join("\n").as_bytes()).unwrap().report);
        // What is not resolved is known by its name only.
        if expected.verdict != Verdict::Unresolved {
            assert_eq!((found.verdict, found.severity), (expected.verdict, expected.severity), "{name}");
        }
        assert_eq!(found.clock.offset_mean, expected.clock.offset_mean, "{name}");
    }
}

#[test]
fn a_thousand_reports_a_minute() {
    let texts = captured();
    let started = Instant::now();
    for (_, text) in texts.iter().cycle().take(1000) {
        let form = format!("root@hv1:~# ntpctl -s all\n{}", text.replace(' ', "\u{a0}"));
        judged(read(form.as_bytes()).unwrap().report);
    }
    let taken = started.elapsed();
    assert!(taken < test_support::patience(60), "{taken:?}");
}

/// Fixtures whose verdict is bad in whichever way they are cut by lines.
fn bad() -> Vec<String> {
    let bad = ["7.9p1/incident2-03-leap+15min", "7.9p1/incident2-05-leap+2h40", "6.2p3/incident2-04-leap+1h"];
    bad.iter().map(|name| fs::read_to_string(fixtures().join(format!("{name}.all.txt"))).unwrap()).collect()
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(paste) = read(&bytes) {
            judged(paste.report);
        }
    }

    #[test]
    fn no_damage_makes_it_panic(
        which in 0usize..1000,
        form in 0usize..1000,
        damage in proptest::collection::vec((0usize..4096, 0u8..4, any::<char>()), 1..12),
    ) {
        let texts = captured_once();
        let (_, text) = &texts[which % texts.len()];
        let (_, change) = forms::ALL[form % forms::ALL.len()];
        let mut chars: Vec<char> = String::from_utf8_lossy(&change(text)).chars().collect();
        for (at, kind, new) in damage {
            let at = at % chars.len().max(1);
            match kind {
                0 if at < chars.len() => drop(chars.remove(at)),
                1 => chars.insert(at.min(chars.len()), new),
                2 => chars.truncate(at.max(1)),
                _ => {
                    let end = (at + 40).min(chars.len());
                    let piece: Vec<char> = chars[at.min(end)..end].to_vec();
                    chars.splice(at..at, piece);
                }
            }
        }
        let damaged: String = chars.into_iter().collect();
        if let Ok(paste) = read(damaged.as_bytes()) {
            judged(paste.report);
        }
    }

    #[test]
    fn lines_that_are_lost_never_make_a_bad_clock_good(
        which in 0usize..3,
        lost in proptest::collection::btree_set(0usize..14, 1..9),
        swapped in any::<bool>(),
    ) {
        let text = &bad()[which];
        let mut lines: Vec<_> =
            text.lines().enumerate().filter(|(at, _)| !lost.contains(at)).map(|(_, line)| line).collect();
        if swapped {
            lines.reverse();
        }
        if let Ok(paste) = read(lines.join("\n").as_bytes()) {
            let judgement = judged(paste.report);
            prop_assert!(judgement.verdict != Verdict::Ok, "{lines:#?}");
            prop_assert!(judgement.severity != ntpd_check::verdict::Severity::Ok, "{lines:#?}");
        }
    }

    #[test]
    fn a_report_that_ends_early_is_never_good(which in 0usize..1000, end in 1usize..4096) {
        let texts = captured_once();
        let (name, text) = &texts[which % texts.len()];
        // A row that is not valid has nothing at its end to lose.
        prop_assume!(text.trim_end().ends_with("ms"));
        let end = 1 + end % (text.trim_end().len() - 1);
        if let Ok(paste) = read(&text.as_bytes()[..end]) {
            let judgement = judged(paste.report);
            prop_assert!(judgement.verdict != Verdict::Ok, "{name} up to {end}: {}", &text[..end]);
        }
    }
}

fn captured_once() -> &'static [(String, String)] {
    static ALL: std::sync::LazyLock<Vec<(String, String)>> = std::sync::LazyLock::new(captured);
    &ALL
}
