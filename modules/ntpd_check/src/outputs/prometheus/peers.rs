// SPDX-License-Identifier: GPL-3.0-or-later

//! Metrics of each peer, sensor and probe.

use super::flag;
use super::page::{Labels, Page, unique};
use crate::evidence::Source;
use crate::outputs::{Outcome, PeerView};
use crate::probe::Probed;
use crate::report::Sensor;

/// One metric of a thing: name, help text, value.
type Metric<T> = (&'static str, &'static str, fn(&T) -> Option<f64>);

pub(super) fn all(page: &mut Page, outcome: &Outcome) {
    let peers = PeerView::all(outcome);
    table(page, &peers, peer_labels, &PEERS);
    if let Source::Openntpd(report) = &outcome.observed.evidence.source {
        let labels = |sensor: &Sensor| -> Labels {
            vec![("sensor", sensor.device.clone()), ("refid", sensor.refid.clone())]
        };
        table(page, &report.sensors, labels, &SENSORS);
    }
    let labels = |probed: &Probed| -> Labels { vec![("peer", probed.server.clone())] };
    table(page, &outcome.observed.evidence.probes, labels, &PROBES);
}

/// Every metric of some things; the labels of no two are alike.
fn table<T>(page: &mut Page, things: &[T], labels: impl Fn(&T) -> Labels, metrics: &[Metric<T>]) {
    let labels = unique(things.iter().map(labels).collect());
    for (name, help, value) in metrics {
        let series =
            things.iter().zip(&labels).filter_map(|(thing, labels)| Some((&labels[..], value(thing)?)));
        page.family(name, help, series);
    }
}

/// Two names in ntpd.conf may stand for one address: then the name tells them apart.
fn peer_labels(peer: &PeerView) -> Labels {
    let name = peer.name.clone().unwrap_or_default();
    let pool = if peer.pool { name.clone() } else { String::new() };
    let mut labels = vec![("peer", peer.peer.clone()), ("pool", pool)];
    if !peer.pool && !name.is_empty() && name != peer.peer {
        labels.push(("name", name));
    }
    labels
}

const PEERS: [Metric<PeerView>; 13] = [
    ("peer_valid", "Whether the daemon uses this peer.", |peer| Some(flag(peer.valid))),
    ("peer_offset_seconds", "Peer minus local clock.", |peer| peer.offset),
    ("peer_delay_seconds", "Round trip to the peer.", |peer| peer.delay),
    ("peer_jitter_seconds", "Spread of the round trips.", |peer| peer.jitter),
    (
        "peer_dispersion_seconds",
        "Half width of the peer's interval of correctness, as chrony says.",
        |peer| peer.dispersion,
    ),
    ("peer_reach_ratio", "Share of the last eight queries that were answered, as chrony says.", |peer| {
        peer.reach
    }),
    ("peer_trust_level", "Trust level of OpenNTPD, valid from 6.", |peer| peer.trust.map(f64::from)),
    // 0 s is what the daemon shows while a query is under way.
    ("peer_poll_seconds", "Time between queries.", |peer| Some(peer.poll).filter(|poll| *poll > 0.0)),
    ("peer_next_seconds", "Time until the next query.", |peer| {
        peer.next.filter(|_| peer.poll > 0.0).map(|next| next as f64)
    }),
    ("peer_stratum", "Stratum the peer announces.", |peer| peer.stratum.map(f64::from)),
    ("peer_selected", "Whether the daemon follows this peer.", |peer| Some(flag(peer.selected))),
    ("peer_blocking", "Whether the daemon waits for this peer in vain.", |peer| Some(flag(peer.blocking))),
    ("peer_falseticker", "Whether the peer contradicts the majority.", |peer| Some(flag(peer.falseticker))),
];

const SENSORS: [Metric<Sensor>; 5] = [
    ("sensor_valid", "Whether the daemon uses this hardware clock.", |sensor| {
        Some(flag(sensor.offset.is_some()))
    }),
    ("sensor_offset_seconds", "Hardware clock minus local clock.", |sensor| sensor.offset),
    ("sensor_correction_seconds", "Correction that is configured for it.", |sensor| sensor.correction),
    ("sensor_poll_seconds", "Time between readings.", |sensor| {
        Some(sensor.poll as f64).filter(|poll| *poll > 0.0)
    }),
    ("sensor_selected", "Whether the daemon follows this hardware clock.", |sensor| {
        Some(flag(sensor.selected))
    }),
];

const PROBES: [Metric<Probed>; 4] = [
    ("probe_success", "Whether the peer has given a direct probe a good answer.", |probed| {
        Some(flag(probed.best().is_some()))
    }),
    ("probe_offset_seconds", "Peer minus local clock by a direct probe.", |probed| {
        probed.best().map(|answer| answer.offset)
    }),
    ("probe_delay_seconds", "Round trip of a direct probe.", |probed| {
        probed.best().map(|answer| answer.delay)
    }),
    (
        "probe_root_distance_seconds",
        "Largest error that the chain to the reference clock allows.",
        |probed| probed.best().map(|answer| answer.root_distance),
    ),
];
