// SPDX-License-Identifier: GPL-3.0-or-later

//! What it takes for volumes to be gone.

use anyhow::{Result, bail, ensure};
use zfs_command::DatasetName;

use super::{Plan, Step, sweep, volume};
use crate::dataset::describe;
use crate::dataset::observe::Observed;

/// Plans for volumes to be gone.
///
/// # Errors
/// Where others depend on them or use them.
pub fn absent(volumes: &[DatasetName], observed: &Observed) -> Result<Plan> {
    let mut plan = Plan::default();
    let mut left = Vec::new();
    for name in volumes {
        sweep(name, observed, &mut plan);
        match volume(name, observed)? {
            Some(found) => left.push((name, found)),
            None => {
                plan.before += &describe::absent(name);
                plan.after += &describe::absent(name);
            }
        }
    }
    while !left.is_empty() {
        let others: Vec<&str> = left.iter().map(|(name, _)| name.as_str()).collect();
        // Clones before what they are clones of.
        let free = left
            .iter()
            .position(|(name, _)| !dependants(name, observed).iter().any(|name| others.contains(name)));
        let (name, found) = left.remove(free.unwrap_or(0));
        destroyable(name, volumes, observed)?;
        plan.before += &describe::plain(name, found, observed);
        plan.after += &describe::absent(name);
        plan.steps.push(Step::Destroy(name.clone()));
    }
    Ok(plan)
}

fn destroyable(name: &DatasetName, going: &[DatasetName], observed: &Observed) -> Result<()> {
    let mut staying = dependants(name, observed);
    staying.retain(|dependant| !going.iter().any(|going| going.as_str() == *dependant));
    ensure!(
        staying.is_empty(),
        "{name} cannot be destroyed: {} of it: {}; remove those first",
        if staying.len() == 1 {
            "a clone is made".to_owned()
        } else {
            format!("{} clones are made", staying.len())
        },
        staying.join(", ")
    );
    if let Some(held) = observed.snapshots(name.as_str()).find(|snapshot| snapshot.holds > 0) {
        bail!("{name} cannot be destroyed: its snapshot {0} is held; see `zfs holds {0}`", held.name);
    }
    if let Some(user) = observed.users.get(name.as_str()) {
        bail!("{name} cannot be destroyed while {user} has it open: stop the guest first");
    }
    Ok(())
}

fn dependants<'a>(name: &DatasetName, observed: &'a Observed) -> Vec<&'a str> {
    observed
        .snapshots(name.as_str())
        .flat_map(|snapshot| snapshot.clones.iter().map(String::as_str))
        .collect()
}
