// SPDX-License-Identifier: GPL-3.0-or-later

//! The one JSON object that a module prints.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::panic;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Error;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::finished::CommandFailed;
use crate::guests::Answer;
use crate::task::Task;

/// What would change, in the user's own words; shown by Ansible with `--diff`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// State that was found.
    pub before: String,
    /// State that was asked for.
    pub after: String,
    /// What the two texts describe.
    pub header: String,
}

impl Diff {
    /// In Ansible's form; `whose` where there are those of several guests.
    fn shown(&self, whose: Option<&str>) -> Value {
        let header = whose.map_or_else(|| self.header.clone(), |whose| format!("{whose}: {}", self.header));
        json!({"before": self.before, "after": self.after, "before_header": header, "after_header": header})
    }
}

/// What a module answers; printed once, by [`crate::run`].
#[derive(Clone, Debug)]
pub struct Reply {
    keys: Map<String, Value>,
    diff: Option<Diff>,
}

impl Reply {
    /// A reply of success; `changed` is what Ansible counts.
    pub fn new(changed: bool) -> Self {
        Reply { keys: Map::from_iter([("changed".to_owned(), Value::Bool(changed))]), diff: None }
    }

    /// Adds the difference, unless both sides are the same.
    pub fn diff(mut self, diff: Diff) -> Self {
        self.diff = (diff.before != diff.after).then_some(diff);
        self
    }

    /// Adds one return value. A value that JSON cannot hold makes the reply a failed one.
    pub fn with(mut self, key: &str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => {
                self.keys.insert(key.to_owned(), value);
                self
            }
            Err(error) => self.msg(format!("putting {key} into the reply: {error}")).failed(),
        }
    }

    /// Sets the line that a person reads.
    pub fn msg(mut self, text: impl Into<String>) -> Self {
        self.keys.insert("msg".to_owned(), Value::String(text.into()));
        self
    }

    /// The same for somebody else who asked for the same: it has changed already, and been shown.
    pub fn again(mut self) -> Self {
        self.keys.insert("changed".to_owned(), Value::Bool(false));
        Reply { diff: None, ..self }
    }

    /// Makes this the reply of a failed task.
    pub fn failed(mut self) -> Self {
        self.keys.insert("failed".to_owned(), Value::Bool(true));
        self
    }

    /// The reply of a task that ended with `error`: the chain in one line, a failed command in keys of its own. What it has
    /// `changed` before is told all the same.
    pub(crate) fn failure(error: &Error, changed: bool) -> Self {
        let line = format!("{error:#}").split('\n').map(str::trim).collect::<Vec<_>>().join(" ");
        let reply = Reply::new(changed).failed().msg(line);
        match error.chain().find_map(|cause| cause.downcast_ref::<CommandFailed>()) {
            Some(failed) => {
                reply.with("cmd", &failed.cmd).with("rc", failed.rc).with("stderr", &failed.stderr)
            }
            None => reply,
        }
    }

    /// The reply for several guests: what became of each by its name. Differences and warnings, which Ansible shows from one place
    /// only, are the whole reply's.
    pub(crate) fn of_guests(answers: BTreeMap<String, Answer>, task: &mut Task) -> Self {
        let (asked, mut failures, mut diffs, mut guests) =
            (answers.len(), Vec::new(), Vec::new(), Map::new());
        for (name, Answer { reply, task: mut own }) in answers {
            own.take_warnings().into_iter().for_each(|warning| task.warn(format!("{name}: {warning}")));
            let mut reply = reply.unwrap_or_else(|error| Reply::failure(&error, own.has_changed()));
            diffs.extend(reply.diff.take().map(|diff| diff.shown(Some(&name))));
            let keys = reply.record(own);
            if keys.contains_key("failed") {
                failures.push(format!("{name}: {}", keys["msg"].as_str().unwrap_or_default()));
            }
            guests.insert(name, Value::Object(keys));
        }
        let changed = guests.values().any(|keys| keys["changed"] == true);
        let mut reply = Reply::new(changed).with("guests", guests);
        if task.diff_mode && !diffs.is_empty() {
            reply = reply.with("diff", diffs);
        }
        if failures.is_empty() {
            return reply;
        }
        let guests = if asked == 1 { "guest" } else { "guests" };
        reply.failed().msg(format!("{} of {asked} {guests} failed: {}", failures.len(), failures.join("; ")))
    }

    /// All keys, with the task's warnings and timings.
    pub(crate) fn record(mut self, task: Task) -> Map<String, Value> {
        if let Some(diff) = self.diff.take().filter(|_| task.diff_mode) {
            self = self.with("diff", diff.shown(None));
        }
        let (warnings, timings) = task.into_records();
        if !warnings.is_empty() {
            self = self.with("warnings", warnings);
        }
        self.with("timings", timings).keys
    }

    /// Prints the reply with the task's warnings and timings.
    pub(crate) fn print(self, task: Task) -> ExitCode {
        let keys = self.record(task);
        let failed = keys.contains_key("failed");
        let printed = print_once(&Value::Object(keys));
        if failed || printed.is_err() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// Set when the reply has been printed: a panic after that must not print a second one.
static ANSWERED: AtomicBool = AtomicBool::new(false);

fn print_once(reply: &Value) -> io::Result<()> {
    if ANSWERED.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{reply}")?;
    stdout.flush()
}

/// Turns a panic, which is always our own error, into a failed reply instead of a silent crash.
pub(crate) fn answer_panics() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let reason = info.payload_as_str().unwrap_or("no reason given");
        let msg = format!("internal error at {place}: {reason}; please report this as a bug of apiary.bhyve");
        // There is nobody left to tell when even this cannot be printed.
        let _ = print_once(&json!({"failed": true, "changed": false, "msg": msg}));
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn failure_is_one_line_and_keeps_the_command_apart() {
        let failed = CommandFailed {
            cmd: "/sbin/zfs list tank".into(),
            rc: 1,
            stderr: "cannot open 'tank'\nmore\n".into(),
        };
        let error = Err::<(), _>(failed).context("looking for volume tank/web1").unwrap_err();
        let reply = Reply::failure(&error, false);
        assert_eq!(
            Value::Object(reply.keys),
            json!({
                "changed": false, "failed": true, "rc": 1,
                "cmd": "/sbin/zfs list tank", "stderr": "cannot open 'tank'\nmore\n",
                "msg": "looking for volume tank/web1: `/sbin/zfs list tank` exited with 1: cannot open 'tank' more",
            })
        );
    }

    #[test]
    fn equal_sides_are_no_difference() {
        let diff = Diff { before: "a".into(), after: "a".into(), header: "guest".into() };
        assert_eq!(Reply::new(false).diff(diff).diff, None);
    }
}
