// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;
use crate::judgement::Figures;
use crate::report::{Peer, Report};
use crate::verdict::Severity;

fn judgement(verdict: Verdict, error: f64) -> Judgement {
    let severity = if verdict == Verdict::Ok { Severity::Ok } else { Severity::Critical };
    Judgement {
        verdict,
        severity,
        reasons: Vec::new(),
        notes: Vec::new(),
        findings: Vec::new(),
        blocking_peers: Vec::new(),
        falsetickers: Vec::new(),
        clock: Figures { clock_error: Some(error), synced: Some(true), ..Figures::default() },
    }
}

fn moment(at: f64) -> Moment {
    Moment { at, ticks: Some(at), boot: None }
}

fn source(offset: f64) -> Source {
    let sample = Some(Sample { offset, delay: 0.01, jitter: 0.001 });
    let peer = Peer { address: Some("192.0.2.1".into()), trust: 10, sample, ..Peer::default() };
    Source::Openntpd(Report { peers: vec![peer], ..Report::default() })
}

fn evidence(now: f64, pid: Option<u32>, offset: f64) -> Evidence {
    Evidence { pid, ..Evidence::of_source(now, source(offset)) }
}

#[test]
fn a_row_keeps_the_time_since_which_it_has_not_moved() {
    let mut state = State::default();
    for (now, offset, since) in [(1000.0, 0.1, 1000.0), (2000.0, 0.1, 1000.0), (3000.0, 0.2, 3000.0)] {
        state.remember(&evidence(now, Some(7), offset), &judgement(Verdict::Ok, 0.0));
        assert_eq!(state.rows["192.0.2.1"].since, since, "{now}");
    }
    assert_eq!(state.history.iter().map(|seen| seen.at).collect::<Vec<_>>(), [1000.0, 2000.0, 3000.0]);
    state.remember(&evidence(2500.0, Some(7), 0.2), &judgement(Verdict::Ok, 0.0));
    let after_clock_was_set_back: Vec<_> = state.history.iter().map(|seen| seen.at).collect();
    assert_eq!(after_clock_was_set_back, [1000.0, 2000.0, 2500.0]);
}

/// A suspended host, or a clock that was set forward: the daemon has not had the time to ask anybody.
#[test]
fn a_row_ages_by_the_clock_that_nobody_sets() {
    let mut state = State::default();
    for (now, ticks, since) in [(1000.0, 50.0, 50.0), (9000.0, 60.0, 50.0), (9100.0, 40.0, 40.0)] {
        let looked = Evidence { ticks, ..evidence(now, Some(7), 0.1) };
        state.remember(&looked, &judgement(Verdict::Ok, 0.0));
        assert_eq!(state.rows["192.0.2.1"].since, since, "{now}");
    }
}

#[test]
fn records_of_the_future_are_dropped() {
    let mut state = State::default();
    state.note_restart(&moment(9000.0), None);
    state.note_restart(&Moment { ticks: None, ..moment(9000.0) }, None);
    // The clock was set back: the clock that nobody sets knows of one of them that it was 50 s ago.
    let back = Evidence { ticks: 9050.0, ..evidence(1000.0, Some(7), 0.1) };
    state.remember(&back, &judgement(Verdict::Blocked, 0.1));
    assert_eq!(state.restarts.iter().map(|restart| restart.at).collect::<Vec<_>>(), [950.0]);
    state.blocked_since = Some(5000.0);
    state.restarts[0] = Restart { at: 94_608_000.0, ticks: None, ..state.restarts[0].clone() };
    state.remember(&evidence(1100.0, Some(7), 0.1), &judgement(Verdict::Blocked, 0.1));
    assert_eq!((state.restarts.len(), state.blocked_since), (0, Some(1100.0)));
}

/// What was blocked before a suspend, and is so after it, was not watched being blocked in between.
#[test]
fn only_watched_time_counts() {
    let mut state = State::default();
    let looks = [
        (1000.0, 1000.0, 0.0),
        (1300.0, 1300.0, 300.0),
        (30_000.0, 1400.0, 300.0),
        (30_200.0, 1600.0, 500.0),
    ];
    for (now, ticks, watched) in looks {
        let looked = Evidence { ticks, ..evidence(now, Some(7), 0.1) };
        state.remember(&looked, &judgement(Verdict::Blocked, 0.1));
        assert_eq!((state.blocked_since, state.blocked_for), (Some(1000.0), watched), "{now}");
        assert_eq!(state.rows["192.0.2.1"].watched, watched, "{now}");
    }
    for (now, verdict, stuck_for) in [
        (30_500.0, Verdict::Stuck, Some(0.0)),
        (30_800.0, Verdict::Stuck, Some(300.0)),
        (31_100.0, Verdict::Offset, None),
    ] {
        let looked = Evidence { ticks: now - 28_600.0, ..evidence(now, Some(7), 0.1) };
        state.remember(&looked, &judgement(verdict, 0.1));
        assert_eq!((state.blocked_for, state.stuck_for), (0.0, stuck_for), "{now}");
    }
}

/// Rows stand still together where the daemon did not run.
#[test]
fn a_row_is_passed_where_others_get_replies() {
    let report = |delays: [f64; 2]| {
        let peer = |(last, delay): (usize, f64)| Peer {
            address: Some(format!("192.0.2.{last}")),
            sample: Some(Sample { offset: 0.0, delay, jitter: 0.001 }),
            ..Peer::default()
        };
        Report { peers: delays.into_iter().enumerate().map(peer).collect(), ..Report::default() }
    };
    let mut state = State::default();
    for (look, (delays, passed)) in
        [([0.01, 0.02], 0), ([0.01, 0.02], 0), ([0.01, 0.03], 1), ([0.01, 0.04], 2), ([0.02, 0.04], 0)]
            .into_iter()
            .enumerate()
    {
        let now = 1000.0 + 300.0 * look as f64;
        let looked = Evidence::of_source(now, Source::Openntpd(report(delays)));
        state.remember(&looked, &judgement(Verdict::Ok, 0.0));
        assert_eq!(state.rows["192.0.2.0"].passed, passed, "{look}");
    }
}

#[test]
fn blocked_since_survives_what_could_not_be_seen() {
    let mut state = State::default();
    let steps = [
        (1000.0, Verdict::Blocked, Some(1000.0)),
        (2000.0, Verdict::NoPermission, Some(1000.0)),
        (3000.0, Verdict::Blocked, Some(1000.0)),
        (4000.0, Verdict::Ok, None),
    ];
    for (now, verdict, since) in steps {
        state.remember(&evidence(now, None, 0.0), &judgement(verdict, 0.0));
        assert_eq!(state.blocked_since, since, "{now}");
    }
}

#[test]
fn the_next_run_says_whether_a_restart_helped() {
    let cases = [
        (600.0, Verdict::Blocked, 0.9, Some(false)),
        (600.0, Verdict::Starting, 0.9, None),
        (600.0, Verdict::Slewing, 0.5, Some(true)),
        (600.0, Verdict::Offset, 0.95, None),
        (1099.0, Verdict::Offset, 0.95, None),
        (1101.0, Verdict::Offset, 0.95, Some(false)),
        (60.0, Verdict::Ok, 0.001, Some(true)),
    ];
    for (later, verdict, error, helped) in cases {
        let mut state = State::default();
        state.note_restart(&moment(1000.0), Some(-1.0));
        state.remember(&evidence(1000.0 + later, Some(8), error), &judgement(verdict, error));
        assert_eq!(state.restarts.last().unwrap().helped, helped, "{verdict:?} after {later} s");
    }
}

#[test]
fn history_is_bounded() {
    let mut state = State::default();
    for run in 0..10_000 {
        state.remember(&evidence(f64::from(run) * 60.0, None, 0.0), &judgement(Verdict::Ok, 0.0));
        state.note_restart(&moment(f64::from(run)), None);
    }
    assert_eq!((state.history.len(), state.restarts.len()), (KEPT, RESTARTS));
    let (a, b) = (&state.history[0], &state.history[1]);
    assert_eq!(b.at - a.at, SPACING);
}
