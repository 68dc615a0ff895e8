// SPDX-License-Identifier: GPL-3.0-or-later

//! Waits until no other run works on the images that this one will write: what is planned is planned from a look at them that
//! nobody can outdate.

use ansible_module::Task;
use ansible_module::lock::Lock;
use anyhow::Result;
use image_catalog::name::ImageName;

use crate::observe::{Observed, observe};
use crate::params::Params;
use crate::plan::{Plan, plan};

/// What is to be done, what was found, and the locks on all images that are to be written; in check mode none are.
pub struct Prepared {
    pub observed: Observed,
    /// What is to be done.
    pub plan: Plan,
    /// Locks, to be held until it is done.
    pub locks: Locks,
}

#[derive(Default)]
pub struct Locks {
    names: Vec<ImageName>,
    held: Vec<Lock>,
}

/// Looks once where nothing is to be written, and otherwise until a look finds nothing to write that is not locked.
///
/// # Errors
/// Where store or catalogue cannot be read, the catalogue has no such image, the store cannot be made, or another run works for
/// hours.
pub fn prepare(params: &Params, task: &mut Task) -> Result<Prepared> {
    let mut observed = observe(params, task)?;
    let mut locks = Locks::default();
    loop {
        let plan = plan(&params.name, &observed)?;
        if task.check_mode || task.phase("lock", |_| locks.cover(&plan, &mut observed))? {
            return Ok(Prepared { observed, plan, locks });
        }
        observed = observed.again(params, task)?;
    }
}

impl Locks {
    /// Whether all that the plan touches is locked already. If not it is now, and has to be looked at once more.
    fn cover(&mut self, plan: &Plan, observed: &mut Observed) -> Result<bool> {
        let touched = plan.touched()?;
        if touched.iter().all(|name| self.names.contains(name)) {
            return Ok(true);
        }
        // Always in the same order, or two runs would wait for each other.
        std::mem::take(self).remove()?;
        if plan.changed() {
            observed.store.make()?;
        }
        for name in touched {
            self.held.push(lock(&name, observed)?);
            self.names.push(name);
        }
        Ok(false)
    }

    /// Releases them.
    ///
    /// # Errors
    /// Where a lock's file cannot be removed.
    pub fn remove(self) -> Result<()> {
        self.held.into_iter().try_for_each(Lock::remove)
    }
}

/// Waits until no other run works on an image. The connection, which might not survive that, is let go before.
fn lock(name: &ImageName, observed: &mut Observed) -> Result<Lock> {
    if let Some(lock) = observed.store.try_lock(name) {
        return Ok(lock);
    }
    if let Some(offer) = &mut observed.offer {
        offer.repository.disconnect();
    }
    observed.store.lock(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::fs;

    #[test]
    fn what_comes_into_the_plan_meanwhile_is_locked_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        fs::write(file("demo-1.pkg"), "").unwrap();
        let options = json!({"name": "demo", "state": "absent", "store": folder.path()});
        let params: Params = serde_json::from_value(options).unwrap();
        let mut task = Task::default();
        let mut observed = observe(&params, &mut task).unwrap();
        let mut locks = Locks::default();
        let mut covered = |observed: &mut Observed, expected: &[&str]| {
            let plan = plan(&params.name, observed).unwrap();
            let covered = locks.cover(&plan, observed).unwrap();
            assert_eq!(locks.names.iter().map(ImageName::as_str).collect::<Vec<_>>(), expected);
            covered
        };
        assert!(!covered(&mut observed, &["demo-1"]));
        assert!(covered(&mut observed, &["demo-1"]));
        fs::write(file("demo-2.pkg"), "").unwrap();
        let mut observed = observed.again(&params, &mut task).unwrap();
        assert!(!covered(&mut observed, &["demo-1", "demo-2"]));
        assert!(covered(&mut observed, &["demo-1", "demo-2"]));
        assert!(observed.store.try_lock(&"demo-2".parse().unwrap()).is_none());
        locks.remove().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no lock is left");
    }

    #[test]
    fn a_check_locks_nothing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("demo-1.pkg"), "").unwrap();
        let options = json!({"name": "demo-1", "state": "absent", "store": folder.path()});
        let mut task = Task::default();
        task.check_mode = true;
        let prepared = prepare(&serde_json::from_value(options).unwrap(), &mut task).unwrap();
        assert!(prepared.plan.changed() && prepared.locks.names.is_empty());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
