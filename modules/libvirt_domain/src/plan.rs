// SPDX-License-Identifier: GPL-3.0-or-later

//! What has to be done. Pure: `changed` and the diff come from here in both modes.

use ansible_module::Diff;
use anyhow::{Result, bail, ensure};
use serde::Serialize;
use uuid::Uuid;

use crate::activity::Activity;
use crate::autostart::Start;
use crate::definition::Definition;
use crate::difference::{instance_differs, instance_has_edits, is_given_anew, waits};
use crate::document::sha256;
use crate::former::Known;
use crate::observe::{Found, Observed, start_of};
use crate::params::{Params, State};
use crate::shown::{Shown, current_form, described, diff, forms};
use crate::turn::Turn;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Define the domain, and leave the receipt.
    Define {
        /// The complete XML.
        xml: String,
        /// The running instance is known to differ from what its receipt says.
        stale_instance: bool,
    },
    /// Clear away what a killed process has left, which libvirt takes for running.
    Clear,
    /// Shut the guest down, and power it off where that is allowed.
    Stop,
    /// Throw its saved memory away.
    Discard,
    /// Start it.
    Start,
    /// Let it go on from its saved memory.
    Revive {
        /// The saved instance is known to differ from what its receipt says.
        stale_instance: bool,
    },
    /// Let its processors run.
    Resume,
    /// Wake it up.
    Wake,
    /// Say when its turn is to start with the host, or that it has none.
    Turn(Option<Turn>),
    /// Set libvirt's own mark that it starts with the host, or take it away.
    Autostart(bool),
    /// Wait until it answers. No change.
    Wait {
        /// The digest of the console text, where that has to be waited for too.
        console: Option<String>,
    },
    /// Remove its definition.
    Undefine,
    /// Remove the definition under the name that it had, which is noted first.
    Release(Box<Known>),
    /// Take over what the definition before has left on the machine. No change.
    Adopt(Box<Known>),
    /// Remove that note. No change.
    Forget(Box<Known>),
}

impl Step {
    /// Whether it changes anything.
    pub fn is_change(&self) -> bool {
        !matches!(self, Step::Wait { .. } | Step::Adopt(_) | Step::Forget(_))
    }
}

/// What has to be done, and what will be then.
#[derive(Debug)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// In the user's own words.
    pub diff: Diff,
    /// The domain afterwards.
    pub outcome: Outcome,
    /// What is missing on the host: an error, but in check mode, where an earlier task may have left it undone.
    pub missing: Vec<String>,
    /// Worth telling.
    pub warnings: Vec<String>,
}

/// The domain as the reply shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// Its UUID; none where it does not exist.
    pub uuid: Option<Uuid>,
    /// `running`, `paused`, `suspended`, `stopping`, `crashed`, `shutoff` or `absent`.
    pub state: &'static str,
    /// Whether it starts with the host.
    pub autostart: bool,
    /// Where it does so in its turn, when.
    pub order: Option<u32>,
    /// Seconds that the next one then waits.
    pub delay: Option<u32>,
    /// Whether this run starts it.
    pub started: bool,
    /// Whether its running instance is not what it is defined as.
    pub restart_required: bool,
}

impl Plan {
    /// Whether anything changes.
    pub fn changed(&self) -> bool {
        self.steps.iter().any(Step::is_change)
    }
}

/// Plans.
///
/// # Errors
/// Where what is asked for cannot be, or is not allowed.
pub fn plan(params: &Params, definition: Option<&Definition>, observed: &Observed) -> Result<Plan> {
    match (params.state, &observed.found) {
        (State::Absent, found) => plan_removal(params, found.as_ref()),
        (_, None) if definition.is_none() => {
            bail!("defining domain {}: it does not exist, and the option `xml` is missing", params.name)
        }
        _ => plan_presence(params, definition, observed),
    }
}

fn plan_removal(params: &Params, found: Option<&Found>) -> Result<Plan> {
    let mut steps = Vec::new();
    let mut warnings = Vec::new();
    if let Some(found) = found {
        warnings.extend(refusals::of_lost_snapshots(params, found)?);
        if found.killed {
            steps.push(Step::Clear);
        } else if found.activity.is_active() {
            ensure!(
                params.force,
                "undefining domain {}: expected it shut off, found it {}; shut it down first (state: shutoff), or set \
                 `force: true` to stop and remove it",
                params.name,
                found.activity.word()
            );
            steps.push(Step::Stop);
        }
        if found.persistent {
            steps.push(Step::Undefine);
        }
    }
    let before = found.map(|found| described(found, &current_form(found)));
    Ok(Plan {
        steps,
        diff: diff(params, before.unwrap_or_default(), String::new()),
        outcome: Outcome {
            name: params.name.to_string(),
            uuid: None,
            state: "absent",
            autostart: false,
            order: None,
            delay: None,
            started: false,
            restart_required: false,
        },
        missing: Vec::new(),
        warnings,
    })
}

fn plan_presence(params: &Params, definition: Option<&Definition>, observed: &Observed) -> Result<Plan> {
    let found = observed.found.as_ref();
    refusals::of_wait(params, definition, observed)?;
    rename::check(params, definition, observed)?;
    let mut missing: Vec<String> = refusals::missing_script(observed).into_iter().collect();
    let stale_instance = found.is_some_and(instance_has_edits);
    let mut define = None;
    if let (Some(around), Some(definition)) = (&observed.surroundings, definition) {
        refusals::of_definition(params, definition, observed)?;
        missing.extend(refusals::missing_parts(around, rename::is_rehearsed(observed)));
        define = Some(Step::Define { xml: around.xml.clone(), stale_instance });
    }
    let differs = found.is_some_and(|found| match definition.filter(|_| define.is_some()) {
        Some(definition) => stale_instance || is_given_anew(definition, found),
        None => instance_differs(found),
    });
    let activity = found.map_or(Activity::Shutoff, |found| found.activity);
    let power = power::steps(params, found, power::Instance { differs, is_stale: stale_instance })?;
    let define = define
        .filter(|_| power.contains(&Step::Stop) || !definition.is_some_and(|given| waits(given, found)));
    let mut steps = rename::in_order(in_order(define, power, observed), observed);
    let start = Start::wanted(params, rename::start_before(observed));
    steps.extend(start_steps(start_of(found), start));
    steps.extend(rename::last_step(observed));
    if params.is_waited_for() {
        steps.push(Step::Wait { console: console_to_wait_for(params, found, &steps) });
    }
    let after_activity = match params.state {
        State::Running => Activity::Running,
        State::Shutoff => Activity::Shutoff,
        State::Present | State::Absent if steps.contains(&Step::Start) => Activity::Running,
        State::Present | State::Absent => activity,
    };
    let before = rename::found_before(observed);
    let (form_before, form_after) = forms(definition.filter(|_| observed.surroundings.is_some()), before);
    let boots = steps.iter().any(|step| matches!(step, Step::Stop | Step::Discard));
    let restart_required = differs && !boots && after_activity.is_active();
    let before = before.map(|found| described(found, &form_before));
    let after = Shown {
        state: after_activity.word(),
        memory_saved: found.is_some_and(|found| found.saved.is_some()) && !after_activity.is_active(),
        restart_required,
        start,
        form: &form_after,
    };
    Ok(Plan {
        diff: diff(params, before.unwrap_or_default(), after.to_string()),
        outcome: Outcome {
            name: params.name.to_string(),
            uuid: observed.surroundings.as_ref().map(|around| around.uuid).or(found.map(|found| found.uuid)),
            state: after_activity.word(),
            autostart: start.is_on(),
            order: start.turn.and_then(|turn| turn.order),
            delay: start.turn.map(|turn| turn.delay),
            started: steps.iter().any(|step| matches!(step, Step::Start | Step::Revive { .. })),
            restart_required,
        },
        warnings: warnings(params, &steps, observed, differs),
        steps,
        missing,
    })
}

/// The steps from `found` to `wanted`. They set before they take away: a guest that starts with the host does so whenever they are
/// interrupted.
fn start_steps(found: Start, wanted: Start) -> impl Iterator<Item = Step> {
    let turn = (found.turn != wanted.turn).then_some(Step::Turn(wanted.turn));
    let mark = (found.marked != wanted.marked).then_some(Step::Autostart(wanted.marked));
    let (first, second) = if wanted.turn.is_some() { (turn, mark) } else { (mark, turn) };
    first.into_iter().chain(second)
}

/// A driver that forgets what is defined while a domain runs is told when it does not.
fn in_order(define: Option<Step>, power: Vec<Step>, observed: &Observed) -> Vec<Step> {
    let killed = observed.found.as_ref().is_some_and(|found| found.killed);
    let busy = define.is_some() || !power.is_empty();
    let clear = (killed && busy && power.first() != Some(&Step::Clear)).then_some(Step::Clear);
    let stops_first = observed.bhyve.is_some() && matches!(power.first(), Some(Step::Stop | Step::Clear));
    let (before, after) = power.split_at(usize::from(stops_first));
    clear.into_iter().chain(before.to_vec()).chain(define).chain(after.to_vec()).collect()
}

/// The console text has to be waited for unless this very instance is known to have written it.
fn console_to_wait_for(params: &Params, found: Option<&Found>, steps: &[Step]) -> Option<String> {
    let text = params.wait_for.as_ref()?.console.as_ref()?;
    let digest = sha256(text.as_bytes());
    let known = found.and_then(|found| found.instance()?.instance.shown.as_ref());
    (steps.contains(&Step::Start) || known != Some(&digest)).then_some(digest)
}

fn warnings(params: &Params, steps: &[Step], observed: &Observed, differs: bool) -> Vec<String> {
    let found = observed.found.as_ref();
    let cause = power::cause(found, steps);
    let mut warnings: Vec<_> = cause.iter().map(|words| format!("domain {}: {words}", params.name)).collect();
    let busy = steps.iter().any(|step| matches!(step, Step::Revive { .. } | Step::Discard));
    if differs && !busy && found.is_some_and(|found| found.saved.is_some()) {
        warnings.push(format!(
            "domain {}: its memory was saved with another definition, and its next start goes on with that one; remove it to boot \
             what is defined (virsh managedsave-remove {0}), or start it with `restart: if_changed`",
            params.name
        ));
    }
    if !steps.iter().any(|step| matches!(step, Step::Define { .. })) {
        return warnings;
    }
    let losses = observed.surroundings.iter().flat_map(|around| &around.losses);
    warnings.extend(losses.map(|loss| format!("domain {}: {}", params.name, loss.words)));
    let edited = observed.found.as_ref().is_some_and(|found| {
        let known = found.defined.receipt.as_ref().is_some_and(|receipt| !receipt.is_waiting());
        known && !found.defined.is_untouched()
    });
    if edited {
        warnings.push(format!(
            "domain {} was edited since it was defined; the diff shows what is undone",
            params.name
        ));
    }
    warnings
}

mod moved_disks;
mod power;
mod refusals;
mod rename;
#[cfg(test)]
mod tests;
