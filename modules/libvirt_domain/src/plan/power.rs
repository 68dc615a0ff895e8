// SPDX-License-Identifier: GPL-3.0-or-later

//! The steps that turn a guest on and off.

use anyhow::{Result, bail, ensure};

use super::Step;
use crate::activity::{Activity, Pause};
use crate::observe::Found;
use crate::params::{Params, Restart, State};

/// What is known of an instance of the domain, be it running or saved.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Instance {
    /// It is not what the domain is defined as, or will be.
    pub(super) differs: bool,
    /// It is known to run an edit that its receipt does not tell of.
    pub(super) is_stale: bool,
}

/// The steps for a domain that shall exist.
///
/// # Errors
/// Where the guest cannot be brought there without `force`, or is not ours to touch now.
pub(super) fn steps(params: &Params, found: Option<&Found>, instance: Instance) -> Result<Vec<Step>> {
    let activity = found.map_or(Activity::Shutoff, |found| found.activity);
    let restarts = match params.restart {
        Restart::Never => false,
        Restart::IfChanged => instance.differs,
        Restart::Always => true,
    };
    match params.state {
        State::Running if found.is_some_and(|found| found.saved.is_some()) => {
            Ok(from_saved_memory(params, instance, restarts))
        }
        State::Running => to_run(params, activity, restarts),
        State::Shutoff if found.is_some_and(|found| found.killed) => Ok(vec![Step::Clear]),
        State::Shutoff => to_stop(params, activity),
        // Whether it runs is left alone, so one that stands still is not made to run.
        State::Present if restarts && can_stop(params, activity) => Ok(vec![Step::Stop, Step::Start]),
        State::Present | State::Absent => Ok(Vec::new()),
    }
}

/// The steps for a domain whose next start goes on from its saved memory, and so with what was defined then.
fn from_saved_memory(params: &Params, instance: Instance, restarts: bool) -> Vec<Step> {
    let revive = Step::Revive { stale_instance: instance.is_stale };
    match restarts {
        false => vec![revive],
        true if params.powers_off_at_once() => vec![Step::Discard, Step::Start],
        // What the guest has not written to its disks is in that memory only.
        true => vec![revive, Step::Stop, Step::Start],
    }
}

fn to_run(params: &Params, activity: Activity, restarts: bool) -> Result<Vec<Step>> {
    let restart = |first: Step| match restarts {
        true if params.force => vec![Step::Stop, Step::Start],
        true => vec![first, Step::Stop, Step::Start],
        false => vec![first],
    };
    Ok(match activity {
        Activity::Shutoff => vec![Step::Start],
        Activity::Running if restarts => vec![Step::Stop, Step::Start],
        Activity::Running => Vec::new(),
        Activity::Paused(Pause::Job(job)) => bail!(
            "resuming domain {}: expected it paused by somebody, found that it {job}; run the task again when that has ended",
            params.name
        ),
        Activity::Paused(_) => restart(Step::Resume),
        Activity::Suspended => restart(Step::Wake),
        Activity::Stopping => vec![Step::Stop, Step::Start],
        Activity::Crashed => {
            ensure!(
                params.force,
                "starting domain {}: expected it running or shut off, found it crashed and kept to be looked at; set \
                 `force: true` to power it off and start it anew",
                params.name
            );
            vec![Step::Stop, Step::Start]
        }
    })
}

fn to_stop(params: &Params, activity: Activity) -> Result<Vec<Step>> {
    ensure!(
        !activity.is_deaf() || params.force,
        "shutting down domain {}: expected it running, found it {}: its guest cannot hear the power button; {}, or set \
         `force: true` to power it off",
        params.name,
        activity.word(),
        match activity {
            Activity::Crashed => "look at it first (virsh dump)",
            _ => "let it go on first (state: running)",
        }
    );
    Ok(if activity.is_active() { vec![Step::Stop] } else { Vec::new() })
}

fn can_stop(params: &Params, activity: Activity) -> bool {
    activity == Activity::Running || activity.is_deaf() && params.force
}

/// What has stopped a guest that is resumed, where nobody did.
pub(super) fn cause(found: Option<&Found>, steps: &[Step]) -> Option<&'static str> {
    match found?.activity {
        _ if !steps.contains(&Step::Resume) => None,
        Activity::Paused(Pause::DiskError) => Some(
            "an I/O error on one of its disks had paused it; it is resumed: see that the disk works and has space \
             (virsh domblkerror)",
        ),
        Activity::Paused(Pause::Unknown) => Some(
            "it was paused and libvirt does not know why, which may be an I/O error on one of its disks (virsh domblkerror); it is \
             resumed",
        ),
        Activity::Paused(Pause::Watchdog) => {
            Some("its watchdog had paused it, because the guest hung; it is resumed")
        }
        _ => None,
    }
}
