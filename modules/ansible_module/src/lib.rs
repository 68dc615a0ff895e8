// SPDX-License-Identifier: GPL-3.0-or-later

//! What every module program shares: the module protocol, commands, locks, files, progress.
//!
//! A program is one function from typed options to a [`Reply`]; [`run`] does the rest:
//! it reads the arguments (a JSON file as first argument, `-` for standard input, or `+` for its first line, where a stream follows),
//! splits Ansible's own `_ansible_*` keys off, and prints exactly one JSON object.

mod arguments;
mod command;
pub mod files;
mod finished;
mod guests;
pub mod identity;
pub mod lock;
pub mod moment;
pub mod open;
mod output;
mod progress;
mod quantity;
mod reply;
mod state;
pub mod stream;
mod task;
pub mod workbench;

use std::process::ExitCode;

use anyhow::Result;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use arguments::Arguments;
pub use command::{Command, Running, Tool};
pub use finished::{CommandFailed, Finished};
pub use guests::{Answer, alike, answer_each, answer_guests, look_guests, side_by_side};
pub use progress::Progress;
pub use quantity::{Seconds, Size};
pub use reply::{Diff, Reply};
pub use state::State;
pub use task::Task;

/// Runs `module` with the arguments of this process and prints its one JSON reply.
///
/// The exit status is 0 for a reply without `failed`, 1 otherwise; Ansible looks at the reply only.
pub fn run<P, F>(module: F) -> ExitCode
where
    P: DeserializeOwned,
    F: FnOnce(P, &mut Task) -> Result<Reply>,
{
    answer(Arguments::read(), module)
}

/// Runs `module` with arguments that somebody else has read, and prints its one JSON reply; exit status as of [`run`].
pub fn answer<P, F>(arguments: Result<Arguments>, module: F) -> ExitCode
where
    P: DeserializeOwned,
    F: FnOnce(P, &mut Task) -> Result<Reply>,
{
    reply_with(arguments, |options, task| module(arguments::options_from(options)?, task))
}

/// What `module` answers to a look that is one of several in a task, with its warnings and timings: as in check mode, so that nothing is
/// changed.
pub fn look<P, F>(options: Map<String, Value>, module: F) -> Map<String, Value>
where
    P: DeserializeOwned,
    F: FnOnce(P, &mut Task) -> Result<Reply>,
{
    look_with(options, |options, task| module(arguments::options_from(options)?, task))
}

/// The keys that `work` answers with as in check mode.
fn look_with<F>(options: Map<String, Value>, work: F) -> Map<String, Value>
where
    F: FnOnce(Map<String, Value>, &mut Task) -> Result<Reply>,
{
    let mut task = Task::of_look();
    let reply = work(options, &mut task);
    reply.unwrap_or_else(|error| Reply::failure(&error, task.has_changed())).record(task)
}

/// Prints the one JSON reply that `work` makes of a module's options.
fn reply_with<F>(arguments: Result<Arguments>, work: F) -> ExitCode
where
    F: FnOnce(Map<String, Value>, &mut Task) -> Result<Reply>,
{
    reply::answer_panics();
    let mut task = Task::default();
    let reply = arguments.and_then(Arguments::split).and_then(|(settings, options)| {
        task = Task::new(&settings);
        work(options, &mut task)
    });
    reply.unwrap_or_else(|error| Reply::failure(&error, task.has_changed())).print(task)
}
