// SPDX-License-Identifier: GPL-3.0-or-later

//! One run from end to end: observe, judge, plan, and only then act and remember.

use std::time::Duration;

use ansible_module::{Diff, Finished, Reply, Task};
use anyhow::Result;

use crate::daemon::{self, Kind, Process};
use crate::daemon_log;
use crate::judge::{Limits, judge};
use crate::judgement::Judgement;
use crate::observe::{Observed, observe, state_path};
use crate::outputs::{Outcome, json};
use crate::params::Params;
use crate::repair::plan;
use crate::service::{self, Engine};
use crate::state::{self, State};
use crate::verdict::Verdict;

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
/// Where the options contradict each other, or nothing could be judged at all.
pub fn module(params: Params, task: &mut Task) -> Result<Reply> {
    let mode = if task.check_mode { Mode::Check } else { Mode::Run };
    let outcome = task.phase("check", |_| run(&params, mode))?;
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

/// Checks once. A restart that failed does not hide why it was needed: it is a note.
///
/// # Errors
/// Where the options contradict each other, or nothing could be judged at all.
pub fn run(params: &Params, mode: Mode) -> Result<Outcome> {
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
    if remembers && outcome.observed.memory.is_ok() {
        let look = || Ok(daemon::processes(Kind::Openntpd, params.time_limit.duration())?.daemon);
        apply(params, &mut outcome, remembered, look);
    }
    Ok(outcome)
}

/// What is wrong with a daemon that runs here may stand in its log. Nobody reads it while all is well.
fn explain(params: &Params, observed: &Observed, judgement: &mut Judgement) {
    if let Some(kind) = observed.daemon
        && judgement.verdict != Verdict::Ok
    {
        judgement.explain(&daemon_log::read(kind, params.log_file.as_deref()));
    }
}

/// Counts a restart before it happens, so that no crash can lift its limit, and takes that back where nothing has happened.
fn apply(
    params: &Params,
    outcome: &mut Outcome,
    mut remembered: State,
    look: impl FnMut() -> Result<Option<Process>>,
) {
    let untouched = remembered.clone();
    if outcome.repair.restart {
        let now = outcome.observed.evidence.moment();
        remembered.note_restart(&now, outcome.judgement.clock.clock_error);
    }
    if let Err(error) = state::save(&state_path(params), &remembered) {
        // A full disk must not hide a wrong clock.
        outcome.observed.forget(&error);
        outcome.repair.refuse("restarts cannot be counted", &error);
        return;
    }
    if !outcome.repair.restart {
        outcome.observed.evidence.state.restarts = remembered.restarts;
        return;
    }
    if restart(params, outcome, look) == Engine::Same {
        outcome.repair.take_back();
        remembered = untouched;
        if let Err(error) = state::save(&state_path(params), &remembered) {
            outcome.observed.forget(&error);
        }
    } else {
        outcome.repair.acted = true;
    }
    outcome.observed.evidence.state.restarts = remembered.restarts;
}

/// Restarts the daemon and says what has become of its engine; what went wrong is a note.
fn restart(params: &Params, outcome: &mut Outcome, look: impl FnMut() -> Result<Option<Process>>) -> Engine {
    let evidence = &outcome.observed.evidence;
    let before = Process { pid: evidence.pid.unwrap_or(0), uptime: evidence.uptime.unwrap_or(0.0) as u64 };
    let asked = service::restart(params.service.as_deref());
    let settling = if asked.is_ok() { service::SETTLING } else { Duration::ZERO };
    let compared = service::compare(before, settling, look);
    let engine = *compared.as_ref().unwrap_or(&Engine::Gone);
    outcome.restarted = engine == Engine::New;
    let command = service::described(params.service.as_deref());
    let notes = &mut outcome.observed.notes;
    match asked {
        Err(error) => notes.push(format!("{error:#}")),
        Ok(finished) if engine == Engine::Same => notes.push(format!(
            "`{command}` says that it is done, but the engine is process {} as before: nothing was restarted{}",
            before.pid,
            words(&finished)
        )),
        Ok(_) => (),
    }
    match compared {
        Err(error) => notes.push(format!("whether the daemon runs again is unknown: {error:#}")),
        Ok(Engine::Gone) => notes.push(format!(
            "the daemon has ended and not come back: start it with `{command}`, and see its log"
        )),
        Ok(_) => (),
    }
    engine
}

/// What a tool said that claims to have done it.
fn words(finished: &Finished) -> String {
    let said = format!("{} {}", finished.stdout.trim(), finished.stderr.trim());
    let said: String = said.trim().chars().take(200).collect();
    if said.is_empty() { said } else { format!(" ({said})") }
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
