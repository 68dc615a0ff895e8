// SPDX-License-Identifier: GPL-3.0-or-later

//! The smallest whole module: what the delivery tests run on their targets, and a pattern for a new program.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ansible_module::{Reply, Seconds, Size, Task};
use anyhow::{Result, bail};
use nix::unistd::{User, geteuid};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    #[serde(default)]
    text: String,
    #[serde(default)]
    secret: Option<String>,
    #[serde(default)]
    size: Option<Size>,
    #[serde(default)]
    number: Option<i64>,
    #[serde(default)]
    flag: bool,
    #[serde(default)]
    parts: Vec<Part>,
    #[serde(default)]
    anything: Option<Value>,
    #[serde(default)]
    variable: Option<String>,
    #[serde(default)]
    work: Option<Seconds>,
    #[serde(default)]
    until: Option<PathBuf>,
    #[serde(default)]
    behaviour: Behaviour,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Part {
    name: String,
    #[serde(default)]
    rank: i64,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Behaviour {
    #[default]
    Answer,
    Fail,
    Abort,
    Noise,
}

fn main() -> ExitCode {
    ansible_module::run(probe)
}

fn probe(params: Params, task: &mut Task) -> Result<Reply> {
    if let Some(work) = params.work {
        task.phase("work", |task| pretend(task, work.duration(), params.until.as_deref()));
    }
    match params.behaviour {
        Behaviour::Answer => (),
        Behaviour::Noise => eprintln!("a line that is not part of the reply: {{\"failed\": true}}"),
        Behaviour::Fail => bail!("doing what was asked: expected an answer, found {:?}", params.text),
        Behaviour::Abort => std::process::abort(),
    }
    let user = User::from_uid(geteuid())?.map(|user| user.name);
    let variable = params.variable.map(|name| env::var(name).unwrap_or_default());
    Ok(Reply::new(!task.check_mode && params.flag)
        .with("text", params.text)
        .with("secret", params.secret)
        .with("size", params.size.map(|size| size.0))
        .with("number", params.number)
        .with("parts", params.parts)
        .with("anything", params.anything)
        .with("variable", variable)
        .with("user", user)
        .with("check_mode", task.check_mode))
}

/// Takes its time, or until a file is there, and says so as a long transfer would.
fn pretend(task: &Task, length: Duration, until: Option<&Path>) {
    let progress = task.progress("pretending", Some(length.as_millis() as u64));
    let started = Instant::now();
    while started.elapsed() < length && !until.is_some_and(Path::exists) {
        let tick = Duration::from_millis(100);
        sleep(tick);
        progress.advance(tick.as_millis() as u64);
    }
}
