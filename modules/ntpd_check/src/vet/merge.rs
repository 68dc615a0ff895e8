// SPDX-License-Identifier: GPL-3.0-or-later

//! From addresses to names: a name is as good as the worst address that it stands for, and a server with two names is one.

use std::collections::BTreeSet;

use super::Vetted;
use crate::probe::{Probed, Problem};

/// A name that was asked for, with the positions of its addresses among the probes.
pub(super) struct Name<'a> {
    pub(super) server: &'a str,
    pub(super) probes: Vec<usize>,
}

/// The names in their order. The same one twice is one: case and a trailing dot make no other.
pub(super) fn names(probes: &[Probed]) -> Vec<Name<'_>> {
    let plain = |server: &str| server.trim().trim_end_matches('.').to_lowercase();
    let mut names: Vec<Name<'_>> = Vec::new();
    for (at, probe) in probes.iter().enumerate() {
        let known = names.iter_mut().find(|name| plain(name.server) == plain(&probe.server));
        match known {
            // The same name was resolved twice: its addresses are there already.
            Some(name) if name.probes.iter().any(|&other| same_server(&probes[other], probe)) => (),
            Some(name) => name.probes.push(at),
            None => names.push(Name { server: &probe.server, probes: vec![at] }),
        }
    }
    names
}

/// What makes a server itself: address and port.
pub(super) fn identity(probe: &Probed) -> String {
    let port = match probe.server.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => port,
        _ => "123",
    };
    format!("{} {port}", probe.address.as_deref().unwrap_or(&probe.server))
}

fn same_server(one: &Probed, other: &Probed) -> bool {
    identity(one) == identity(other)
}

/// Nobody was there: a daemon takes the next address of the name. Everything else that is wrong is wrong with the server.
fn absent(probe: &Probed) -> bool {
    let nobody = |problem: &Problem| {
        matches!(problem, Problem::Unresolved(_) | Problem::Refused | Problem::Silent | Problem::Network(_))
    };
    probe.answers.is_empty() && probe.problem.as_ref().is_none_or(nobody)
}

/// One verdict for each name, from those of its addresses: `looked` of `probes`.
pub(super) fn by_name(names: &[Name<'_>], probes: &[Probed], looked: &[Vetted]) -> Vec<Vetted> {
    let mut taken: Vec<(&str, BTreeSet<String>)> = Vec::new();
    let mut merged = Vec::new();
    for name in names {
        let addresses: BTreeSet<String> = name.probes.iter().map(|&at| identity(&probes[at])).collect();
        let mut one = of_name(name, probes, looked);
        let twin = taken.iter().find(|(_, theirs)| addresses.is_subset(theirs));
        if let Some((other, _)) = twin.filter(|_| one.accepted) {
            one.accepted = false;
            one.reason = Some(format!("the same server as {other}"));
        }
        if one.accepted {
            taken.push((name.server, addresses));
        }
        merged.push(one);
    }
    merged
}

fn of_name(name: &Name<'_>, probes: &[Probed], looked: &[Vetted]) -> Vetted {
    let here: Vec<usize> = name.probes.iter().copied().filter(|&at| !absent(&probes[at])).collect();
    let worst = here.iter().find(|&&at| !looked[at].accepted);
    let score = |at: &&usize| looked[**at].score.unwrap_or(f64::INFINITY);
    let best = here.iter().min_by(|a, b| score(a).total_cmp(&score(b)));
    let Some(&shown) = worst.or(best).or(name.probes.first()) else {
        // A name without a probe is never made.
        return looked[0].clone();
    };
    let mut one = looked[shown].clone();
    one.server = name.server.to_owned();
    if name.probes.len() > 1
        && let (Some(reason), Some(address)) = (&one.reason, &one.address)
    {
        one.reason = Some(format!("{address}: {reason}"));
    }
    one
}

/// What to know of a name some of whose addresses are not there.
pub(super) fn note_absent(names: &[Name<'_>], probes: &[Probed], vetted: &mut [Vetted]) {
    for (name, one) in names.iter().zip(vetted) {
        let gone = name.probes.iter().map(|&at| &probes[at]).filter(|probe| absent(probe));
        let gone: Vec<_> = gone.filter_map(|probe| probe.address.as_deref()).collect();
        if one.accepted && !gone.is_empty() {
            let note = format!("nobody answers at {}", gone.join(", "));
            one.reason = Some(one.reason.take().map_or(note.clone(), |reason| format!("{reason}; {note}")));
        }
    }
}
