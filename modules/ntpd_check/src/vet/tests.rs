// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;
use crate::probe::Problem;

fn answer(offset: f64, refid: &str) -> Answer {
    Answer {
        leap: 0,
        stratum: 2,
        refid: refid.into(),
        offset,
        delay: 0.02,
        root_distance: 0.03,
        reference_age: 10.0,
    }
}

fn probed(server: &str, answers: Vec<Answer>) -> Probed {
    Probed { server: server.into(), address: Some(format!("of {server}")), sent: 5, answers, problem: None }
}

fn steady(server: &str, offset: f64) -> Probed {
    probed(server, vec![answer(offset, server); 5])
}

fn verdicts(probes: &[Probed]) -> Vec<(String, Option<usize>, Option<String>)> {
    vet(probes).into_iter().map(|one| (one.server, one.rank, one.reason)).collect()
}

#[test]
fn the_bad_are_refused_with_the_reason_and_the_rest_ranked() {
    let silent = Probed { problem: Some(Problem::Silent), ..probed("silent", Vec::new()) };
    let alarm = Probed { problem: Some(Problem::Alarm), ..probed("alarm", Vec::new()) };
    let lossy = Probed { problem: Some(Problem::Silent), ..probed("lossy", vec![answer(0.0, "x"); 3]) };
    let mut leaping = steady("leaping", 0.0);
    leaping.answers.iter_mut().for_each(|answer| answer.leap = 1);
    let shaky = probed(
        "shaky",
        vec![
            answer(0.01, "shaky"),
            answer(-0.01, "shaky"),
            answer(0.0, "shaky"),
            answer(0.0, "shaky"),
            answer(0.0, "shaky"),
        ],
    );
    let probes = [
        silent,
        alarm,
        lossy,
        leaping,
        shaky,
        steady("steady", 0.0),
        steady("liar", 0.3),
        steady("good", 0.001),
    ];
    let told = |text: &str| Some(text.to_owned());
    let expected = [
        ("silent", None, told("does not answer")),
        ("alarm", None, told("announces LI=3 (alarm): its own clock is not set")),
        ("lossy", None, told("40 % of the queries failed: does not answer")),
        ("leaping", None, told("announces leap indicator 1, the majority announces 0")),
        ("shaky", Some(3), None),
        ("steady", Some(1), None),
        ("liar", None, told("its offset lies outside what the majority agrees on, -20.0 to 30.0 ms")),
        ("good", Some(2), None),
    ];
    let found = verdicts(&probes);
    for (found, (server, rank, reason)) in found.iter().zip(expected) {
        assert_eq!((found.0.as_str(), found.1, &found.2), (server, rank, &reason));
    }
    assert_eq!(servers(&vet(&probes)), ["steady", "good", "shaky"]);
}

#[test]
fn a_server_that_would_have_stopped_openntpd_once_is_refused() {
    let once = |server: &str, problem| {
        let answers = vec![answer(0.0, server); 4];
        Probed { problem: Some(problem), ..probed(server, answers) }
    };
    let probes = [
        once("alarm", Problem::Alarm),
        once("kiss", Problem::Kiss("RATE".into())),
        once("lost", Problem::Silent),
        steady("good", 0.0),
    ];
    assert_eq!(servers(&vet(&probes)), ["good", "lost"]);
    let told = "sometimes sends kiss of death RATE: OpenNTPD would wait for it in vain from then on";
    assert_eq!(verdicts(&probes)[1], ("kiss".to_owned(), None, Some(told.to_owned())));
}

#[test]
fn a_second_server_behind_the_same_source_comes_last() {
    let probes = [
        probed("a", vec![answer(0.0, "192.0.2.9"); 5]),
        probed("b", vec![answer(0.0, "192.0.2.9"); 5]),
        probed("c", vec![answer(0.0, "192.0.2.8"), answer(0.002, "192.0.2.8")]),
    ];
    let mut probes = probes.to_vec();
    probes[2].sent = 2;
    assert_eq!(servers(&vet(&probes)), ["a", "c", "b"]);
    let told = "follows the same source 192.0.2.9 as a: no second opinion";
    assert_eq!(verdicts(&probes)[1], ("b".to_owned(), Some(3), Some(told.to_owned())));
}

#[test]
fn candidates_without_a_majority_are_all_refused() {
    let probes = [steady("a", 0.0), steady("b", 0.0), steady("c", 0.5), steady("d", 0.5)];
    assert!(servers(&vet(&probes)).is_empty());
    let told = "the candidates contradict each other and no group has a majority";
    assert!(verdicts(&probes).iter().all(|one| one.2.as_deref() == Some(told)));
    assert!(vet(&[]).is_empty());
}

fn at(server: &str, address: &str, answers: Vec<Answer>) -> Probed {
    Probed { address: Some(address.into()), ..probed(server, answers) }
}

#[test]
fn the_same_server_twice_is_one() {
    let probes = [
        steady("a", 0.0),
        steady("A.", 0.0),
        at("alias", "of a", vec![answer(0.0, "alias"); 5]),
        steady("b", 0.3),
        steady("c", 0.0),
    ];
    let found = verdicts(&probes);
    let told = |text: &str| Some(text.to_owned());
    let expected = [
        ("a", true, None),
        ("alias", false, told("the same server as a")),
        ("b", false, told("its offset lies outside what the majority agrees on, -30.0 to 30.0 ms")),
        ("c", true, None),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, (server, ranked, reason)) in found.iter().zip(expected) {
        assert_eq!((found.0.as_str(), found.1.is_some(), &found.2), (server, ranked, &reason));
    }
    // With two names it would have outvoted the others.
    let twice = [steady("liar", 0.3), at("other", "of liar", vec![answer(0.3, "x"); 5]), steady("a", 0.0)];
    assert!(servers(&vet(&twice)).is_empty());
    // Two ports of one address are two servers.
    let ports = [
        at("host:4123", "192.0.2.1", vec![answer(0.0, "x"); 5]),
        at("host:4124", "192.0.2.1", vec![answer(0.0, "y"); 5]),
    ];
    assert_eq!(servers(&vet(&ports)).len(), 2);
}

#[test]
fn a_name_is_as_good_as_the_worst_of_its_addresses() {
    let good = || vec![answer(0.0, "x"); 5];
    let alarm = Probed { problem: Some(Problem::Alarm), ..at("pool", "192.0.2.2", good()) };
    let silent = Probed { problem: Some(Problem::Silent), ..at("half", "2001:db8::1", Vec::new()) };
    let probes = [
        at("pool", "192.0.2.1", good()),
        alarm,
        silent,
        at("half", "192.0.2.3", vec![answer(0.0, "y"); 5]),
        at("wrong", "192.0.2.4", vec![answer(0.0, "z"); 5]),
        at("wrong", "192.0.2.5", vec![answer(0.4, "z"); 5]),
    ];
    let told = |text: &str| Some(text.to_owned());
    let expected = [
        (
            "pool".to_owned(),
            None,
            told(
                "192.0.2.2: sometimes announces LI=3 (alarm): its own clock is not set: OpenNTPD would wait for it in vain from then on",
            ),
        ),
        ("half".to_owned(), Some(1), told("nobody answers at 2001:db8::1")),
        (
            "wrong".to_owned(),
            None,
            told("192.0.2.5: its offset lies outside what the majority agrees on, -30.0 to 30.0 ms"),
        ),
    ];
    assert_eq!(verdicts(&probes), expected);
}

#[test]
fn one_bad_sample_of_any_kind_refuses() {
    for problem in
        [Problem::Alarm, Problem::Kiss("DENY".into()), Problem::Stratum(16), Problem::NegativeDelay(-0.1)]
    {
        let once = Probed { problem: Some(problem.clone()), ..probed("once", vec![answer(0.0, "once"); 4]) };
        let found = verdicts(&[once, steady("good", 0.0), steady("fine", 0.0)]);
        let reason = found[0].2.clone().unwrap();
        assert!(found[0].1.is_none() && reason.starts_with(&format!("sometimes {problem}")), "{reason}");
    }
}

#[test]
fn who_would_leave_nothing_to_follow_is_refused() {
    let at = |server: &str, stratum: u8| {
        let mut probe = steady(server, 0.0);
        probe.answers.iter_mut().for_each(|answer| answer.stratum = stratum);
        probe
    };
    let found = verdicts(&[at("a", 2), at("b", 14), at("c", 15)]);
    assert!(found[0].1.is_some() && found[1].1.is_some(), "{found:?}");
    let reason = "announces stratum 15: whoever follows it is not synchronised";
    assert_eq!((found[2].1, found[2].2.as_deref()), (None, Some(reason)));
}
