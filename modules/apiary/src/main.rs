// SPDX-License-Identifier: GPL-3.0-or-later

//! Every program of the collection in one file. Which one runs is told by the name it was called by, as that of a
//! link to it; under any other name, by Ansible's arguments.

#[cfg(all(feature = "domains", feature = "looks"))]
mod looks;
mod programs;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use ansible_module::{Arguments, Reply, Task, answer};
use anyhow::{Result, bail};
use serde::de::IgnoredAny;

fn main() -> ExitCode {
    let called = env::args_os().next().unwrap_or_default();
    let name = Path::new(&called).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if let Some(command) = programs::command(name) {
        return command();
    }
    let arguments = Arguments::read();
    let asked = arguments.as_ref().ok().and_then(Arguments::module).unwrap_or_default().to_owned();
    match programs::module(name).or_else(|| programs::module(&asked)) {
        Some(module) => module(arguments),
        None => answer(arguments, |_: IgnoredAny, _: &mut Task| unknown(&asked)),
    }
}

fn unknown(asked: &str) -> Result<Reply> {
    bail!(
        "choosing a program: expected one of {} as the name this is called by, or a module among them as \
         _ansible_module_name in the arguments, found {asked:?}",
        programs::names().join(", ")
    )
}
