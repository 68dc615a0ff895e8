// SPDX-License-Identifier: GPL-3.0-or-later

//! The program as a monitoring check: the module's options as flags, and a choice of outputs.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};
use serde_json::{Map, Value};

use crate::outputs::{Outcome, json, nagios, prometheus, text};
use crate::params::Params;
use crate::session::{Mode, run};

const USAGE: &str = "usage: ntpd_check [OUTPUT] [OPTION...]
       ntpd_check ARGS.json | -        as an Ansible module

Is this clock right, and if not, why? Asks OpenNTPD (ntpctl) or chrony (chronyc).

Output, one of (default: text for a person; exit status as --nagios):
  --nagios               one line with performance data; exit 0 ok, 1 warning, 2 critical, 3 unknown
  --json                 one JSON object; exit 0 whenever a verdict was reached
  --prometheus FILE      metrics for the textfile collector, replaced in one step; - prints them; exit as --json

Options:
  --from FILE            judge a saved or pasted output of `ntpctl -s all`, in whatever state; - reads standard input
  --daemon NAME          auto, openntpd or chrony
  --check                with --repair: say what would be done, remember nothing
  --probe                ask every peer directly
  --repair               restart OpenNTPD where that is the cure and every guard rail holds
  --candidate SERVER     sample and rank this server; may be repeated
  --NAME VALUE           any other option of the module: time-limit, offset-warning, offset-critical, min-peers,
                         max-stratum, start-grace, blocked-critical, slew-rate, drift-limit, drift-file, leap-file,
                         config-file, state-file, probe-timeout, samples, sample-interval, repair-interval,
                         repair-daily, service
  --version, --help
";

/// Exit status of a plugin that could not check: wrong usage included.
const UNKNOWN: u8 = 3;

/// Options whose flag differs from their name or that are lists, aside.
const TEXTS: [&str; 7] =
    ["daemon", "drift_file", "leap_file", "config_file", "state_file", "service", "from_file"];
const NUMBERS: [&str; 14] = [
    "time_limit",
    "offset_warning",
    "offset_critical",
    "min_peers",
    "max_stratum",
    "start_grace",
    "blocked_critical",
    "slew_rate",
    "drift_limit",
    "probe_timeout",
    "samples",
    "sample_interval",
    "repair_interval",
    "repair_daily",
];

#[derive(Debug, PartialEq)]
enum Output {
    Text,
    Nagios,
    Json,
    Prometheus(PathBuf),
}

#[derive(Debug)]
struct Request {
    output: Output,
    mode: Mode,
    params: Params,
}

/// Runs with the flags in `args` and prints to stdout.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let request = match parse(args) {
        Ok(Ok(request)) => request,
        Ok(Err(shown)) => return say(&shown, 0),
        Err(error) => return say(&format!("NTPD UNKNOWN - {error:#}\n{USAGE}"), UNKNOWN),
    };
    let outcome = match run(&request.params, request.mode) {
        Ok((mut outcome, acted)) => {
            if let Err(error) = acted {
                outcome.repair.refuse("it failed", &error);
            }
            outcome
        }
        Err(error) => return say(&format!("NTPD UNKNOWN - {error:#}\n"), UNKNOWN),
    };
    let severity = outcome.judgement.severity.code();
    match show(&request, &outcome) {
        Ok(text) => {
            say(&text, if matches!(request.output, Output::Text | Output::Nagios) { severity } else { 0 })
        }
        Err(error) => say(&format!("NTPD UNKNOWN - {error:#}\n"), UNKNOWN),
    }
}

fn show(request: &Request, outcome: &Outcome) -> Result<String> {
    Ok(match &request.output {
        Output::Text => text::text(outcome),
        Output::Nagios => nagios::text(outcome, &request.params) + "\n",
        Output::Json => Value::Object(json::object(outcome)?).to_string() + "\n",
        Output::Prometheus(path) if is_stdout(path) => prometheus::text(outcome),
        Output::Prometheus(path) => {
            prometheus::write(path, outcome)?;
            String::new()
        }
    })
}

/// What people mean by these names is where text goes, not a file to be replaced.
fn is_stdout(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1"].iter().any(|name| path == Path::new(name))
}

fn say(text: &str, code: u8) -> ExitCode {
    let mut stdout = io::stdout().lock();
    // A reader that has gone away, as `head` does, changes nothing about the status.
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    ExitCode::from(code)
}

/// A request, or the text that `--help` and `--version` ask for.
fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Result<Request, String>> {
    let mut parser = Parser::from_args(args);
    let (mut output, mut mode) = (Output::Text, Mode::Run);
    let mut options = Map::new();
    let mut candidates = Vec::new();
    while let Some(arg) = parser.next()? {
        let Arg::Long(flag) = arg else { bail!("{}", arg.unexpected()) };
        let name = flag.replace('-', "_");
        match name.as_str() {
            "help" => return Ok(Err(USAGE.to_owned())),
            "version" => return Ok(Err(format!("ntpd_check {}\n", env!("CARGO_PKG_VERSION")))),
            "nagios" => output = Output::Nagios,
            "json" => output = Output::Json,
            "prometheus" => output = Output::Prometheus(parser.value()?.into()),
            "check" => mode = Mode::Check,
            "probe" | "repair" => put(&mut options, name, true),
            "candidate" => candidates.push(Value::String(parser.value()?.string()?)),
            "from" => put(&mut options, "from_file", from(parser.value()?.string()?)),
            known if TEXTS.contains(&known) => put(&mut options, known, parser.value()?.string()?),
            known if NUMBERS.contains(&known) => put(&mut options, known, number(known, parser.value()?)?),
            unknown => bail!("unknown flag --{}", unknown.replace('_', "-")),
        }
    }
    if !candidates.is_empty() {
        put(&mut options, "candidates", candidates);
    }
    let params = serde_json::from_value(Value::Object(options)).context("reading the flags")?;
    Ok(Ok(Request { output, mode, params }))
}

fn from(file: String) -> String {
    if file == "-" { "/dev/stdin".to_owned() } else { file }
}

fn put(options: &mut Map<String, Value>, name: impl Into<String>, value: impl Into<Value>) {
    options.insert(name.into(), value.into());
}

fn number(name: &str, value: OsString) -> Result<Value> {
    let flag = name.replace('_', "-");
    let text = value.string()?;
    let doing = || format!("--{flag} expects a number, found {text:?}");
    if let Ok(whole) = text.parse::<u64>() {
        return Ok(whole.into());
    }
    let number: f64 = text.parse().with_context(doing)?;
    serde_json::Number::from_f64(number).map(Value::Number).with_context(doing)
}

#[cfg(test)]
mod tests;
