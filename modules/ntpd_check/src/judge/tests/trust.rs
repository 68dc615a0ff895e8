// SPDX-License-Identifier: GPL-3.0-or-later

//! Whose word counts where no group of peers is a majority.

use super::*;

/// As many peers at a poll of 32 s as there are `offsets` (ms), each exact to 5 ms, and the daemon says synced.
fn peers(offsets: &[f64]) -> Evidence {
    let count = offsets.len();
    let mut text = format!(
        "{count}/{count} peers valid, clock synced, stratum 3\n\npeer\n   \
         wt tl st  next  poll          offset       delay      jitter\n"
    );
    for (at, offset) in offsets.iter().enumerate() {
        text += &format!("192.0.2.{at} \n    1 10  2    6s   32s  {offset:12.3}ms     0.400ms     0.100ms\n");
    }
    evidence(&text)
}

#[test]
fn exact_peers_a_little_apart_are_believed_about_a_clock_that_is_far_off() {
    let wrong = peers(&[300.0, 314.0, 328.0, 342.0]);
    assert_eq!(judged(&wrong).clock.majority, None, "no two of these intervals overlap");
    assert_eq!(said(&wrong), (Verdict::Offset, Severity::Critical));
    let right = peers(&[-14.0, 0.0, 14.0, 28.0]);
    assert_eq!(said(&right), (Verdict::Ok, Severity::Ok));
}

#[test]
fn nobody_can_tell_that_a_clock_is_stuck_between_two_camps() {
    let mut torn = peers(&[0.0, 0.1, 300.0, 300.1]);
    torn.state.history = vec![seen(700.0, 0.15)];
    assert_eq!(said(&torn), (Verdict::NoMajority, Severity::Warning));
    let mut off = peers(&[150.0, 150.1, 150.2, 150.3]);
    off.state.history = vec![seen(700.0, 0.15)];
    assert_eq!(said(&off), (Verdict::Stuck, Severity::Critical));
}

/// Two servers that agree with each other are not a majority of four.
#[test]
fn probes_outweigh_the_daemon_only_where_they_are_most_of_its_peers() {
    let mut right = peers(&[0.0, 0.1, 0.2, 0.3]);
    right.probes = vec![probed("192.0.2.0", 0.9), probed("192.0.2.1", 0.9)];
    assert_eq!(said(&right), (Verdict::Discordant, Severity::Warning), "never ok, whoever is right");
    assert!(judged(&right).clock.clock_error.unwrap() < 0.001);
    right.probes.push(probed("192.0.2.2", 0.9));
    assert_eq!(said(&right), (Verdict::Offset, Severity::Critical));
    assert_eq!(judged(&right).notes, ["direct probes refute ntpctl: 900.0 ms against 0.2 ms"]);
}

/// After a step of the clock, rows show what was so before it, each until its server is asked again.
#[test]
fn a_server_whose_row_is_stale_does_not_lie() {
    let mut off = peers(&[900.0, 900.1, 900.2, -600.0]);
    assert_eq!(said(&off), (Verdict::Discordant, Severity::Critical));
    off.probes = (0..4).map(|at| probed(&format!("192.0.2.{at}"), 0.9)).collect();
    assert_eq!(said(&off), (Verdict::Offset, Severity::Critical));
    assert!(judged(&off).falsetickers.is_empty());
    off.probes[3] = probed("192.0.2.3", -0.6);
    assert_eq!(said(&off), (Verdict::Discordant, Severity::Critical));
    assert_eq!(judged(&off).falsetickers, ["192.0.2.3"]);
}

/// 7.9 on Linux shows wild offsets while it slews: a look with probes does not measure one without.
#[test]
fn what_the_daemon_showed_is_not_compared_with_what_probes_measure() {
    let mut slewing = peers(&[-560.0, -560.1, -560.2]);
    slewing.probes = vec![probed("192.0.2.0", -0.56), probed("192.0.2.1", -0.56)];
    slewing.state.history = vec![seen(700.0, -0.3)];
    assert_eq!(said(&slewing), (Verdict::Offset, Severity::Critical));
    let measured = |error| Snapshot { error_source: Some(ErrorSource::Probes), ..seen(700.0, error) };
    for (before, verdict) in [(-0.56, Verdict::Stuck), (-0.86, Verdict::Slewing)] {
        slewing.state.history = vec![measured(before), seen(650.0, -9.0)];
        assert_eq!(judged(&slewing).verdict, verdict, "{before}");
    }
}

/// Rows and probes may agree as a whole while one server says something else than its row, or half of them do.
#[test]
fn a_row_that_its_own_server_refutes_is_never_ok() {
    let steady = || peers(&[0.0, 0.1, 0.2, 0.3]);
    let with = |offsets: &[f64]| {
        let mut evidence = steady();
        let probe = |(at, offset): (usize, &f64)| probed(&format!("192.0.2.{at}"), *offset);
        evidence.probes = offsets.iter().enumerate().map(probe).collect();
        evidence
    };
    for offsets in [[0.6, 0.0, 0.0, 0.0], [0.6, 0.6, 0.0, 0.0], [-0.2, 0.3, 0.0, 0.0]] {
        assert_eq!(said(&with(&offsets)), (Verdict::Discordant, Severity::Warning), "{offsets:?}");
    }
    let found = judged(&with(&[0.0, 0.0, -0.6, 0.0]));
    assert_eq!(found.reasons, ["direct probes refute ntpctl about 192.0.2.2 (-600.0 ms against 0.2 ms)"]);
    assert_eq!(said(&with(&[0.0, 0.02, -0.02, 0.0])), (Verdict::Ok, Severity::Ok), "the network");
    let mut slewing = with(&[0.3, 0.3, 0.3, 0.3]);
    if let Source::Openntpd(report) = &mut slewing.source {
        report.status.as_mut().unwrap().pending = Some(0.3);
        report.status.as_mut().unwrap().synced = false;
    }
    assert_eq!(judged(&slewing).verdict, Verdict::Slewing, "rows are shifted by what is still to come");
}
