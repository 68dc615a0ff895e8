// SPDX-License-Identifier: GPL-3.0-or-later

//! What one look shows: disagreement, too few peers, claims that contradict the table.

use super::blocked::all_lost;
use super::case::Case;
use super::start::{never_answered, unavailable};
use super::{leap, offset, probes, select, votes};
use crate::judgement::ErrorSource;
use crate::report::ERROR_POLL;
use crate::spoken::{lasting, spoken};
use crate::verdict::{Finding, Severity, Verdict};

/// Gap between looks from which on it is worth a word that nothing is concluded from it.
const LONG_GAP: f64 = 3600.0;

pub(super) fn findings(case: &Case<'_>, blocking: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(agreement(case));
    findings.extend(sensors(case));
    findings.extend(probes::contradiction(case.figures, case.evidence, case.limits, "ntpctl"));
    findings.extend(offset::findings(case));
    let explained = all_lost(case.report, blocking);
    if !explained && (!offset::is_moving(case) || !runs(case)) {
        findings.extend(unsynced(case));
    }
    findings.extend(few_peers(case));
    findings.extend(stratum(case));
    findings.extend(unresolved(case));
    findings
}

/// Whether anybody is left whom the daemon follows.
fn runs(case: &Case<'_>) -> bool {
    case.figures.valid_peers > 0 || case.figures.total_peers == 0 || case.figures.pending_slew.is_some()
}

fn agreement(case: &Case<'_>) -> Option<Finding> {
    let figures = case.figures;
    if figures.shifted && figures.error_source.is_none() {
        return None;
    }
    if !figures.trusted && figures.voters > 1 {
        let text = format!(
            "the {} valid {} lie up to {} apart and no group of them is a majority: nobody can tell who is right",
            figures.voters,
            if figures.valid_peers == 0 { "sensors" } else { "peers" },
            spoken(figures.spread)
        );
        return Some(Finding::new(Verdict::NoMajority, Severity::Warning, text));
    }
    if figures.falsetickers.is_empty() {
        return None;
    }
    let off = figures.error() > case.limits.critical && !leap::near(case.evidence);
    let severity = if off { Severity::Critical } else { Severity::Warning };
    let text = format!(
        "{} of {} valid peers contradict{} the majority: {}; mean of all {}, median {}",
        figures.falsetickers.len(),
        figures.valid_peers,
        if figures.falsetickers.len() == 1 { "s" } else { "" },
        figures.falsetickers.join(", "),
        spoken(figures.offset_mean.unwrap_or(0.0)),
        spoken(figures.offset_median.unwrap_or(0.0)),
    );
    Some(Finding::new(Verdict::Discordant, severity, text))
}

/// Hardware clocks and servers that contradict each other.
fn sensors(case: &Case<'_>) -> Option<Finding> {
    let rows: Vec<f64> = votes::of_rows(&case.report.peers).iter().map(|(_, sample)| sample.offset).collect();
    let middle = select::median(&rows).filter(|_| case.figures.trusted && !case.figures.shifted)?;
    let far = |offset: f64| (offset - middle).abs() > case.limits.warning;
    let wrong =
        case.report.sensors.iter().filter_map(|sensor| Some((sensor, sensor.offset.filter(|at| far(*at))?)));
    let named: Vec<String> = wrong
        .map(|(sensor, offset)| format!("{} ({}) shows {}", sensor.device, sensor.refid, spoken(offset)))
        .collect();
    let text = format!("sensors contradict the peers: {}, the peers {}", named.join(", "), spoken(middle));
    (!named.is_empty()).then(|| Finding::new(Verdict::Discordant, Severity::Warning, text))
}

fn unsynced(case: &Case<'_>) -> Option<Finding> {
    let (valid, total) = (case.figures.valid_peers, case.figures.total_peers);
    let (good, sensors) = case.sensors();
    let text = match case.figures.synced? {
        true if valid == 0 && good == 0 && total > 0 => {
            format!("the daemon says synced, but none of its {total} peers is valid: the clock runs free")
        }
        true if total == 0 && sensors > 0 && good == 0 => {
            format!("the daemon says synced, but none of its {sensors} sensors is valid: the clock runs free")
        }
        true => return None,
        false if case.figures.powerless => return None,
        false if unavailable(case) => {
            "constraints are configured but none is available: the daemon asks no peer until one is"
                .to_owned()
        }
        false if total == 0 && sensors > 0 => format!("not synced: {good} of {sensors} sensors valid"),
        false if total == 0 => return None,
        false if refused(case) => format!(
            "not synced: {valid} of {total} peers valid; the first queries were refused, and the daemon asks \
             again only after 50 minutes"
        ),
        false if never_answered(case) => format!(
            "not synced: none of the {total} peers has ever answered; do UDP packets to port 123 leave this network, and are these \
             servers at all?"
        ),
        false if agreed_right(case) => {
            let error = spoken(case.figures.error());
            let text =
                format!("not synced, but by {valid} of {total} peers the clock is off by {error} only");
            return Some(Finding::new(Verdict::Unsynced, Severity::Warning, text));
        }
        false if case.figures.shifted => format!(
            "not synced although {valid} of {total} peers are valid and the daemon has tried to adjust: its corrections have no effect, \
             or are not over; what it shows has been shifted by them and says nothing about the clock, direct probes do"
        ),
        false => format!("not synced: {valid} of {total} peers valid"),
    };
    Some(Finding::new(Verdict::Unsynced, Severity::Critical, text))
}

/// Enough servers agree that the clock is right: the daemon has corrected it and has yet to say so.
fn agreed_right(case: &Case<'_>) -> bool {
    let figures = case.figures;
    let measured = !figures.shifted || figures.error_source == Some(ErrorSource::Probes);
    let enough = figures.valid_peers >= case.limits.min_peers && figures.trusted;
    measured && enough && figures.error() <= case.limits.warning
}

/// A server that was not up yet at the first query, the usual race at boot.
fn refused(case: &Case<'_>) -> bool {
    let peers = &case.report.peers;
    peers.iter().all(|peer| peer.stratum.is_none() && peer.poll >= ERROR_POLL)
}

fn few_peers(case: &Case<'_>) -> Option<Finding> {
    let (valid, total, wanted) = (case.figures.valid_peers, case.figures.total_peers, case.limits.min_peers);
    let (sensors, all_sensors) = case.sensors();
    if total == 0 && case.figures.synced.is_some() {
        let text = "no peers are configured: the daemon has nobody to ask";
        return (all_sensors == 0).then(|| Finding::new(Verdict::FewPeers, Severity::Critical, text));
    }
    let rows = case.report.peers.iter().any(|peer| peer.sample.is_some());
    let voters = if rows {
        u32::try_from(votes::of_rows(&case.report.peers).len()).unwrap_or(u32::MAX)
    } else {
        valid
    };
    if voters >= wanted || total == 0 {
        return None;
    }
    let text = if voters < valid {
        format!(
            "{valid} of {total} peers valid, but {voters} of them are evidence (one vote for each address, and none for a row whose \
             delay/2 + jitter is above 1.5 s); at least {wanted} are needed to tell a wrong one"
        )
    } else {
        format!("{valid} of {total} peers valid; at least {wanted} are needed to tell a wrong one")
    };
    let severity = if voters == 0 && sensors == 0 { Severity::Critical } else { Severity::Warning };
    Some(Finding::new(Verdict::FewPeers, severity, text))
}

fn stratum(case: &Case<'_>) -> Option<Finding> {
    let stratum = case.figures.stratum.filter(|&stratum| stratum > case.limits.max_stratum)?;
    let text = format!(
        "stratum {stratum}: the chain to a reference clock is longer than {} and not believable",
        case.limits.max_stratum
    );
    Some(Finding::new(Verdict::Stratum, Severity::Warning, text))
}

fn unresolved(case: &Case<'_>) -> Option<Finding> {
    let missing = case.report.peers.iter().filter(|peer| !peer.is_resolved());
    let names: Vec<_> = missing
        .map(|peer| if peer.pool { format!("pool {}", peer.label()) } else { peer.label().into() })
        .collect();
    let text = format!("not resolved: {}", names.join(", "));
    (!names.is_empty()).then(|| Finding::new(Verdict::Unresolved, Severity::Warning, text))
}

/// A drift file with an absurd frequency makes every start wrong again.
pub(super) fn drift(case: &Case<'_>) -> Option<Finding> {
    let ppm = case.evidence.drift_ppm.filter(|ppm| ppm.abs() > case.limits.drift_ppm)?;
    let text = format!(
        "the drift file holds {ppm:.1} ppm, beyond the {:.0} ppm of any sound clock: it was learnt from a wrong \
         source; stop the daemon, remove the file, start it again",
        case.limits.drift_ppm
    );
    Some(Finding::new(Verdict::Drift, Severity::Warning, text))
}

pub(super) fn notes(case: &Case<'_>, blocking: &[String]) -> Vec<Finding> {
    let mut notes = Vec::new();
    if case.report.peers.is_empty() && case.figures.total_peers > 0 {
        notes.push("without the peer table (ntpctl -s all) a blocked daemon cannot be told".to_owned());
    }
    for peer in &case.report.peers {
        let label = peer.label();
        if !peer.counts() && peer.poll >= ERROR_POLL {
            notes.push(format!(
                "{label} refuses or sends invalid replies; it is not counted and blocks nothing"
            ));
        }
        if peer.selected && peer.sample.is_none() {
            notes.push(format!("{label} is marked as the chosen source but is not valid"));
        }
        let probe = case.evidence.probes.iter().find(|probe| probe.server == label);
        if let Some(problem) = probe.and_then(|probe| probe.problem())
            && !blocking.iter().any(|blocked| blocked == label)
        {
            notes.push(format!("probing {label}: {problem}"));
        }
    }
    notes.extend(probes::note(case.figures, case.limits, "ntpctl"));
    notes.extend(gap(case));
    if let Some(errors) = case.figures.constraint_errors.filter(|errors| *errors > 0) {
        notes.push(format!("{errors} constraints could not be asked"));
    }
    notes.into_iter().map(Finding::note).collect()
}

/// Looks that lie far apart show nothing about what happened in between.
fn gap(case: &Case<'_>) -> Option<String> {
    let state = &case.evidence.state;
    let last = state.looked.or_else(|| state.history.last().map(|seen| seen.moment()))?;
    let now = case.evidence.moment();
    let gap = now.at - last.at;
    (gap > LONG_GAP && now.watched_since(&last, LONG_GAP) == 0.0).then(|| {
        format!(
            "the last look was {} ago: nothing is concluded from what did not move since (a suspend, a pause, or no look)",
            lasting(gap)
        )
    })
}
