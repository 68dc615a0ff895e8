// SPDX-License-Identifier: GPL-3.0-or-later

//! One run from end to end: observe, judge, plan, and only then act and remember.

use ansible_module::{Diff, Reply, Task};
use anyhow::Result;

use crate::daemon::Kind;
use crate::evidence::Source;
use crate::judge::{Limits, judge};
use crate::judgement::Judgement;
use crate::observe::{Observed, observe, state_path};
use crate::outputs::{Outcome, json};
use crate::params::Params;
use crate::repair::plan;
use crate::verdict::Verdict;
use crate::{daemon_log, service, state};

/// What a run may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything that was asked for.
    Run,
    /// Look and plan only.
    Check,
}

/// The module.
///
/// # Errors
/// Where the options contradict each other, nothing could be judged at all, or a restart failed.
pub fn module(params: Params, task: &mut Task) -> Result<Reply> {
    let mode = if task.check_mode { Mode::Check } else { Mode::Run };
    let (outcome, acted) = task.phase("check", |_| run(&params, mode))?;
    acted?;
    let judgement = &outcome.judgement;
    let mut reply = Reply::new(outcome.repair.restart).diff(diff(&outcome)).msg(summary(&outcome));
    for (key, value) in json::object(&outcome)? {
        reply = reply.with(&key, value);
    }
    for warning in outcome.observed.notes.iter().chain(&outcome.repair.warnings) {
        task.warn(warning.clone());
    }
    if params.fail_on.fails(judgement.severity) {
        reply = reply.failed();
    }
    Ok(reply)
}

/// Checks once; the second result is that of a restart, whose failure does not hide why it was needed.
///
/// # Errors
/// Where the options contradict each other, or nothing could be judged at all.
pub fn run(params: &Params, mode: Mode) -> Result<(Outcome, Result<()>)> {
    params.check()?;
    let remembers = mode == Mode::Run && params.from_file.is_none() && params.monitoring.server.is_none();
    let path = state_path(params);
    let lock = remembers.then(|| state::lock(&path, params.time_limit.duration()));
    let mut observed = observe(params)?;
    if let Some(Err(error)) = &lock {
        observed.forget(error);
    }
    let expected = observed.evidence.expecting(params.expected_offset);
    let mut judgement = judge(&expected, &Limits::new(params, std::env::consts::OS));
    explain(params, &observed, &mut judgement);
    let judgement = params.settle(judgement);
    let mut remembered = observed.evidence.state.clone();
    let evidence = &observed.evidence;
    remembered.remember(evidence, &judgement);
    let memory = observed.memory.as_ref().map(|()| &remembered).map_err(String::as_str);
    let mut repair = plan(params, evidence, &judgement, memory);
    if repair.restart
        && let Err(error) = service::validate(params.config_file.as_deref())
    {
        repair.refuse("the daemon might not start again", &error);
    }
    if repair.restart && !observed.listens.is_empty() {
        repair.warnings.push(format!(
            "this host serves time on {}: its clients see it unsynced for some minutes",
            observed.listens.join(", ")
        ));
    }
    let mut outcome = Outcome { observed, judgement, repair, restarted: false };
    let acts = remembers && outcome.observed.memory.is_ok();
    let acted = if acts { apply(params, &mut outcome, remembered) } else { Ok(()) };
    Ok((outcome, acted))
}

/// What is wrong with a daemon that runs here may stand in its log. Nobody reads it while all is well.
fn explain(params: &Params, observed: &Observed, judgement: &mut Judgement) {
    let here = params.from_file.is_none() && params.monitoring.server.is_none();
    if here && judgement.verdict != Verdict::Ok {
        let kind = match observed.evidence.source {
            Source::Chrony(_) => Kind::Chrony,
            _ => Kind::Openntpd,
        };
        judgement.explain(&daemon_log::read(kind, params.log_file.as_deref()));
    }
}

/// Counts a restart before it happens, so that no crash can lift its limit.
fn apply(params: &Params, outcome: &mut Outcome, mut remembered: state::State) -> Result<()> {
    if outcome.repair.restart {
        remembered.note_restart(&outcome.observed.evidence.moment(), outcome.judgement.clock.clock_error);
    }
    if let Err(error) = state::save(&state_path(params), &remembered) {
        // A full disk must not hide a wrong clock.
        outcome.observed.forget(&error);
        outcome.repair.refuse("restarts cannot be counted", &error);
        return Ok(());
    }
    outcome.observed.evidence.state.restarts = remembered.restarts;
    if outcome.repair.restart {
        let os = std::env::consts::OS;
        service::restart(params.service.as_deref().unwrap_or(service::default_name(os)), os)?;
        outcome.restarted = true;
    }
    Ok(())
}

fn summary(outcome: &Outcome) -> String {
    let judgement = &outcome.judgement;
    let word = judgement.verdict.word();
    match judgement.reasons.first() {
        Some(reason) => format!("{word}: {reason}"),
        None => word.to_owned(),
    }
}

fn diff(outcome: &Outcome) -> Diff {
    if !outcome.repair.restart {
        return Diff::default();
    }
    let why = match outcome.judgement.verdict {
        Verdict::Blocked => format!("blocked by {}", outcome.judgement.blocking_peers.join(", ")),
        other => other.word().to_owned(),
    };
    Diff {
        before: format!("running, {why}\n"),
        after: "restarted\n".to_owned(),
        header: "OpenNTPD".to_owned(),
    }
}

#[cfg(test)]
mod tests;
