// SPDX-License-Identifier: GPL-3.0-or-later

//! A peer of either daemon as the outputs show it.

use serde::Serialize;

use super::Outcome;
use crate::chrony::ChronySource;
use crate::evidence::Source;
use crate::report::Peer;

/// One peer; times in seconds, absent is never 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PeerView {
    /// Address, or the name of one that was never resolved.
    pub peer: String,
    /// Configured name, if any.
    pub name: Option<String>,
    /// Whether the name is a pool.
    pub pool: bool,
    /// Whether the daemon uses it.
    pub valid: bool,
    /// Whether the daemon follows it.
    pub selected: bool,
    /// Whether the daemon waits for it in vain.
    pub blocking: bool,
    /// Whether it contradicts the majority.
    pub falseticker: bool,
    /// As announced.
    pub stratum: Option<u32>,
    /// OpenNTPD's weight.
    pub weight: Option<u32>,
    /// OpenNTPD's trust level, 2 to 10.
    pub trust: Option<u32>,
    /// Until the next query.
    pub next: Option<i64>,
    /// Between queries.
    pub poll: f64,
    /// Peer minus local clock.
    pub offset: Option<f64>,
    /// Round trip.
    pub delay: Option<f64>,
    /// Spread of the round trips.
    pub jitter: Option<f64>,
    /// Half width of its interval of correctness, as chrony says.
    pub dispersion: Option<f64>,
    /// Share of the last eight queries that were answered, as chrony says.
    pub reach: Option<f64>,
}

impl PeerView {
    /// All peers of an outcome, in the daemon's order.
    pub fn all(outcome: &Outcome) -> Vec<Self> {
        match &outcome.observed.evidence.source {
            Source::Openntpd(report) => {
                report.peers.iter().map(|peer| Self::openntpd(peer, outcome)).collect()
            }
            Source::Chrony(report) => report.sources.iter().map(Self::chrony).collect(),
            Source::Failed(_) => Vec::new(),
        }
    }

    fn openntpd(peer: &Peer, outcome: &Outcome) -> Self {
        let label = peer.label().to_owned();
        Self {
            name: peer.name.clone(),
            pool: peer.pool,
            valid: peer.sample.is_some(),
            selected: peer.selected,
            blocking: outcome.judgement.blocking_peers.contains(&label),
            falseticker: outcome.judgement.falsetickers.contains(&label),
            stratum: peer.stratum,
            weight: Some(peer.weight),
            trust: Some(peer.trust),
            next: Some(peer.next),
            poll: peer.poll as f64,
            offset: peer.sample.map(|sample| sample.offset),
            delay: peer.sample.map(|sample| sample.delay),
            jitter: peer.sample.map(|sample| sample.jitter),
            dispersion: None,
            reach: None,
            peer: label,
        }
    }

    fn chrony(source: &ChronySource) -> Self {
        let valid = crate::judge::usable(source);
        Self {
            peer: source.name.clone(),
            name: None,
            pool: false,
            valid,
            selected: source.state == '*',
            blocking: false,
            falseticker: source.state == 'x',
            stratum: Some(source.stratum).filter(|stratum| *stratum > 0),
            weight: None,
            trust: None,
            next: None,
            poll: source.poll,
            offset: valid.then_some(source.offset),
            delay: None,
            jitter: None,
            dispersion: valid.then_some(source.margin),
            reach: source.reach.map(|reach| f64::from(reach.count_ones()) / 8.0),
        }
    }
}
