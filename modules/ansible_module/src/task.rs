// SPDX-License-Identifier: GPL-3.0-or-later

//! One run of a module: how it was asked to work, and what it records on the way.

use std::mem;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::progress::Progress;

/// How the task was asked to run, and its warnings and timings.
#[derive(Debug)]
pub struct Task {
    /// Look and plan only; change nothing.
    pub check_mode: bool,
    /// The caller wants to see differences.
    pub diff_mode: bool,
    /// Number of `-v` given to Ansible.
    pub verbosity: u8,
    by_hand: bool,
    started: Instant,
    /// What was spent on this guest among several; the whole task's time where there is one.
    busy: Option<Duration>,
    /// Something was changed that a failure afterwards does not undo.
    changed: bool,
    warnings: Vec<String>,
    phases: Vec<Phase>,
}

#[derive(Debug)]
struct Phase {
    name: &'static str,
    took: Duration,
    bytes: Option<u64>,
}

impl Default for Task {
    fn default() -> Self {
        Task {
            check_mode: false,
            diff_mode: false,
            verbosity: 0,
            by_hand: true,
            started: Instant::now(),
            busy: None,
            changed: false,
            warnings: Vec::new(),
            phases: Vec::new(),
        }
    }
}

impl Task {
    /// A task with Ansible's settings (`check_mode`, `diff`, `verbosity`; prefix already removed).
    pub(crate) fn new(settings: &Map<String, Value>) -> Self {
        let set = |key: &str| settings.get(key).and_then(Value::as_bool).unwrap_or(false);
        let verbosity = settings.get("verbosity").and_then(Value::as_u64).unwrap_or(0);
        Task {
            check_mode: set("check_mode"),
            diff_mode: set("diff"),
            verbosity: u8::try_from(verbosity).unwrap_or(u8::MAX),
            by_hand: !settings.contains_key("version"),
            ..Task::default()
        }
    }

    /// A task that only looks, whatever it is asked for.
    pub(crate) fn of_look() -> Self {
        Task { check_mode: true, by_hand: false, ..Task::default() }
    }

    /// The task of one guest among several: asked in the same way, with records of its own.
    pub fn of_guest(&self) -> Self {
        let Task { check_mode, diff_mode, verbosity, by_hand, .. } = *self;
        Task { check_mode, diff_mode, verbosity, by_hand, ..Task::default() }
    }

    /// Does some of the work for one guest among several, while which nothing is done for others.
    pub fn busy<T>(&mut self, work: impl FnOnce(&mut Task) -> T) -> T {
        let started = Instant::now();
        let result = work(self);
        *self.busy.get_or_insert_default() += started.elapsed();
        result
    }

    /// Runs a phase that a check leaves out.
    ///
    /// # Errors
    /// Those of the work.
    pub fn for_real<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&mut Task) -> Result<T>,
    ) -> Result<Option<T>> {
        match self.check_mode {
            true => Ok(None),
            false => self.phase(name, work).map(Some),
        }
    }

    /// Runs one phase of the work and records how long it took, whether it succeeds or not.
    pub fn phase<T>(&mut self, name: &'static str, work: impl FnOnce(&mut Task) -> T) -> T {
        let started = Instant::now();
        let result = work(self);
        let took = started.elapsed();
        match self.phases.iter_mut().find(|phase| phase.name == name) {
            Some(phase) => phase.took += took,
            None => self.phases.push(Phase { name, took, bytes: None }),
        }
        result
    }

    /// Records how many bytes phase `name` moved; adds to what it had.
    pub fn record_bytes(&mut self, name: &'static str, bytes: u64) {
        match self.phases.iter_mut().find(|phase| phase.name == name) {
            Some(phase) => phase.bytes = Some(phase.bytes.unwrap_or(0) + bytes),
            None => self.phases.push(Phase { name, took: Duration::ZERO, bytes: Some(bytes) }),
        }
    }

    /// Adds a warning that Ansible shows to the user.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    /// Records that something was changed, so that it is told even where the task fails afterwards.
    pub fn did_change(&mut self) {
        self.changed = true;
    }

    pub(crate) fn has_changed(&self) -> bool {
        self.changed
    }

    pub(crate) fn take_warnings(&mut self) -> Vec<String> {
        mem::take(&mut self.warnings)
    }

    /// Starts showing progress of `label` to whoever waits; `total` in bytes where it is known.
    pub fn progress(&self, label: &str, total: Option<u64>) -> Progress {
        Progress::start(label, total, self.by_hand)
    }

    /// The warnings, and the timings as `{phase: {seconds, bytes?}, total: {seconds}}`.
    pub(crate) fn into_records(self) -> (Vec<String>, Value) {
        let total = self.busy.unwrap_or_else(|| self.started.elapsed());
        let mut timings: Map<String, Value> = Map::new();
        for phase in self.phases {
            let mut record = json!({"seconds": rounded(phase.took)});
            if let Some(bytes) = phase.bytes {
                record["bytes"] = bytes.into();
            }
            timings.insert(phase.name.to_owned(), record);
        }
        timings.insert("total".to_owned(), json!({"seconds": rounded(total)}));
        (self.warnings, Value::Object(timings))
    }
}

/// Seconds to the microsecond.
fn rounded(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_ansibles() {
        let settings = json!({"check_mode": true, "diff": true, "verbosity": 3, "version": "2.19.0"});
        let task = Task::new(settings.as_object().unwrap());
        assert!(task.check_mode && task.diff_mode && task.verbosity == 3 && !task.by_hand);
        assert!(Task::new(&Map::new()).by_hand);
    }

    #[test]
    fn phases_add_up_under_their_name() {
        let mut task = Task::default();
        assert_eq!(task.phase("copy", |task| task.phase("read", |_| 7)), 7);
        task.record_bytes("copy", 5);
        task.record_bytes("copy", 6);
        task.phase("copy", |_| ());
        let (_, timings) = task.into_records();
        assert_eq!(timings["copy"]["bytes"], 11);
        let names: Vec<_> = timings.as_object().unwrap().keys().collect();
        assert_eq!(names, ["copy", "read", "total"]);
    }
}
