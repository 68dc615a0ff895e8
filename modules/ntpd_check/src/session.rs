//! One run from end to end: observe, judge, plan, and only then act and remember.

use ansible_module::{Diff, Reply, Task};
use anyhow::Result;

use crate::judge::{Limits, Verdict, judge};
use crate::observe::{observe, state_path};
use crate::outputs::{Outcome, json};
use crate::params::Params;
use crate::repair::plan;
use crate::{service, state};

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
/// Where nothing could be judged at all, or a restart failed.
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

/// Checks once.
///
/// # Errors
/// Where nothing could be judged at all, or a restart failed.
pub fn run(params: &Params, mode: Mode) -> Result<Outcome> {
    let remembers = mode == Mode::Run && params.from_file.is_none();
    let path = state_path(params);
    let lock = remembers.then(|| state::lock(&path, params.time_limit.duration()));
    let mut observed = observe(params)?;
    if let Some(Err(error)) = &lock {
        let why = format!("{error:#}");
        observed.notes.push(format!("nothing is remembered for the next run: {why}"));
        observed.memory = Err(why);
    }
    let judgement = judge(&observed.evidence, &Limits::new(params, std::env::consts::OS));
    let mut remembered = observed.evidence.state.clone();
    let evidence = &observed.evidence;
    remembered.remember(evidence, &judgement);
    let memory = observed.memory.as_ref().map(|()| &remembered).map_err(String::as_str);
    let mut repair = plan(params, evidence, &judgement, memory);
    if repair.restart && !observed.listens.is_empty() {
        repair.warnings.push(format!(
            "this host serves time on {}: its clients see it unsynced for some minutes",
            observed.listens.join(", ")
        ));
    }
    let mut outcome = Outcome { observed, judgement, repair, restarted: false };
    if remembers && outcome.observed.memory.is_ok() {
        apply(params, &mut outcome, remembered)?;
    }
    Ok(outcome)
}

/// Counts a restart before it happens, so that no crash can lift its limit.
fn apply(params: &Params, outcome: &mut Outcome, mut remembered: state::State) -> Result<()> {
    if outcome.repair.restart {
        remembered.note_restart(outcome.observed.evidence.now, outcome.judgement.clock.clock_error);
    }
    state::save(&state_path(params), &remembered)?;
    if outcome.repair.restart {
        let os = std::env::consts::OS;
        service::restart(params.service.as_deref().unwrap_or(service::default_name(os)), os)?;
        outcome.restarted = true;
    }
    outcome.observed.evidence.state.restarts = remembered.restarts;
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
