// SPDX-License-Identifier: GPL-3.0-or-later

//! Metrics of the clock and its daemon.

use super::flag;
use super::page::{Labels, Page};
use crate::evidence::Source;
use crate::judgement::Figures;
use crate::outputs::Outcome;
use crate::report::{Constraint, Status};
use crate::verdict::Verdict;

/// One metric: name, help text, value.
type Metric = (&'static str, &'static str, Option<f64>);

pub(super) fn all(page: &mut Page, outcome: &Outcome) {
    verdict(page, outcome);
    let groups =
        [figures(&outcome.judgement.clock), daemon(outcome), constraints(outcome), surroundings(outcome)];
    for (name, help, value) in groups.into_iter().flatten() {
        page.single(name, help, value);
    }
    if outcome.is_answered() {
        let clock = &outcome.judgement.clock;
        let valid = f64::from(clock.valid_peers);
        let states = [("valid", valid), ("not_valid", f64::from(clock.total_peers) - valid)];
        let states = states.map(|(state, count)| ([("state", state.to_owned())], count));
        page.family("peers", "Peers by state.", states.iter().map(|(labels, count)| (&labels[..], *count)));
    }
}

fn verdict(page: &mut Page, outcome: &Outcome) {
    let judgement = &outcome.judgement;
    page.single("up", "Whether the daemon has answered.", Some(flag(outcome.is_answered())));
    let severity = f64::from(judgement.severity.code());
    page.single(
        "severity",
        "Severity of the verdict: 0 ok, 1 warning, 2 critical, 3 unknown.",
        Some(severity),
    );
    let state = |verdict: Verdict| -> Labels { vec![("state", verdict.word().to_owned())] };
    let states: Vec<_> = Verdict::ALL
        .into_iter()
        .map(|verdict| (state(verdict), flag(verdict == judgement.verdict)))
        .collect();
    let series = states.iter().map(|(labels, value)| (&labels[..], *value));
    page.family("state", "The verdict: 1 for the one that holds.", series);
    repair(page, outcome);
    let now = outcome.observed.evidence.now;
    page.single("last_run_timestamp_seconds", "Local time of this check.", Some(now));
}

fn repair(page: &mut Page, outcome: &Outcome) {
    let repair = &outcome.repair;
    let holds = match (outcome.restarted || repair.acted, repair.restart, repair.wanted) {
        (true, _, _) => "done",
        (false, true, _) => "planned",
        (false, false, true) => "refused",
        (false, false, false) => "none",
    };
    let actions = ["none", "refused", "planned", "done"];
    let actions = actions.map(|action| ([("action", action.to_owned())], flag(action == holds)));
    let series = actions.iter().map(|(labels, value)| (&labels[..], *value));
    page.family("repair", "What is done, or would be done, about the daemon: 1 for what holds.", series);
}

fn figures(clock: &Figures) -> Vec<Metric> {
    vec![
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
            "frequency_correction_ratio",
            "Frequency correction that the daemon has learnt; 1e-6 is one part per million.",
            clock.drift_ppm.map(|ppm| ppm / 1e6),
        ),
    ]
}

fn daemon(outcome: &Outcome) -> Vec<Metric> {
    let evidence = &outcome.observed.evidence;
    let blocked = outcome.is_answered().then(|| flag(!outcome.judgement.blocking_peers.is_empty()));
    let tracking = match &evidence.source {
        Source::Chrony(report) => Some(&report.tracking),
        _ => None,
    };
    vec![
        ("discipline_blocked", "Whether a valid peer without fresh replies stops the daemon.", blocked),
        ("daemon_uptime_seconds", "Time since the daemon was started.", evidence.uptime),
        (
            "root_delay_seconds",
            "Round trip to the reference clock, as chrony says.",
            tracking.map(|tracking| tracking.root_delay),
        ),
        (
            "root_dispersion_seconds",
            "Error gathered on the way from the reference clock, as chrony says.",
            tracking.map(|tracking| tracking.root_dispersion),
        ),
    ]
}

fn constraints(outcome: &Outcome) -> Vec<Metric> {
    let constraint = match &outcome.observed.evidence.source {
        Source::Openntpd(report) => report.status.as_ref().and_then(|Status { constraint, .. }| *constraint),
        _ => None,
    };
    let (offset, errors) = match constraint {
        Some(Constraint::Offset { seconds, errors }) => (Some(seconds as f64), Some(f64::from(errors))),
        _ => (None, None),
    };
    let available = constraint.map(|constraint| flag(constraint != Constraint::Unavailable));
    vec![
        (
            "constraint_available",
            "Whether an HTTPS constraint has answered; OpenNTPD asks no peer before.",
            available,
        ),
        ("constraint_offset_seconds", "Distance to the HTTPS constraints in whole seconds.", offset),
        ("constraint_errors", "HTTPS constraints that could not be asked.", errors),
    ]
}

fn surroundings(outcome: &Outcome) -> Vec<Metric> {
    let evidence = &outcome.observed.evidence;
    // What cannot be remembered cannot be counted either.
    let remembers = outcome.observed.memory.is_ok();
    let expiry = evidence.leaps.as_ref().map(|table| table.expires);
    vec![
        (
            "restarts",
            "Restarts of the daemon by this check that are remembered.",
            remembers.then_some(evidence.state.restarts.len() as f64),
        ),
        ("leap_table_expiry_timestamp_seconds", "When the table of leap seconds expires.", expiry),
    ]
}
