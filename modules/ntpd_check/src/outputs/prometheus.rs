// SPDX-License-Identifier: GPL-3.0-or-later

//! A file for the textfile collector of node_exporter: base units, HELP and TYPE for each, no timestamps.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use ansible_module::files::{sweep_for, write_atomically};
use ansible_module::workbench;
use anyhow::Result;

use super::{Outcome, PeerView};
use crate::evidence::Source;
use crate::verdict::Verdict;

/// Far above the time that writing a small file takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Replaces the file in one step, and removes what dead runs left of it; the collector runs as another user and must be able
/// to read it.
///
/// # Errors
/// Where its folder cannot be written.
pub fn write(path: &Path, outcome: &Outcome) -> Result<()> {
    let _lock = workbench::alone_at(path, PATIENCE)?;
    sweep_for(path)?;
    write_atomically(path, 0o644, text(outcome).as_bytes())
}

/// The metrics in text exposition format.
pub fn text(outcome: &Outcome) -> String {
    let mut page = Page::default();
    clock(&mut page, outcome);
    state(&mut page, outcome);
    peers(&mut page, &PeerView::all(outcome));
    page.text
}

fn clock(page: &mut Page, outcome: &Outcome) {
    let clock = &outcome.judgement.clock;
    let flag = |value: bool| if value { 1.0 } else { 0.0 };
    let single = [
        ("clock_synced", "Whether the daemon says that the clock is synced.", clock.synced.map(flag)),
        ("clock_stratum", "Stratum of the daemon.", clock.stratum.map(f64::from)),
        ("clock_error_seconds", "What the clock must be moved by to be right.", clock.clock_error),
        (
            "offset_mean_seconds",
            "Mean offset of all valid peers plus pending slew, absolute.",
            clock.offset_mean,
        ),
        (
            "offset_median_seconds",
            "Median offset of all valid peers plus pending slew, absolute.",
            clock.offset_median,
        ),
        ("pending_slew_seconds", "Rest of the running slew as the daemon reports it.", clock.pending_slew),
        ("last_adjustment_age_seconds", "Time since the daemon last adjusted the clock.", clock.adjusted_ago),
        (
            "discipline_blocked",
            "Whether a valid peer without fresh replies stops the daemon.",
            asked(outcome).then(|| flag(!outcome.judgement.blocking_peers.is_empty())),
        ),
        ("last_run_timestamp_seconds", "Local time of this check.", Some(outcome.observed.evidence.now)),
    ];
    for (name, help, value) in single {
        if let Some(value) = value {
            page.family(name, "gauge", help);
            page.sample(name, &[], value);
        }
    }
    if asked(outcome) {
        page.family("peers", "gauge", "Peers by state.");
        let valid = f64::from(clock.valid_peers);
        page.sample("peers", &[("state", "valid")], valid);
        page.sample("peers", &[("state", "not_valid")], f64::from(clock.total_peers) - valid);
    }
    let restarts = outcome.observed.evidence.state.restarts.len() as f64;
    page.family("restarts", "gauge", "Restarts of the daemon by this check that are remembered.");
    page.sample("restarts", &[], restarts);
}

/// Whether there was an answer: without one nothing is known about peers, and an alert about them must not end.
fn asked(outcome: &Outcome) -> bool {
    !matches!(outcome.observed.evidence.source, Source::Failed(_))
}

fn state(page: &mut Page, outcome: &Outcome) {
    page.family("severity", "gauge", "Severity of the verdict: 0 ok, 1 warning, 2 critical, 3 unknown.");
    page.sample("severity", &[], f64::from(outcome.judgement.severity.code()));
    page.family("state", "gauge", "The verdict: 1 for the one that holds.");
    for verdict in Verdict::ALL {
        let holds = if verdict == outcome.judgement.verdict { 1.0 } else { 0.0 };
        page.sample("state", &[("state", verdict.word())], holds);
    }
}

/// One metric of a peer: name, help text, value.
type PeerMetric = (&'static str, &'static str, fn(&PeerView) -> Option<f64>);

fn peers(page: &mut Page, peers: &[PeerView]) {
    let metrics: [PeerMetric; 8] = [
        ("peer_offset_seconds", "Peer minus local clock.", |peer| peer.offset),
        ("peer_delay_seconds", "Round trip to the peer.", |peer| peer.delay),
        ("peer_jitter_seconds", "Spread of the round trips.", |peer| peer.jitter),
        ("peer_trust_level", "Trust level of OpenNTPD, valid from 6.", |peer| peer.trust.map(f64::from)),
        ("peer_poll_seconds", "Time between queries.", |peer| Some(peer.poll)),
        ("peer_stratum", "Stratum the peer announces.", |peer| peer.stratum.map(f64::from)),
        ("peer_selected", "Whether the daemon follows this peer.", |peer| {
            Some(f64::from(u8::from(peer.selected)))
        }),
        ("peer_blocking", "Whether the daemon waits for this peer in vain.", |peer| {
            Some(f64::from(u8::from(peer.blocking)))
        }),
    ];
    // Two names in ntpd.conf may stand for one address; one sample too many makes the collector refuse the whole file.
    let mut seen = BTreeSet::new();
    let once: Vec<_> = peers.iter().filter(|peer| seen.insert((&peer.peer, pool(peer)))).collect();
    for (name, help, value) in metrics {
        let mut samples = once.iter().filter_map(|peer| Some((peer, value(peer)?))).peekable();
        if samples.peek().is_some() {
            page.family(name, "gauge", help);
        }
        for (peer, value) in samples {
            page.sample(name, &[("peer", &peer.peer), ("pool", pool(peer))], value);
        }
    }
}

fn pool(peer: &PeerView) -> &str {
    peer.name.as_deref().filter(|_| peer.pool).unwrap_or("")
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.text, "# HELP ntpd_check_{name} {help}\n# TYPE ntpd_check_{name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let pairs: Vec<_> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let labels = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
        let _ = writeln!(self.text, "ntpd_check_{name}{labels} {value}");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
