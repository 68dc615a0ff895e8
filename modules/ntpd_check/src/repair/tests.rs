// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;
use crate::judgement::Figures;
use crate::leap::{Leap, LeapTable};
use crate::probe::Answer;
use crate::report::{Peer, Report};
use crate::state::Restart;
use crate::verdict::Severity;

const NOW: f64 = 1_700_000_000.0;

fn probed(server: &str) -> Probed {
    let answer = Answer {
        leap: 0,
        stratum: 2,
        refid: "198.51.100.7".into(),
        offset: -1.0,
        delay: 0.01,
        root_distance: 0.02,
        reference_age: 9.0,
    };
    Probed { server: server.into(), address: None, sent: 1, answers: vec![answer], problem: None }
}

/// Three peers, and a fourth that blocks.
fn one_blocks() -> Report {
    let peer = |last: u8, poll: i64| Peer {
        address: Some(format!("192.0.2.{last}")),
        trust: 10,
        poll,
        ..Peer::default()
    };
    let peers = vec![peer(1, 32), peer(2, 32), peer(3, 32), peer(4, 3100)];
    Report { peers, ..Report::default() }
}

/// A case in which every guard rail holds.
struct Case {
    params: Params,
    evidence: Evidence,
    judgement: Judgement,
    state: State,
}

fn sound() -> Case {
    let params = Params { repair: true, ..Params::default() };
    let evidence = Evidence {
        uptime: Some(90_000.0),
        pid: Some(7),
        probes: vec![probed("192.0.2.1"), probed("192.0.2.2")],
        ..Evidence::of_source(NOW, Source::Openntpd(one_blocks()))
    };
    let clock = Figures { clock_error: Some(-0.98), truechimers: 3, ..Figures::default() };
    let judgement = Judgement {
        verdict: Verdict::Blocked,
        severity: Severity::Critical,
        reasons: Vec::new(),
        notes: Vec::new(),
        findings: Vec::new(),
        blocking_peers: vec!["192.0.2.4".into()],
        falsetickers: Vec::new(),
        clock,
    };
    let state = State { blocked_since: Some(NOW), stuck_for: Some(900.0), ..State::default() };
    Case { params, evidence, judgement, state }
}

fn decide(case: &Case) -> RepairPlan {
    plan(&case.params, &case.evidence, &case.judgement, Ok(&case.state))
}

fn restart(ago: f64, helped: Option<bool>) -> Restart {
    Restart { at: NOW - ago, error_before: Some(-1.0), helped, ticks: None }
}

#[test]
fn a_sound_case_is_restarted() {
    let decided = decide(&sound());
    assert!(decided.restart && decided.wanted && decided.refused.is_empty(), "{decided:?}");
}

#[test]
fn nothing_is_done_unasked_or_for_another_verdict() {
    let mut case = sound();
    case.params.repair = false;
    assert_eq!(decide(&case), RepairPlan::default());
    for verdict in Verdict::ALL {
        let mut case = sound();
        case.judgement.verdict = verdict;
        let expected = matches!(verdict, Verdict::Blocked | Verdict::Stuck);
        assert_eq!(decide(&case).restart, expected, "{verdict:?}");
    }
}

#[test]
fn every_guard_rail_refuses_alone() {
    type Break = fn(&mut Case);
    let cases: [(Break, &str); 17] = [
        (|case| case.evidence.uptime = None, "the start time of the daemon is unknown"),
        (|case| case.evidence.uptime = Some(3599.0), "the daemon has run for 3599 s only, less than 3600 s"),
        (
            |case| case.judgement.clock.pending_slew = Some(0.1),
            "the clock is being slewed: a restart would begin anew",
        ),
        (|case| case.judgement.clock.truechimers = 2, "only 2 peers agree, 3 are needed"),
        (|case| case.evidence.probes.truncate(1), "only 1 servers answer a direct probe well, 2 are needed"),
        (
            |case| case.judgement.clock.clock_error = Some(0.05),
            "the clock is still right and the daemon blocked for 0 s only, less than 7200 s",
        ),
        (
            |case| {
                let leaps = vec![Leap { at: NOW + 3599.0, tai_offset: 38 }];
                let table = LeapTable { path: "x".into(), updated: None, expires: NOW, leaps };
                case.evidence.leaps = Some(table);
            },
            "a leap second is less than an hour away",
        ),
        (
            |case| case.state.restarts = vec![restart(21_599.0, Some(true))],
            "the last restart was 21599 s ago and the least interval is 21600 s",
        ),
        (
            |case| case.state.restarts = vec![restart(43_199.0, Some(false))],
            "the last restart was 43199 s ago and the least interval is 43200 s, doubled because the last did not help",
        ),
        (
            |case| case.state.restarts = vec![restart(80_000.0, Some(true)), restart(22_000.0, Some(true))],
            "2 restarts in 24 hours, 2 are allowed",
        ),
        (
            |case| {
                let Source::Openntpd(report) = &mut case.evidence.source else { panic!() };
                report.peers.iter_mut().for_each(|peer| peer.poll = 3100);
                case.judgement.blocking_peers =
                    report.peers.iter().map(|peer| peer.label().to_owned()).collect();
            },
            "all sources lost their time: a restarted daemon would find nobody",
        ),
        (
            |case| case.judgement.clock.clock_error = Some(3600.0),
            "the clock has to be set: a daemon slews away 43.20 s in a day",
        ),
        (
            |case| case.evidence.rivals = vec!["chronyd (process 77)".to_owned()],
            "somebody else sets the clock, too: chronyd (process 77)",
        ),
        (
            |case| (case.judgement.clock.shown, case.judgement.clock.probed) = (Some(-0.98), Some(0.0)),
            "direct probes contradict what ntpctl shows: 0.0 ms against 980.0 ms",
        ),
        (
            |case| {
                let other =
                    |answer: &mut Answer| (answer.offset, answer.refid) = (0.0, "198.51.100.8".into());
                case.evidence.probes[1].answers.iter_mut().for_each(other);
            },
            "direct probes contradict each other, and no group of them is a majority",
        ),
        (
            |case| {
                case.judgement.verdict = Verdict::Stuck;
                case.state.stuck_for = Some(0.0);
            },
            "this was watched for 0 s only, less than 900 s",
        ),
        (
            |case| case.evidence.source = Source::Failed(crate::failure::Failure::no_daemon("gone")),
            "only OpenNTPD is known to be cured by a restart",
        ),
    ];
    for (break_it, rail) in cases {
        let mut case = sound();
        break_it(&mut case);
        let decided = decide(&case);
        assert_eq!((decided.restart, decided.refused), (false, vec![rail.to_owned()]));
    }
    let case = sound();
    let decided = plan(&case.params, &case.evidence, &case.judgement, Err("the disk is full"));
    assert_eq!(decided.refused, ["restarts cannot be counted: the disk is full"]);
}

#[test]
fn a_right_clock_is_restarted_once_blocked_for_long() {
    let mut case = sound();
    case.judgement.clock.clock_error = Some(0.001);
    case.state.blocked_since = Some(NOW - 72_000.0);
    case.state.blocked_for = 7199.0;
    assert!(!decide(&case).restart, "it was not watched in between");
    case.state.blocked_for = 7200.0;
    assert!(decide(&case).restart);
}
