// SPDX-License-Identifier: GPL-3.0-or-later

//! Who has a vote: one address is one, however many names it has, and so is one source, however many servers follow it.

use std::collections::BTreeSet;

use super::select::{Claim, Majority};
use crate::probe::{Answer, Probed};
use crate::report::{Peer, Sample};

/// Half width that even a perfect measurement gets: ntpctl shows no dispersion.
pub(super) const FLOOR: f64 = 0.005;

/// RFC 5905's limit of a root distance (MAXDIST): beyond it nothing is known well enough to say anything about a clock.
const FARTHEST: f64 = 1.5;

/// The rows that are evidence about this clock, one for each address.
pub(super) fn of_rows(peers: &[Peer]) -> Vec<(&Peer, Sample)> {
    let mut seen = BTreeSet::new();
    let evident = |sample: &Sample| sample.delay / 2.0 + sample.jitter <= FARTHEST;
    let rows = peers.iter().filter_map(|peer| Some((peer, peer.sample.filter(evident)?)));
    rows.filter(|(peer, _)| seen.insert(peer.label())).collect()
}

/// What good probes claim: the most exact one of each address and of each source.
pub(crate) fn of_probes(probes: &[Probed]) -> Vec<Claim> {
    let mut best: Vec<(&Probed, &Answer)> =
        probes.iter().filter_map(|probe| Some((probe, probe.best()?))).collect();
    best.sort_by(|a, b| a.1.root_distance.total_cmp(&b.1.root_distance));
    let (mut addresses, mut sources) = (BTreeSet::new(), BTreeSet::new());
    best.retain(|(probe, answer)| {
        let address = addresses.insert(probe.address.as_deref().unwrap_or(&probe.server));
        address && source(answer).is_none_or(|source| sources.insert(source))
    });
    best.iter().map(|(_, answer)| claim(answer)).collect()
}

fn claim(answer: &Answer) -> Claim {
    Claim { offset: answer.offset, radius: answer.root_distance + FLOOR }
}

/// Whether a server's own probe shares the interval that most probes agree on.
pub(super) fn agrees(probes: &[Probed], server: &str, most: &Majority) -> bool {
    let probe = probes.iter().find(|probe| probe.server == server);
    let claim = probe.and_then(Probed::best).map(claim);
    claim.is_some_and(|it| it.offset + it.radius >= most.low && it.offset - it.radius <= most.high)
}

/// The server that this one follows, where its reference id names one. At stratum 1 it names a kind of clock, and some servers go on
/// doing that: such letters, a clock of one's own (127.x) and zeros are nobody in common.
pub(crate) fn source(answer: &Answer) -> Option<&str> {
    let octets: Vec<u8> = answer.refid.split('.').filter_map(|octet| octet.parse().ok()).collect();
    let nobody = match octets[..] {
        [0, 0, 0, 0] | [127, ..] => true,
        [a, b, c, 0] => [a, b, c].iter().all(u8::is_ascii_alphanumeric),
        _ => false,
    };
    (answer.stratum > 1 && !nobody).then_some(answer.refid.as_str())
}
