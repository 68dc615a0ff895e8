// SPDX-License-Identifier: GPL-3.0-or-later

//! A thousand days of hosts on which everything happens but the one thing that a restart cures, with `repair` on: no daemon is ever
//! restarted. And hosts on which that one thing happens: it is named at the next look. Every day has a seed and is the same again.

mod daemon;
mod host;
mod random;

use host::{Host, Seen};
use ntpd_check::verdict::{Severity, Verdict};

const DAY: f64 = 86_400.0;

/// Cron's five minutes.
const EVERY: f64 = 300.0;

/// Something that is no fault of the daemon.
fn mishap(host: &mut Host) -> String {
    let long = |host: &mut Host| {
        [40.0, 200.0, 900.0, 4000.0, 30_000.0][host.random.below(5)] * host.random.between(0.5, 1.5)
    };
    let seconds = long(host);
    match host.random.below(9) {
        0 => {
            host.suspend(seconds);
            format!("suspended for {seconds:.0} s")
        }
        1 | 2 => {
            host.pause(seconds);
            format!("paused for {seconds:.0} s")
        }
        3 => {
            host.freeze(seconds);
            format!("frozen for {seconds:.0} s")
        }
        4 => {
            let sizes = [0.06, 0.3, 1.0, 30.0, 3600.0];
            let size = sizes[host.random.below(5)] * if host.random.chance(0.5) { 1.0 } else { -1.0 };
            host.step(size);
            format!("set by {size} s")
        }
        5 => {
            let who = host.random.below(host.servers.len());
            host.servers[who].silent_until = host.t + seconds;
            format!("server {who} silent for {seconds:.0} s")
        }
        6 => {
            let until = host.t + seconds;
            host.servers.iter_mut().for_each(|server| server.silent_until = until);
            format!("network down for {seconds:.0} s")
        }
        7 => {
            let who = host.random.below(host.servers.len());
            host.servers[who].offset = host.random.between(-0.6, 0.6);
            format!("server {who} lies")
        }
        _ => {
            host.restart();
            "restarted by somebody".to_owned()
        }
    }
}

/// The times of the looks of a day: each five minutes, seconds late, some left out, at times none for hours.
fn after(host: &mut Host) -> f64 {
    let late = host.random.between(0.0, 20.0);
    let skipped = match host.random.below(100) {
        0 => host.random.between(6.0, 60.0).floor(),
        1..5 => 1.0,
        _ => 0.0,
    };
    EVERY * (1.0 + skipped) + late
}

fn told(seed: u64, log: &[String], seen: &Seen) -> String {
    let Seen { judgement, refused, .. } = seen;
    format!("day {seed}: {:?} {:?}, refused {refused:?}, after {log:?}", judgement.verdict, judgement.reasons)
}

/// A day on which the daemon is healthy, whatever happens to its host.
fn healthy_day(seed: u64) -> Result<(), String> {
    let mut host = Host::new(seed);
    let end = host.t + DAY;
    let calm = host.random.chance(0.3);
    let mut next = host.t + if calm { 2.0 * DAY } else { host.random.between(600.0, 20_000.0) };
    let mut log = Vec::new();
    while host.t < end {
        let pause = after(&mut host);
        let mut until = host.t + pause;
        if next < until {
            host.run(next.max(host.t));
            log.push(format!("{:.0} s: {}", host.t - (end - DAY), mishap(&mut host)));
            next = host.t + host.random.between(600.0, 40_000.0);
            // Cron runs what it has missed as soon as the host is back.
            let soon = host.random.between(0.0, 60.0);
            until = if host.random.chance(0.6) { host.t + soon } else { until.max(host.t) };
        }
        host.run(until);
        let seen = host.look();
        if seen.restart || matches!(seen.judgement.verdict, Verdict::Blocked | Verdict::Stuck) {
            return Err(told(seed, &log, &seen));
        }
    }
    Ok(())
}

/// A day on which a valid peer answers with an alarm: the look that follows its first such answer names it.
fn blocked_day(seed: u64) -> Result<bool, String> {
    let mut host = Host::new(seed);
    let begin = host.t;
    let who = host.random.below(host.servers.len());
    let from = begin + host.random.between(1500.0, 40_000.0);
    let mut restarted = false;
    while host.t < begin + DAY {
        let pause = after(&mut host);
        let until = host.t + pause;
        host.run(until);
        if host.t > from && !host.servers[who].alarm && host.ntpd.is_valid(who) {
            host.servers[who].alarm = true;
            // The clock goes wrong meanwhile.
            host.step(-0.9);
        }
        let blocking = host.ntpd.blocked_by();
        let seen = host.look();
        let named = seen.judgement.verdict == Verdict::Blocked && seen.judgement.blocking_peers == blocking;
        if !blocking.is_empty() && !named {
            return Err(told(seed, &blocking, &seen));
        }
        if seen.restart && blocking.is_empty() {
            return Err(told(seed, &["restarted without a block".to_owned()], &seen));
        }
        restarted |= seen.restart;
    }
    Ok(restarted)
}

/// A day of a daemon that may not set a clock that is so far off, probes answered at some looks: what is told from its first minutes on.
fn powerless_day(seed: u64) -> Result<bool, String> {
    let mut host = Host::new(seed);
    host.ntpd.may_set = false;
    host.error = [0.3, 2.0, 40.0, 61.0, 5000.0][host.random.below(5)];
    let (begin, answered) = (host.t, [0.0, 0.5, 1.0][host.random.below(3)]);
    let mut told_far = false;
    while host.t < begin + DAY {
        let until = host.t + after(&mut host);
        host.run(until);
        host.probes = host.random.chance(answered);
        let seen = host.look();
        let Seen { judgement, .. } = &seen;
        let same = judgement.verdict == Verdict::Unsynced && judgement.severity == Severity::Critical;
        let named = || judgement.reasons[0].starts_with("the daemon may not set the clock");
        if host.t > begin + 900.0 && !(same && named()) {
            return Err(told(seed, &[format!("{} s off", host.error)], &seen));
        }
        told_far |= judgement.notes.iter().any(|note| note.starts_with("at this look its rows show up to"));
    }
    Ok(told_far)
}

/// `SIMULATED_DAY=464 cargo test --test simulation` repeats one day.
fn days(count: u64, day: impl Fn(u64) -> Result<bool, String> + Sync) -> (usize, Vec<String>) {
    let one: Option<u64> = std::env::var("SIMULATED_DAY").ok().and_then(|day| day.parse().ok());
    let part =
        |part: u64| (0..count).filter(move |seed| seed % 2 == part && one.is_none_or(|one| one == *seed));
    let results: Vec<Result<bool, String>> = std::thread::scope(|scope| {
        let day = &day;
        let halves = [0, 1].map(|half| scope.spawn(move || part(half).map(day).collect::<Vec<_>>()));
        halves
            .into_iter()
            .flat_map(|half| half.join().unwrap_or_else(|_| vec![Err("panicked".to_owned())]))
            .collect()
    });
    let yes = results.iter().filter(|result| matches!(result, Ok(true))).count();
    (yes, results.into_iter().filter_map(Result::err).collect())
}

#[test]
fn no_healthy_daemon_is_ever_restarted() {
    let (_, harmed) = days(1000, |seed| healthy_day(seed).map(|()| true));
    assert!(harmed.is_empty(), "{} days: {}", harmed.len(), harmed.join("\n"));
}

#[test]
fn every_blocked_daemon_is_named_at_the_next_look() {
    let (restarted, missed) = days(200, |seed| blocked_day(1_000_000 + seed));
    assert!(missed.is_empty(), "{} days: {}", missed.len(), missed.join("\n"));
    let whole = std::env::var("SIMULATED_DAY").is_err();
    assert!(
        restarted > 100 || !whole,
        "a restart is the cure on most of these days, and was made on {restarted}"
    );
}

#[test]
fn a_daemon_that_may_not_set_the_clock_is_the_same_at_every_look() {
    let (told_far, changed) = days(100, |seed| powerless_day(2_000_000 + seed));
    assert!(changed.is_empty(), "{} days: {}", changed.len(), changed.join("\n"));
    assert!(
        told_far == 100 || std::env::var("SIMULATED_DAY").is_ok(),
        "the rows were told of on {told_far} days"
    );
}
