// SPDX-License-Identifier: GPL-3.0-or-later

//! Whether the daemon may be restarted. A restart is refused unless every guard rail holds. Pure.

use serde::Serialize;

use crate::evidence::{Evidence, Source};
use crate::judge::leap::DAY;
use crate::judge::{Limits, all_lost, select, votes};
use crate::judgement::{ErrorSource, Judgement};
use crate::params::Params;
use crate::probe::Probed;
use crate::report::ERROR_POLL;
use crate::service;
use crate::spoken::spoken;
use crate::state::State;
use crate::verdict::Verdict;

/// Members of a majority that make it trustworthy: with fewer, one liar decides.
const TRUECHIMERS: u32 = 3;

/// Servers that must answer now: a restart that finds nobody makes things worse.
const ANSWERING: usize = 2;

/// A daemon younger than this has not had the time to be at fault.
const UPTIME: f64 = 3600.0;

/// Time around a leap second in which nothing is judged well enough to act on.
const LEAP: f64 = 3600.0;

/// Time for which a finding of several looks must have been watched since the look that said so first.
const WATCHED: f64 = 900.0;

/// Doublings of the interval after restarts that did not help; more would be for ever.
const BACKOFFS: i32 = 6;

/// What is to be done about the daemon.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RepairPlan {
    /// Whether a restart is what the verdict calls for and repair was asked for.
    pub wanted: bool,
    /// Whether the daemon is to be restarted.
    pub restart: bool,
    /// Guard rails that forbid it.
    pub refused: Vec<String>,
    /// What to know about a restart that will happen.
    pub warnings: Vec<String>,
    /// The command of a restart that is called for.
    pub command: Option<String>,
    /// Whether that command has been run and was not without effect.
    pub acted: bool,
}

impl RepairPlan {
    /// Takes back a restart that has not happened.
    pub fn take_back(&mut self) {
        self.restart = false;
        self.warnings.clear();
    }

    /// Takes a planned restart back, and what there was to know about it.
    pub fn refuse(&mut self, what: &str, error: &anyhow::Error) {
        if self.restart {
            self.restart = false;
            self.warnings.clear();
            self.refused.push(format!("{what}: {error:#}"));
        }
    }
}

/// Decides from what was observed. `remembered` holds this run already; an error says why nothing is remembered.
pub fn plan(
    params: &Params,
    evidence: &Evidence,
    judgement: &Judgement,
    remembered: Result<&State, &str>,
) -> RepairPlan {
    if !params.repair || !matches!(judgement.verdict, Verdict::Blocked | Verdict::Stuck) {
        return RepairPlan::default();
    }
    let mut refused = Vec::new();
    refused.extend(daemon_rails(evidence, judgement));
    refused.extend(cure_rails(params, evidence, judgement));
    refused.extend(clock_rails(params, evidence, judgement, remembered.ok()));
    match remembered {
        Ok(state) => {
            refused.extend(watch_rail(evidence, judgement, state));
            refused.extend(rate_rails(params, evidence.now, state));
        }
        Err(why) => refused.push(format!("restarts cannot be counted: {why}")),
    }
    let command = Some(service::described(params.service.as_deref()));
    RepairPlan {
        wanted: true,
        restart: refused.is_empty(),
        refused,
        warnings: Vec::new(),
        command,
        acted: false,
    }
}

fn daemon_rails(evidence: &Evidence, judgement: &Judgement) -> Vec<String> {
    let mut refused = Vec::new();
    if !matches!(evidence.source, Source::Openntpd(_)) {
        refused.push("only OpenNTPD is known to be cured by a restart".to_owned());
    }
    match evidence.uptime {
        None => refused.push("the start time of the daemon is unknown".to_owned()),
        Some(uptime) if uptime < UPTIME => {
            refused.push(format!("the daemon has run for {uptime:.0} s only, less than {UPTIME:.0} s"));
        }
        Some(_) => (),
    }
    if judgement.clock.pending_slew.is_some() {
        refused.push("the clock is being slewed: a restart would begin anew".to_owned());
    }
    refused
}

/// What a restart does not cure.
fn cure_rails(params: &Params, evidence: &Evidence, judgement: &Judgement) -> Vec<String> {
    let mut refused = Vec::new();
    let figures = &judgement.clock;
    if let Source::Openntpd(report) = &evidence.source
        && all_lost(report, &judgement.blocking_peers)
        && evidence.probes.iter().filter_map(Probed::best).count() < TRUECHIMERS as usize
    {
        refused.push("all sources lost their time: a restarted daemon would find nobody".to_owned());
    }
    let day = Limits::new(params, std::env::consts::OS).slew.in_time(DAY);
    if figures.error() > day {
        refused.push(format!("the clock has to be set: a daemon slews away {} in a day", spoken(day)));
    }
    if !evidence.rivals.is_empty() {
        refused.push(format!("somebody else sets the clock, too: {}", evidence.rivals.join(", ")));
    }
    let claims = votes::of_probes(&evidence.probes);
    if !claims.is_empty() && select::majority(&claims).is_none() {
        refused.push("direct probes contradict each other, and no group of them is a majority".to_owned());
    }
    if let Some((shown, probed)) = figures.shown.zip(figures.probed)
        && (shown - probed).abs() > params.offset_warning.as_f64()
        && figures.error_source != Some(ErrorSource::Probes)
    {
        refused.push(format!(
            "direct probes contradict what ntpctl shows: {} against {}",
            spoken(probed.abs()),
            spoken(shown.abs())
        ));
    }
    refused
}

/// What takes time to be seen has to be seen again: the machine may have paused just now.
fn watch_rail(evidence: &Evidence, judgement: &Judgement, state: &State) -> Option<String> {
    let Source::Openntpd(report) = &evidence.source else { return None };
    let at_once = report.peers.iter().any(|peer| peer.counts() && peer.poll >= ERROR_POLL);
    let watched = match judgement.verdict {
        Verdict::Blocked if at_once => return None,
        Verdict::Blocked => state.blocked_for,
        _ => state.stuck_for.unwrap_or(0.0),
    };
    (watched < WATCHED).then(|| format!("this was watched for {watched:.0} s only, less than {WATCHED:.0} s"))
}

fn clock_rails(
    params: &Params,
    evidence: &Evidence,
    judgement: &Judgement,
    state: Option<&State>,
) -> Vec<String> {
    let mut refused = Vec::new();
    let figures = &judgement.clock;
    if figures.truechimers < TRUECHIMERS {
        refused.push(format!("only {} peers agree, {TRUECHIMERS} are needed", figures.truechimers));
    }
    let answering = evidence.probes.iter().filter_map(Probed::best).count();
    if answering < ANSWERING {
        refused.push(format!("only {answering} servers answer a direct probe well, {ANSWERING} are needed"));
    }
    let lasted = state.map_or(0.0, |state| state.blocked_for);
    let wrong = figures.error() > params.offset_warning.as_f64();
    if !wrong && lasted < params.blocked_critical.as_f64() {
        refused.push(format!(
            "the clock is still right and the daemon blocked for {lasted:.0} s only, less than {}",
            params.blocked_critical
        ));
    }
    let leaps = evidence.leaps.iter().flat_map(|table| &table.leaps);
    if leaps.into_iter().any(|leap| (leap.at - evidence.now).abs() < LEAP) {
        refused.push("a leap second is less than an hour away".to_owned());
    }
    refused
}

fn rate_rails(params: &Params, now: f64, state: &State) -> Vec<String> {
    let mut refused = Vec::new();
    let useless = state.restarts.iter().rev().take_while(|restart| restart.helped == Some(false)).count();
    let doublings = i32::try_from(useless).unwrap_or(BACKOFFS).min(BACKOFFS);
    let interval = params.repair_interval.as_f64() * 2f64.powi(doublings);
    if let Some(last) = state.restarts.last() {
        let ago = now - last.at;
        if ago < interval {
            let doubled = if doublings > 0 { ", doubled because the last did not help" } else { "" };
            refused.push(format!(
                "the last restart was {ago:.0} s ago and the least interval is {interval:.0} s{doubled}"
            ));
        }
    }
    let recent = state.restarts.iter().filter(|restart| now - restart.at < DAY).count();
    if recent >= params.repair_daily as usize {
        refused.push(format!("{recent} restarts in 24 hours, {} are allowed", params.repair_daily));
    }
    refused
}

#[cfg(test)]
mod tests;
