// SPDX-License-Identifier: GPL-3.0-or-later

//! What memory and probes add to the clocks of public reports.

use super::*;

macro_rules! report {
    ($name:literal) => {
        evidence(include_str!(concat!("../../../../../tests/fixtures/clocks/", $name, ".txt")))
    };
}

fn probes(servers: &[u8], offset: f64) -> Vec<Probed> {
    servers.iter().map(|last| probed(&format!("10.99.0.{last}"), offset)).collect()
}

/// Looks every five minutes at the same error, up to now.
fn steady(error: f64, looks: u32) -> Vec<Snapshot> {
    (1..=looks).rev().map(|look| seen(300.0 * f64::from(look), error)).collect()
}

#[test]
fn rows_and_probes_that_contradict_each_other_are_never_ok() {
    let mut case = report!("A-rows-984");
    case.probes = probes(&[1, 2], 0.0);
    assert_eq!(said(&case), (Verdict::Discordant, Severity::Critical));
    assert!((judged(&case).clock.clock_error.unwrap() + 0.985).abs() < 0.001, "two do not outvote four");
    // Four servers that follow one source are one.
    case.probes = probes(&[1, 2, 3, 4], 0.0);
    for probe in &mut case.probes {
        probe.answers[0].refid = "198.51.100.9".into();
    }
    assert_eq!(said(&case), (Verdict::Discordant, Severity::Critical));
    // Of a clock that nobody has in common they are four.
    for probe in &mut case.probes {
        probe.answers[0].refid = "71.80.83.0".into();
    }
    assert_eq!(judged(&case).clock.clock_error, Some(0.0));
    assert_eq!(said(&case), (Verdict::Discordant, Severity::Warning));
    let mut fine = report!("B-rows-ok");
    fine.probes = probes(&[1], 0.6);
    assert_eq!(said(&fine), (Verdict::Discordant, Severity::Warning));
    fine.probes = probes(&[1, 2, 3, 4], 0.6);
    assert_eq!(said(&fine), (Verdict::Offset, Severity::Critical));
    fine.probes = probes(&[1, 2, 3, 4], 0.001);
    assert_eq!(said(&fine), (Verdict::Ok, Severity::Ok));
}

#[test]
fn an_incident_stays_critical_where_probed_servers_missed_the_leap_too() {
    let mut case = report!("A4-rows-blocked");
    for answering in [&[1, 2][..], &[1, 2, 3]] {
        case.probes = probes(answering, 0.0);
        assert_eq!(said(&case), (Verdict::Blocked, Severity::Critical), "{answering:?}");
    }
}

#[test]
fn nothing_is_frozen_after_a_suspend_a_pause_or_a_gap() {
    let mut case = report!("B-rows-ok");
    let Source::Openntpd(report) = &case.source else { panic!() };
    let row = |peer: &crate::report::Peer| Row {
        sample: peer.sample.unwrap(),
        since: 0.0,
        watched: 0.0,
        passed: 9,
    };
    case.state.rows = report.peers.iter().map(|peer| (peer.label().to_owned(), row(peer))).collect();
    let last = |ago: f64, slept: f64| crate::moment::Moment {
        at: NOW - ago,
        ticks: Some(NOW - ago + slept),
        boot: None,
    };
    for (name, ago, slept) in
        [("suspend", 28_800.0, 28_790.0), ("gap", 28_800.0, 0.0), ("set forward", 3900.0, 3600.0)]
    {
        case.state.looked = Some(last(ago, slept));
        case.state.history = vec![Snapshot { ticks: Some(NOW - ago + slept), ..seen(ago, 0.0002) }];
        assert_eq!(said(&case), (Verdict::Ok, Severity::Ok), "{name}");
        assert!(judged(&case).notes.iter().any(|note| note.starts_with("the last look was")), "{name}");
    }
}

#[test]
fn sensors_are_judged_by_the_status_line_alone() {
    for (text, verdict) in [
        ("1/1 sensors valid, clock synced, stratum 1\n", Verdict::Ok),
        ("0/1 sensors valid, clock synced, stratum 1\n", Verdict::Unsynced),
        ("0/2 sensors valid, clock unsynced\n", Verdict::Unsynced),
    ] {
        assert_eq!(judged(&evidence(text)).verdict, verdict, "{text}");
    }
}

#[test]
fn two_camps_are_never_stuck() {
    let mut case = report!("G-two-camps");
    case.state.history = steady(-0.44, 12);
    case.adjusted_ago = Some(20_000.0);
    assert_eq!(said(&case), (Verdict::NoMajority, Severity::Warning));
}

#[test]
fn a_first_look_never_says_stuck_and_the_longest_poll_counts() {
    let mut case = report!("H-polls-just-shortened");
    case.adjusted_ago = Some(10_800.0);
    assert_eq!(said(&case), (Verdict::Offset, Severity::Warning));
    case.state.history = steady(0.12, 35);
    for look in &mut case.state.history {
        look.poll = Some(1650);
    }
    assert_eq!(said(&case), (Verdict::Offset, Severity::Warning));
    case.state.history = steady(0.12, 3);
    assert_eq!(said(&case), (Verdict::Stuck, Severity::Critical), "at these polls it has had its time");
}

#[test]
fn a_clock_that_changes_sides_or_runs_away_is_not_stuck() {
    let mut case = report!("O-minus300");
    for (before, verdict) in [
        (0.3, Verdict::Offset),
        (-0.3, Verdict::Stuck),
        (-0.29, Verdict::Stuck),
        // Somebody has moved it.
        (1.3, Verdict::Offset),
        (5.0, Verdict::Offset),
        (-5.0, Verdict::Offset),
        (0.9, Verdict::Offset),
    ] {
        case.state.history = vec![seen(1200.0, before)];
        assert_eq!(judged(&case).verdict, verdict, "{before}");
    }
}

/// In a container the engine has the same process id after every start.
#[test]
fn another_start_with_the_same_process_id_is_another_daemon() {
    let mut case = report!("O-minus300");
    case.state.history = vec![seen(1500.0, -0.3)];
    assert_eq!(judged(&case).verdict, Verdict::Stuck);
    case.uptime = Some(1400.0);
    assert_eq!(judged(&case).verdict, Verdict::Offset);
    case.state.history[0].uptime = Some(50.0);
    assert_eq!(judged(&case).verdict, Verdict::Offset);
}

#[test]
fn a_start_that_is_one_of_many_is_a_restart_loop() {
    let mut case = report!("N-nocap-4min");
    case.uptime = Some(30.0);
    assert_eq!(said(&case), (Verdict::Starting, Severity::Ok));
    let look = |ago: f64, pid: u32| Snapshot {
        pid: Some(pid),
        synced: Some(false),
        uptime: None,
        ..seen(ago, 240.1)
    };
    case.state.history = vec![look(259_200.0, 931), look(86_400.0, 931), look(7200.0, 930)];
    assert_eq!(said(&case), (Verdict::Unsynced, Severity::Critical));
    assert!(judged(&case).reasons[0].starts_with("restart loop: "), "{:?}", judged(&case).reasons);
    case.state.history[2].synced = Some(true);
    assert_eq!(said(&case), (Verdict::Starting, Severity::Ok), "it was well two hours ago");
    // A host that was shut down while its daemon started.
    case.state.history = vec![look(86_700.0, 931), look(86_400.0, 931)];
    assert_eq!(said(&case), (Verdict::Starting, Severity::Ok));
}

#[test]
fn memory_ends_a_start_whose_time_is_unknown() {
    let mut case = report!("N-nocap-4min");
    (case.uptime, case.pid) = (None, None);
    assert_eq!(judged(&case).verdict, Verdict::Starting);
    case.state.history = steady(0.0, 4);
    for look in &mut case.state.history {
        (look.synced, look.pid, look.uptime) = (Some(false), None, None);
    }
    assert_eq!(said(&case), (Verdict::Unsynced, Severity::Critical));
}

#[test]
fn somebody_else_who_sets_the_clock_is_named() {
    let mut case = report!("B-rows-ok");
    case.rivals = vec!["chronyd (process 77)".to_owned()];
    assert_eq!(said(&case), (Verdict::Contested, Severity::Warning));
    case.rivals.clear();
    case.boot = Some(NOW);
    let stepped = |ago: f64, by: f64| Snapshot { boot: Some(NOW - ago - by), ..seen(ago, 0.0) };
    case.state.history = vec![stepped(300.0, 3600.0)];
    assert_eq!(said(&case), (Verdict::Ok, Severity::Ok));
    assert!(
        judged(&case).notes[0].starts_with("somebody has set the clock by -3600 s"),
        "{:?}",
        judged(&case).notes
    );
    case.state.history.insert(0, stepped(600.0, 7200.0));
    assert_eq!(said(&case), (Verdict::Contested, Severity::Warning), "twice");
    case.state.history = vec![stepped(600.0, 0.0), stepped(300.0, 0.0)];
    assert_eq!(said(&case), (Verdict::Ok, Severity::Ok));
}
