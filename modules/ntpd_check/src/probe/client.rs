// SPDX-License-Identifier: GPL-3.0-or-later

//! All servers at once on one thread: rounds of queries, each with a deadline that no server can move.

use std::os::fd::AsFd;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::target::Target;
use super::{Probed, Sampling};

/// Asks every server, in rounds.
///
/// # Errors
/// Only where this host itself fails: no random numbers, no poll(2). What servers do is in the result.
pub fn probe(servers: &[String], sampling: Sampling) -> Result<Vec<Probed>> {
    ask(servers.iter().map(|server| Target::new(server)).collect(), sampling)
}

/// Asks every address of every server, in rounds.
///
/// # Errors
/// As [`probe`].
pub fn probe_all(servers: &[String], sampling: Sampling) -> Result<Vec<Probed>> {
    ask(servers.iter().flat_map(|server| Target::all(server)).collect(), sampling)
}

fn ask(mut targets: Vec<Target>, sampling: Sampling) -> Result<Vec<Probed>> {
    for round in 0..sampling.samples {
        if !targets.iter().any(Target::can_be_asked) {
            break;
        }
        if round > 0 {
            thread::sleep(sampling.interval);
        }
        for target in &mut targets {
            target.ask()?;
        }
        wait(&mut targets, Instant::now() + sampling.timeout)?;
    }
    Ok(targets.into_iter().map(|target| target.result).collect())
}

fn wait(targets: &mut [Target], deadline: Instant) -> Result<()> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || !targets.iter().any(Target::waits) {
            targets.iter_mut().for_each(Target::give_up);
            return Ok(());
        }
        // Rounded up: a wait of 0 ms for the last fraction would spin.
        let millis = i32::try_from(left.as_millis()).unwrap_or(i32::MAX - 1) + 1;
        let timeout = PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX);
        let waiting =
            targets.iter().filter(|target| target.waits()).filter_map(|target| target.socket.as_ref());
        let mut sockets: Vec<_> =
            waiting.map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN)).collect();
        match poll(&mut sockets, timeout) {
            Ok(_) | Err(Errno::EINTR) => (),
            Err(error) => return Err(error).context("waiting for NTP answers"),
        }
        drop(sockets);
        targets.iter_mut().for_each(Target::receive);
    }
}
