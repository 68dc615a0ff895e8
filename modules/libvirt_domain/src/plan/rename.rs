// SPDX-License-Identifier: GPL-3.0-or-later

//! A domain that gets another name.

use anyhow::{Result, ensure};

use super::{Step, refusals};
use crate::autostart::Start;
use crate::definition::Definition;
use crate::former::Former;
use crate::observe::{Found, Observed, start_of};
use crate::params::Params;

/// Refuses a rename that would lose something.
pub(super) fn check(params: &Params, definition: Option<&Definition>, observed: &Observed) -> Result<()> {
    let Some(Former { known, found: Some(there) }) = &observed.former else { return Ok(()) };
    let (old, new) = (&known.name, &params.name);
    ensure!(
        observed.found.is_none(),
        "renaming domain {old} to {new}: expected one of them, found both; remove the one that is not wanted (state: absent)"
    );
    ensure!(
        observed.rehearsal || !there.activity.is_active() && !there.killed,
        "renaming domain {old} to {new}: expected it shut off, found it {}; shut it down first (state: shutoff)",
        there.activity.word()
    );
    ensure!(
        there.saved.is_none(),
        "renaming domain {old} to {new}: its memory was saved (virsh managedsave) and would be lost: start it and shut it down, or throw \
         the memory away (virsh managedsave-remove {old})"
    );
    ensure!(
        there.snapshots.is_empty() && there.checkpoints.is_empty(),
        "renaming domain {old} to {new}: expected no snapshots and no checkpoints of libvirt's, found some, which would be lost: delete them \
         first (virsh snapshot-list {old}, virsh checkpoint-list {old})"
    );
    if let Some(around) = &observed.surroundings {
        ensure!(
            around.uuid == known.uuid,
            "renaming domain {old} to {new}: expected its UUID {} in the XML, found {}",
            known.uuid,
            around.uuid
        );
    }
    definition.map_or(Ok(()), |definition| refusals::of_disks(params, definition, there))
}

/// Whether what is renamed with the domain may still have its old name.
pub(super) fn is_rehearsed(observed: &Observed) -> bool {
    observed.rehearsal && observed.former.is_some()
}

/// How the domain starts with the host before anything is done.
pub(super) fn start_before(observed: &Observed) -> Start {
    let former = observed.former.as_ref().map(|former| former.known.start);
    former.unwrap_or_else(|| start_of(observed.found.as_ref()))
}

/// The domain as it was found, by whichever name.
pub(super) fn found_before(observed: &Observed) -> Option<&Found> {
    let former = observed.former.as_ref().and_then(|former| former.found.as_ref());
    observed.found.as_ref().or(former)
}

/// The old definition goes first, because a UUID is that of one domain; what is on the machine comes before the start.
pub(super) fn in_order(mut steps: Vec<Step>, observed: &Observed) -> Vec<Step> {
    let Some(former) = &observed.former else { return steps };
    let known = || Box::new(former.known.clone());
    let defined = steps.iter().position(|step| matches!(step, Step::Define { .. }));
    steps.insert(defined.map_or(0, |at| at + 1), Step::Adopt(known()));
    if former.found.is_some() {
        steps.insert(0, Step::Release(known()));
    }
    steps
}

/// Then nothing need be remembered any more.
pub(super) fn last_step(observed: &Observed) -> Option<Step> {
    observed.former.as_ref().map(|former| Step::Forget(Box::new(former.known.clone())))
}
