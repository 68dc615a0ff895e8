// SPDX-License-Identifier: GPL-3.0-or-later

//! Choosing sources: candidates that were sampled are refused with a reason, or ranked. Pure.

mod merge;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::judge::select::{Claim, Majority, majority};
use crate::probe::{Answer, Probed};

/// One more is 16, which is none.
const LAST_STRATUM: u8 = 15;

/// Largest part of queries that may stay without a good answer.
const LOSS: f64 = 0.2;

/// Weight of lost queries in the score, in seconds: losing a fifth is as bad as 200 ms of root distance.
const LOSS_WEIGHT: f64 = 1.0;

/// A candidate and what to think of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vetted {
    /// As it was named.
    pub server: String,
    /// The address that was sampled.
    pub address: Option<String>,
    /// Whether it is fit as a source.
    pub accepted: bool,
    /// Why not, or what to know about it.
    pub reason: Option<String>,
    /// 1 is the best; refused ones have none.
    pub rank: Option<usize>,
    /// Root distance plus twice the spread of offsets plus a penalty for loss, in seconds; less is better.
    pub score: Option<f64>,
    /// Offset of the best sample in seconds.
    pub offset: Option<f64>,
    /// Its round trip in seconds.
    pub delay: Option<f64>,
    /// Its root distance in seconds.
    pub root_distance: Option<f64>,
    /// The stratum that it announces.
    pub stratum: Option<u8>,
    /// What it is synchronised to, as it announces that.
    pub refid: Option<String>,
    /// Part of the queries without a good answer.
    pub loss: f64,
}

/// Judges the samples of all candidates together: one for each address of each name.
pub fn vet(probes: &[Probed]) -> Vec<Vetted> {
    let mut looked: Vec<Vetted> = probes.iter().map(first_look).collect();
    // A server that stands behind several names has one vote.
    let mut seen = BTreeSet::new();
    let voter: Vec<bool> = probes.iter().map(|probe| seen.insert(merge::identity(probe))).collect();
    contradict(&mut looked, &voter);
    odd_leap(&mut looked, probes, &voter);
    let names = merge::names(probes);
    let mut vetted = merge::by_name(&names, probes, &looked);
    rank(&mut vetted);
    merge::note_absent(&names, probes, &mut vetted);
    vetted
}

/// The accepted servers, best first.
pub fn servers(vetted: &[Vetted]) -> Vec<String> {
    let mut accepted: Vec<_> = vetted.iter().filter(|one| one.accepted).collect();
    accepted.sort_by_key(|one| one.rank);
    accepted.into_iter().map(|one| one.server.clone()).collect()
}

fn first_look(probe: &Probed) -> Vetted {
    let lost = f64::from(probe.sent) - probe.answers.len() as f64;
    let loss = if probe.sent == 0 { 1.0 } else { lost / f64::from(probe.sent) };
    let best = probe.best();
    let nearest = probe.answers.iter().map(|answer| answer.root_distance).fold(f64::INFINITY, f64::min);
    let score = best.map(|_| nearest + 2.0 * deviation(&probe.answers) + LOSS_WEIGHT * loss);
    let reason = unfit(probe, best, loss);
    Vetted {
        server: probe.server.clone(),
        address: probe.address.clone(),
        accepted: reason.is_none(),
        reason,
        rank: None,
        score,
        offset: best.map(|answer| answer.offset),
        delay: best.map(|answer| answer.delay),
        root_distance: best.map(|answer| answer.root_distance),
        stratum: best.map(|answer| answer.stratum),
        refid: best.map(|answer| answer.refid.clone()),
        loss,
    }
}

/// Why a candidate is refused by its own answers.
fn unfit(probe: &Probed, best: Option<&Answer>, loss: f64) -> Option<String> {
    let problem = probe.problem.as_ref();
    if probe.answers.is_empty() {
        return Some(problem.map_or("was not asked".to_owned(), ToString::to_string));
    }
    if let Some(refusal) = probe.refusal() {
        return Some(format!("sometimes {refusal}: OpenNTPD would wait for it in vain from then on"));
    }
    if best.is_some_and(|answer| answer.stratum >= LAST_STRATUM) {
        return Some(format!("announces stratum {LAST_STRATUM}: whoever follows it is not synchronised"));
    }
    let why = problem.map_or_else(String::new, |problem| format!(": {problem}"));
    (loss > LOSS).then(|| format!("{:.0} % of the queries failed{why}", loss * 100.0))
}

fn deviation(answers: &[Answer]) -> f64 {
    let count = answers.len() as f64;
    if count < 2.0 {
        return 0.0;
    }
    let mean = answers.iter().map(|answer| answer.offset).sum::<f64>() / count;
    let squares: f64 = answers.iter().map(|answer| (answer.offset - mean).powi(2)).sum();
    (squares / (count - 1.0)).sqrt()
}

/// Refuses those outside the majority interval of all fit candidates, or all of them if there is none.
fn contradict(vetted: &mut [Vetted], voter: &[bool]) {
    let claim = |one: &Vetted| Some(Claim { offset: one.offset?, radius: one.root_distance? });
    let voters = vetted.iter().zip(voter).filter(|(one, votes)| one.accepted && **votes);
    let claims: Vec<Claim> = voters.filter_map(|(one, _)| claim(one)).collect();
    let found = majority(&claims);
    for one in vetted.iter_mut().filter(|one| one.accepted) {
        let outside =
            |found: &Majority| one.offset.is_some_and(|offset| offset < found.low || offset > found.high);
        let reason = match &found {
            None => "the candidates contradict each other and no group has a majority".to_owned(),
            Some(found) if outside(found) => {
                let (low, high) = (found.low * 1000.0, found.high * 1000.0);
                format!("its offset lies outside what the majority agrees on, {low:.1} to {high:.1} ms")
            }
            Some(_) => continue,
        };
        one.accepted = false;
        one.reason = Some(reason);
    }
}

/// A server that announces another leap second than the others will be wrong by one, or smears.
fn odd_leap(vetted: &mut [Vetted], probes: &[Probed], voter: &[bool]) {
    let flag = |probe: &Probed| probe.best().map(|answer| answer.leap);
    let mut votes: BTreeMap<u8, usize> = BTreeMap::new();
    for ((one, probe), counts) in vetted.iter().zip(probes).zip(voter) {
        if let Some(leap) = flag(probe).filter(|_| one.accepted && *counts) {
            *votes.entry(leap).or_default() += 1;
        }
    }
    let total: usize = votes.values().sum();
    let Some((&common, _)) = votes.iter().find(|(_, votes)| **votes * 2 > total) else { return };
    for (one, probe) in vetted.iter_mut().zip(probes) {
        if let Some(leap) = flag(probe).filter(|leap| one.accepted && *leap != common) {
            one.accepted = false;
            one.reason = Some(format!("announces leap indicator {leap}, the majority announces {common}"));
        }
    }
}

/// Best score first; a second server with the same source is not a second opinion and goes to the end.
fn rank(vetted: &mut [Vetted]) {
    let mut order: Vec<&mut Vetted> = vetted.iter_mut().filter(|one| one.accepted).collect();
    order.sort_by(|a, b| a.score.unwrap_or(f64::INFINITY).total_cmp(&b.score.unwrap_or(f64::INFINITY)));
    let mut sources: BTreeMap<String, String> = BTreeMap::new();
    for one in &mut order {
        let Some(refid) = one.refid.clone().filter(|_| one.stratum > Some(1)) else { continue };
        match sources.get(&refid) {
            Some(better) => {
                one.reason = Some(format!("follows the same source {refid} as {better}: no second opinion"))
            }
            None => {
                sources.insert(refid, one.server.clone());
            }
        }
    }
    order.sort_by_key(|one| one.reason.is_some());
    for (at, one) in order.into_iter().enumerate() {
        one.rank = Some(at + 1);
    }
}

#[cfg(test)]
mod tests;
