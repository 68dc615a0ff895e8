// SPDX-License-Identifier: GPL-3.0-or-later

//! What one look shows: starting, slewing, disagreement, offset, too few peers, claims that contradict the table.

use super::case::Case;
use super::figures::{lasting, spoken};
use super::{leap, stuck};
use crate::judgement::ErrorSource;
use crate::report::{Constraint, Peer};
use crate::verdict::{Finding, Severity, Verdict};

/// Longest poll of a daemon in its first minutes: 30 s and a tenth, before it lengthens its polls.
const EARLY_POLL: i64 = 34;

/// A restarted daemon is silent about everything but a block and what probes see until it is synced or its grace is over.
pub(super) fn starting(case: &Case<'_>) -> Option<Finding> {
    if case.figures.synced != Some(false) || case.figures.pending_slew.is_some() {
        return None;
    }
    let text = match case.evidence.uptime {
        Some(uptime) if uptime > case.limits.start_grace => return None,
        Some(uptime) => format!(
            "the daemon was started {} ago; it needs 3 to 6 minutes to its first adjustment",
            lasting(uptime)
        ),
        None if looks_new(case) => "the daemon seems to have been started a moment ago: not synced yet, \
                                    short polls (its start time is unknown)"
            .to_owned(),
        None => return None,
    };
    // What ntpctl shows now is not to be relied on yet; a direct measurement is.
    let measured = case.figures.error_source == Some(ErrorSource::Probes);
    let (critical, _) = leap::critical_offset(case.evidence, case.limits.critical);
    let error = case.figures.error();
    let wrong = error > case.limits.warning;
    let severity = match measured {
        true if error > critical => Severity::Critical,
        true if wrong => Severity::Warning,
        false if wrong && case.evidence.uptime.is_none() => Severity::Warning,
        _ => Severity::Ok,
    };
    let text = if measured && wrong {
        format!("{text}; by direct probes the clock is off by {} now", spoken(error))
    } else {
        text
    };
    Some(Finding::new(Verdict::Starting, severity, text))
}

/// Without a start time: some peer is on the way up at the first, short polls, and none has come down.
fn looks_new(case: &Case<'_>) -> bool {
    let peers = &case.report.peers;
    let rising = |peer: &Peer| peer.trust > 2 && peer.poll <= EARLY_POLL;
    let fresh = |peer: &Peer| peer.trust == 2 && peer.stratum.is_none() && peer.poll <= EARLY_POLL;
    let waits_for_constraints = unavailable(case);
    let scaled = peers.iter().any(|peer| peer.counts() && peer.poll > EARLY_POLL);
    let lost = peers.iter().any(|peer| peer.trust == 2 && peer.stratum.is_some());
    let any_new = peers.iter().any(|peer| rising(peer) || fresh(peer));
    any_new && !waits_for_constraints && !scaled && !lost
}

fn unavailable(case: &Case<'_>) -> bool {
    let status = case.report.status.as_ref();
    status.is_some_and(|status| status.constraint == Some(Constraint::Unavailable))
}

pub(super) fn findings(case: &Case<'_>) -> Vec<Finding> {
    let slewing = slewing(case);
    let mut findings = Vec::new();
    findings.extend(agreement(case));
    if slewing.is_none() {
        findings.extend(offset(case));
        findings.extend(unsynced(case));
    }
    findings.extend(slewing);
    findings.extend(few_peers(case));
    findings.extend(stratum(case));
    findings.extend(unresolved(case));
    findings
}

fn slewing(case: &Case<'_>) -> Option<Finding> {
    let error = case.figures.clock_error?;
    let wrong = error.abs() > case.limits.warning;
    let pending = case.figures.pending_slew.is_some();
    let young = case.evidence.uptime.is_some_and(|uptime| uptime <= case.limits.start_grace);
    // 7.9 on Linux reports no pending slew and says synced long before it is true.
    let moving = wrong && (young || stuck::shrinks(case)) && case.figures.valid_peers > 0;
    if !moving && (!pending || case.figures.synced == Some(true)) {
        return None;
    }
    let severity = if wrong { Severity::Warning } else { Severity::Ok };
    let left = case.limits.slew.time_for(error);
    let text = format!("the clock is being corrected by {}: right in about {}", spoken(error), lasting(left));
    Some(Finding::new(Verdict::Slewing, severity, text))
}

fn agreement(case: &Case<'_>) -> Option<Finding> {
    let figures = case.figures;
    if !figures.trusted(case.limits.warning) {
        let text = format!(
            "the {} valid peers lie up to {} apart and no group of them is a majority: nobody can tell who is right",
            figures.valid_peers,
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

fn offset(case: &Case<'_>) -> Option<Finding> {
    let error = case.figures.clock_error?;
    if !case.figures.trusted(case.limits.warning) || error.abs() <= case.limits.warning {
        return None;
    }
    let (critical, relaxed) = leap::critical_offset(case.evidence, case.limits.critical);
    let severity = if error.abs() > critical { Severity::Critical } else { Severity::Warning };
    let claim = if case.figures.synced == Some(true) { " although the daemon says synced" } else { "" };
    let text = format!(
        "the clock is off by {}{claim} (warning from {}, critical from {}{relaxed}); slewing it away takes {}",
        spoken(error),
        spoken(case.limits.warning),
        spoken(critical),
        lasting(case.limits.slew.time_for(error))
    );
    Some(Finding::new(Verdict::Offset, severity, text))
}

fn unsynced(case: &Case<'_>) -> Option<Finding> {
    let (valid, total) = (case.figures.valid_peers, case.figures.total_peers);
    let text = match case.figures.synced? {
        true if valid == 0 && total > 0 => {
            format!("the daemon says synced, but none of its {total} peers is valid: the clock runs free")
        }
        true => return None,
        false if unavailable(case) => {
            "constraints are configured but none is available: the daemon asks no peer until one is"
                .to_owned()
        }
        false if total == 0 => return None,
        false if refused(case) => format!(
            "not synced: {valid} of {total} peers valid; the first queries were refused, and the daemon asks \
             again only after 50 minutes"
        ),
        false if agreed_right(case) => {
            let error = spoken(case.figures.error());
            let text =
                format!("not synced, but by {valid} of {total} peers the clock is off by {error} only");
            return Some(Finding::new(Verdict::Unsynced, Severity::Warning, text));
        }
        false => format!("not synced: {valid} of {total} peers valid"),
    };
    Some(Finding::new(Verdict::Unsynced, Severity::Critical, text))
}

/// Enough peers agree that the clock is right: the daemon has corrected it and has yet to say so.
fn agreed_right(case: &Case<'_>) -> bool {
    let enough =
        case.figures.valid_peers >= case.limits.min_peers && case.figures.trusted(case.limits.warning);
    enough && case.figures.error() <= case.limits.warning
}

/// A server that was not up yet at the first query, the usual race at boot.
fn refused(case: &Case<'_>) -> bool {
    let peers = &case.report.peers;
    peers.iter().all(|peer| peer.stratum.is_none() && peer.poll >= super::blocked::ERROR_POLL)
}

fn few_peers(case: &Case<'_>) -> Option<Finding> {
    let (valid, total, wanted) = (case.figures.valid_peers, case.figures.total_peers, case.limits.min_peers);
    if total == 0 && case.figures.synced.is_some() {
        let sensors = case.report.sensors.iter().filter(|sensor| sensor.offset.is_some()).count();
        let configured = case.report.status.as_ref().is_some_and(|status| status.sensors.is_some());
        let text = "no peers are configured: the daemon has nobody to ask";
        return (sensors == 0 && !configured)
            .then(|| Finding::new(Verdict::FewPeers, Severity::Critical, text));
    }
    if valid >= wanted || total == 0 {
        return None;
    }
    let text = format!("{valid} of {total} peers valid; at least {wanted} are needed to tell a wrong one");
    Some(Finding::new(
        Verdict::FewPeers,
        if valid == 0 { Severity::Critical } else { Severity::Warning },
        text,
    ))
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
        if !peer.counts() && peer.poll >= super::blocked::ERROR_POLL {
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
    if let (Some(error), Some(ErrorSource::Probes), Some(shown)) =
        (case.figures.clock_error, case.figures.error_source, case.figures.offset_median)
    {
        let agree = (error.abs() - shown).abs() <= case.limits.warning;
        let word = if agree { "confirm" } else { "refute" };
        notes.push(format!("direct probes {word} ntpctl: {} against {}", spoken(error.abs()), spoken(shown)));
    }
    notes.into_iter().map(Finding::note).collect()
}
