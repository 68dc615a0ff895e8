//! Every program of the collection in one file. Which one runs is told by the name it was called by, as that of a
//! link to it; under any other name, by Ansible's arguments.

mod programs;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use ansible_module::{Arguments, Task};
use anyhow::bail;
use serde::de::IgnoredAny;

fn main() -> ExitCode {
    let called = env::args_os().next().unwrap_or_default();
    let name = Path::new(&called).file_name().unwrap_or_default();
    if let Some(program) = name.to_str().and_then(programs::named) {
        return (program.main)();
    }
    let arguments = Arguments::read();
    let wanted = arguments.as_ref().ok().and_then(Arguments::module);
    match wanted.and_then(programs::named).and_then(|program| program.module) {
        Some(module) => module(arguments),
        None => {
            let wanted = wanted.unwrap_or_default().to_owned();
            ansible_module::answer(arguments, |_: IgnoredAny, _: &mut Task| unknown(&wanted))
        }
    }
}

fn unknown(wanted: &str) -> anyhow::Result<ansible_module::Reply> {
    let known: Vec<_> = programs::ALL.iter().map(|program| program.name).collect();
    bail!(
        "choosing a program: expected one of {} as the name this is called by, or a module among them as \
         _ansible_module_name in the arguments, found {wanted:?}",
        known.join(", ")
    )
}
