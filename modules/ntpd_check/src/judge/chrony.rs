// SPDX-License-Identifier: GPL-3.0-or-later

//! The same verdicts for chrony and ntpd, which select and discard sources by themselves and say so.

use super::case::conclude;
use super::limits::Limits;
use super::offset::must_be_set;
use super::select::{mean, median};
use super::{leap, probes, trouble, watch};
use crate::chrony::{self, ChronyReport, ChronySource};
use crate::evidence::Evidence;
use crate::judgement::{ErrorSource, Figures, Judgement};
use crate::probe::Problem;
use crate::spoken::{lasting, spoken};
use crate::verdict::{Finding, Severity, Verdict};
use crate::{ntpd_rs, timesync};

/// Polls after which a missing answer or update means something.
const POLLS: f64 = 8.0;

/// Shortest time over which a missing update means something.
const SHORTEST: f64 = 600.0;

/// Half of a poll and some time for the answer: nobody is late by that.
const LATE: f64 = 10.0;

/// RFC 5905's limit of a root distance (MAXDIST): beyond it nothing is known.
const FARTHEST: f64 = 1.5;

pub(super) fn judge(report: &ChronyReport, evidence: &Evidence, limits: &Limits) -> Judgement {
    let figures = figures(report, evidence, limits);
    let mut findings = match starting(report, &figures, evidence, limits) {
        Some(finding) => vec![finding],
        None => {
            let rules = [
                unsynced(report),
                disagreement(report),
                offset(report, &figures, evidence, limits),
                contradicted(report, limits),
                uncertain(report, limits),
                probes::contradiction(&figures, evidence, limits, tool(report)),
            ];
            let mut findings: Vec<Finding> = rules.into_iter().flatten().collect();
            findings.extend(few(&figures, limits));
            findings.extend(lost(report, evidence, limits));
            findings.extend(stale(report, &figures, evidence));
            findings.extend(stratum(&figures, limits));
            findings
        }
    };
    findings.extend(trouble::contested(evidence));
    findings.extend(unheard(report));
    findings.extend(probes::note(&figures, limits, tool(report)).map(Finding::note));
    findings.extend(
        evidence.probes.iter().filter_map(|probe| {
            Some(Finding::note(format!("probing {}: {}", probe.server, probe.problem()?)))
        }),
    );
    findings.extend(leap::findings(evidence, &figures));
    let mut judgement = conclude(findings, figures, Vec::new());
    judgement.falsetickers = named(report, 'x');
    judgement
}

fn tool(report: &ChronyReport) -> &'static str {
    match report.daemon {
        chrony::DAEMON => "chronyc",
        timesync::DAEMON => "timedatectl",
        ntpd_rs::DAEMON => "ntp-ctl",
        _ => "ntpq",
    }
}

/// Whether chronyd uses this source and has heard of it in its last eight polls: it goes on naming those that have fallen silent.
pub fn usable(source: &ChronySource) -> bool {
    let heard = source.heard_ago.is_some_and(|ago| ago as f64 <= POLLS * source.poll + LATE);
    // A reference clock is read, not asked.
    let reached = source.reach != Some(0) && (heard || source.mode == '#');
    matches!(source.state, '*' | '+' | '-') && reached && source.margin <= FARTHEST
}

/// Sources that chronyd still counts but that no longer answer.
fn unheard(report: &ChronyReport) -> Option<Finding> {
    let claimed = |source: &&ChronySource| matches!(source.state, '*' | '+' | '-') && !usable(source);
    let names: Vec<String> = report.sources.iter().filter(claimed).map(silent_for).collect();
    (!names.is_empty()).then(|| {
        Finding::note(format!(
            "{} still counts what it has not heard of for eight polls, or knows too little of: {}",
            report.daemon,
            names.join(", ")
        ))
    })
}

fn silent_for(source: &ChronySource) -> String {
    let heard = source.heard_ago.map_or("never".to_owned(), |ago| format!("{} ago", lasting(ago as f64)));
    let reach = source.reach.map_or(String::new(), |reach| format!("reach {reach:o}, "));
    format!("{} ({reach}heard {heard}, at most {} off)", source.name, spoken(source.margin))
}

fn synced(report: &ChronyReport) -> bool {
    report.tracking.leap != "Not synchronised" && report.tracking.stratum > 0
}

fn named(report: &ChronyReport, state: char) -> Vec<String> {
    report.sources.iter().filter(|source| source.state == state).map(|source| source.name.clone()).collect()
}

fn figures(report: &ChronyReport, evidence: &Evidence, limits: &Limits) -> Figures {
    let good: Vec<f64> =
        report.sources.iter().filter(|source| usable(source)).map(|source| source.offset).collect();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let synced = synced(report);
    // Offsets of sources are already corrected by what chronyd still slews.
    let error = if synced { Some(report.tracking.correction) } else { median(&good) };
    let mut figures = Figures {
        synced: Some(synced),
        stratum: synced.then_some(report.tracking.stratum),
        valid_peers: count(good.len()),
        total_peers: count(report.sources.len()),
        truechimers: count(good.len()),
        offset_mean: mean(&good).map(f64::abs),
        offset_median: median(&good).map(f64::abs),
        clock_error: error,
        error_source: error.map(|_| ErrorSource::Daemon),
        adjusted_ago: report.tracking.updated.filter(|_| synced).map(|at| (evidence.now - at).max(0.0)),
        drift_ppm: report.tracking.frequency_ppm,
        trusted: true,
        shown: error,
        voters: good.len(),
        ..Figures::default()
    };
    figures.weigh_probes(&evidence.probes);
    figures.eta = figures.clock_error.map(|error| limits.slew.time_for(error));
    figures
}

fn starting(
    report: &ChronyReport,
    figures: &Figures,
    evidence: &Evidence,
    limits: &Limits,
) -> Option<Finding> {
    let uptime = evidence.uptime.filter(|uptime| *uptime <= limits.start_grace)?;
    let yet = if figures.synced == Some(false) {
        "is not synchronised yet"
    } else if uncertain(report, limits).is_some() && figures.error() <= limits.warning {
        // ntpd-rs says synchronised from its second reply on, when it knows the time to some seconds.
        "does not know the time well yet"
    } else {
        return None;
    };
    let text = format!("{} was started {} ago and {yet}", report.daemon, lasting(uptime));
    Some(Finding::new(Verdict::Starting, Severity::Ok, text))
}

fn unsynced(report: &ChronyReport) -> Option<Finding> {
    if synced(report) {
        return None;
    }
    let usable = report.sources.iter().filter(|source| usable(source)).count();
    let text =
        format!("{} is not synchronised: {usable} of {} sources usable", report.daemon, report.sources.len());
    Some(Finding::new(Verdict::Unsynced, Severity::Critical, text))
}

fn disagreement(report: &ChronyReport) -> Option<Finding> {
    let false_ones = named(report, 'x');
    if false_ones.is_empty() {
        return None;
    }
    if !report.sources.iter().any(usable) {
        let text =
            format!("{} finds no majority among its sources: {}", report.daemon, false_ones.join(", "));
        return Some(Finding::new(Verdict::NoMajority, Severity::Warning, text));
    }
    let text = format!("{} discards as falsetickers: {}", report.daemon, false_ones.join(", "));
    Some(Finding::new(Verdict::Discordant, Severity::Warning, text))
}

fn offset(report: &ChronyReport, figures: &Figures, evidence: &Evidence, limits: &Limits) -> Option<Finding> {
    let error = figures.clock_error.filter(|error| error.abs() > limits.warning)?;
    let (critical, relaxed) = leap::critical_offset(evidence, limits.critical);
    let severity = if error.abs() > critical { Severity::Critical } else { Severity::Warning };
    let mut text = format!(
        "the clock is off by {} (warning from {}, critical from {}{relaxed})",
        spoken(error),
        spoken(limits.warning),
        spoken(critical)
    );
    if limits.slew.time_for(error) > leap::DAY {
        let how = if report.daemon == timesync::DAEMON {
            "stop it, set the clock with date, start it again"
        } else if report.daemon == chrony::DAEMON {
            "chronyc makestep"
        } else if report.daemon == ntpd_rs::DAEMON {
            "stop ntp-daemon, run ntp-ctl force-sync, start it again"
        } else {
            "stop ntpd, run ntpd -gq or date, start ntpd again"
        };
        text += &format!("; {}: {how}", must_be_set(limits));
    }
    Some(Finding::new(Verdict::Offset, severity, text))
}

/// Sources that are used and agree on an error of which the daemon knows nothing: never ok, whoever of them is right.
fn contradicted(report: &ChronyReport, limits: &Limits) -> Option<Finding> {
    let good: Vec<&ChronySource> = report.sources.iter().filter(|source| usable(source)).collect();
    let offsets: Vec<f64> = good.iter().map(|source| report.shown_by(source)).collect();
    let widest = good.iter().map(|source| source.margin).fold(0.0, f64::max);
    let (shown, claimed) = (median(&offsets)?, report.tracking.correction);
    if !synced(report) || (shown - claimed).abs() <= limits.critical + widest {
        return None;
    }
    let text = format!(
        "the sources that {} uses say that the clock is off by {}, and {} itself that it is by {}",
        report.daemon,
        spoken(shown),
        report.daemon,
        spoken(claimed)
    );
    Some(Finding::new(Verdict::Discordant, Severity::Critical, text))
}

/// The largest error that the whole chain to a reference clock leaves open.
fn uncertain(report: &ChronyReport, limits: &Limits) -> Option<Finding> {
    let tracking = &report.tracking;
    let distance = tracking.root_delay / 2.0 + tracking.root_dispersion + tracking.correction.abs();
    if !synced(report) || distance <= limits.critical {
        return None;
    }
    let severity = if distance > FARTHEST { Severity::Critical } else { Severity::Warning };
    let text = format!(
        "by {}'s own account the clock may be off by up to {} (root delay {}, root dispersion {}): more than {} is too little known",
        report.daemon,
        spoken(distance),
        spoken(tracking.root_delay),
        spoken(tracking.root_dispersion),
        spoken(limits.critical)
    );
    Some(Finding::new(Verdict::Offset, severity, text))
}

fn few(figures: &Figures, limits: &Limits) -> Option<Finding> {
    let (valid, total) = (figures.valid_peers, figures.total_peers);
    let text = format!(
        "{valid} of {total} sources usable; at least {} are needed to tell a wrong one",
        limits.min_peers
    );
    let severity = if valid == 0 { Severity::Critical } else { Severity::Warning };
    (valid < limits.min_peers).then(|| Finding::new(Verdict::FewPeers, severity, text))
}

/// Sources that are used although they say that they have no time: not every daemon shows that.
fn lost(report: &ChronyReport, evidence: &Evidence, limits: &Limits) -> Option<Finding> {
    let timeless = |source: &&ChronySource| {
        let probe = evidence.probes.iter().find(|probe| probe.server == source.name);
        probe.and_then(|probe| probe.problem()).is_some_and(Problem::stops_openntpd)
    };
    let used: Vec<&ChronySource> = report.sources.iter().filter(|source| usable(source)).collect();
    let names: Vec<&str> =
        used.iter().filter(|source| timeless(source)).map(|source| source.name.as_str()).collect();
    let left = used.len() - names.len();
    let wanted = limits.min_peers as usize;
    // Where there are too few anyway, that is told already.
    if names.is_empty() || left >= wanted || used.len() < wanted {
        return None;
    }
    let severity = if left == 0 { Severity::Critical } else { Severity::Warning };
    let text = format!(
        "{} uses {}, which send no usable time to a direct probe; {left} others are left, and at least {wanted} are needed",
        report.daemon,
        names.join(", ")
    );
    Some(Finding::new(Verdict::FewPeers, severity, text))
}

fn stale(report: &ChronyReport, figures: &Figures, evidence: &Evidence) -> Option<Finding> {
    let slowest =
        report.sources.iter().filter(|source| usable(source)).map(|source| source.poll).fold(0.0, f64::max);
    let patience = (POLLS * slowest).max(SHORTEST);
    // After a suspend it has not had that time, whatever the wall clock says.
    let watched = watch::unbroken(evidence);
    let ago = figures.adjusted_ago.filter(|ago| *ago > patience && watched > patience)?;
    let text = format!("{} says synchronised but last updated the clock {} ago", report.daemon, lasting(ago));
    Some(Finding::new(Verdict::Stuck, Severity::Warning, text))
}

fn stratum(figures: &Figures, limits: &Limits) -> Option<Finding> {
    let stratum = figures.stratum.filter(|stratum| *stratum > limits.max_stratum)?;
    let text = format!("stratum {stratum}: more than {} is not believable", limits.max_stratum);
    Some(Finding::new(Verdict::Stratum, Severity::Warning, text))
}
