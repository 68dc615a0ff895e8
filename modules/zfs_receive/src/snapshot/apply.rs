// SPDX-License-Identifier: GPL-3.0-or-later

//! Carries out a plan. The only writer.

use anyhow::{Context, Result};
use zfs_command::{Problem, Zfs, problem_of};

use super::MARK;
use super::plan::{Plan, Step};
use crate::dataset::patiently;

/// Carries out all steps.
pub fn apply(zfs: &Zfs, plan: &Plan) -> Result<()> {
    plan.steps.iter().try_for_each(|step| match step {
        Step::Take { name, snapshots } => zfs
            .take(snapshots, (MARK, name))
            .with_context(|| format!("taking snapshot {name} of {}", super::describe::volumes(snapshots))),
        Step::RollBack(snapshot) => patiently(snapshot.dataset().as_str(), || zfs.roll_back(snapshot))
            .with_context(|| format!("rolling back {} to {snapshot}", snapshot.dataset())),
        Step::Destroy(snapshot) => match patiently(snapshot.as_str(), || zfs.destroy(snapshot.as_str())) {
            // Somebody else has been quicker.
            Err(error) if problem_of(&error) == Some(Problem::Missing) => Ok(()),
            result => result.with_context(|| format!("destroying snapshot {snapshot}")),
        },
    })
}
