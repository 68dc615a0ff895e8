// SPDX-License-Identifier: GPL-3.0-or-later

//! The program as a monitoring check: the module's options as flags, and a choice of outputs.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};
use serde_json::{Map, Value};

use crate::monitoring::{self, Monitoring, UNREACHABLE};
use crate::observe::state_path;
use crate::outputs::{Outcome, json, nagios, prometheus, text};
use crate::params::Params;
use crate::range::{Range, seconds};
use crate::session::{Mode, run};
use crate::soft::{self, Shown};

const USAGE: &str = include_str!("cli/usage.txt");

/// Exit status of a plugin that could not check: wrong usage included.
const UNKNOWN: u8 = 3;

/// Options whose flag differs from their name or that are lists, aside.
const TEXTS: [&str; 8] =
    ["daemon", "log_file", "drift_file", "leap_file", "config_file", "state_file", "service", "from_file"];
const NUMBERS: [&str; 15] = [
    "expected_offset",
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
    let mut outcome = match run(&request.params, request.mode) {
        Ok(outcome) => outcome,
        Err(error) => return say(&format!("NTPD UNKNOWN - {error:#}\n"), UNKNOWN),
    };
    let shown = soften(&request, &mut outcome);
    match show(&request, &outcome, &shown) {
        Ok(text) => {
            let code = shown.severity.code();
            say(&text, if matches!(request.output, Output::Text | Output::Nagios) { code } else { 0 })
        }
        // A full disk hides no wrong clock.
        Err(error) => say(&format!("NTPD UNKNOWN - {error:#}\n{}", text::text(&outcome)), UNKNOWN),
    }
}

/// The state to report: a count that cannot be kept makes none soft.
fn soften(request: &Request, outcome: &mut Outcome) -> Shown {
    let severity = outcome.judgement.severity;
    let params = &request.params;
    if params.from_file.is_some() {
        return Shown::hard(severity);
    }
    let settled = soft::settle(&state_path(params), severity, params.monitoring.attempts, request.mode);
    settled.unwrap_or_else(|error| {
        outcome.observed.notes.push(format!("bad looks are not counted: {error:#}"));
        Shown::hard(severity)
    })
}

fn show(request: &Request, outcome: &Outcome, shown: &Shown) -> Result<String> {
    Ok(match &request.output {
        Output::Text => text::text(outcome),
        Output::Nagios => nagios::text(outcome, &request.params, shown) + "\n",
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
    let mut flags = Flags::default();
    while let Some(arg) = parser.next()? {
        let name = match &arg {
            Arg::Long(flag) => flag.replace('-', "_"),
            Arg::Short(short) if SHORT.iter().any(|(known, _)| known == short) => {
                let long = SHORT.iter().find(|(known, _)| known == short);
                long.map_or_else(String::new, |(_, long)| (*long).to_owned())
            }
            _ => bail!("{}", arg.unexpected()),
        };
        match name.as_str() {
            "help" => return Ok(Err(USAGE.to_owned())),
            "version" => return Ok(Err(format!("ntpd_check {}\n", env!("CARGO_PKG_VERSION")))),
            _ => flags.take(&name, &mut parser)?,
        }
    }
    flags.request().map(Ok)
}

/// Flags that plugins have by convention.
const SHORT: [(char, &str); 7] = [
    ('w', "warning"),
    ('c', "critical"),
    ('t', "timeout"),
    ('H', "hostname"),
    ('v', "verbose"),
    ('V', "version"),
    ('h', "help"),
];

/// What has been read so far.
#[derive(Default)]
struct Flags {
    output: Option<Output>,
    /// Whether a flag of plugins was used.
    plugin: bool,
    check: bool,
    options: Map<String, Value>,
    candidates: Vec<Value>,
    monitoring: Monitoring,
}

impl Flags {
    fn take(&mut self, name: &str, parser: &mut Parser) -> Result<()> {
        match name {
            "nagios" => self.output = Some(Output::Nagios),
            "json" => self.output = Some(Output::Json),
            "prometheus" => self.output = Some(Output::Prometheus(parser.value()?.into())),
            "check" => self.check = true,
            "probe" | "repair" => put(&mut self.options, name, true),
            "candidate" => self.candidates.push(Value::String(parser.value()?.string()?)),
            "from" => put(&mut self.options, "from_file", from(parser.value()?.string()?)),
            "warning" | "critical" | "timeout" | "hostname" | "verbose" => self.plugin(name, parser)?,
            "unreachable" => {
                let state = monitoring::severity_of(&parser.value()?.string()?).context("--unreachable")?;
                self.monitoring.states.extend(UNREACHABLE.map(|verdict| (verdict, state)));
            }
            "state" => {
                self.monitoring
                    .states
                    .push(monitoring::state(&parser.value()?.string()?).context("--state")?);
            }
            "attempts" => self.monitoring.attempts = whole("attempts", &parser.value()?.string()?)?,
            known if TEXTS.contains(&known) => put(&mut self.options, known, parser.value()?.string()?),
            known if NUMBERS.contains(&known) => {
                put(&mut self.options, known, number(known, parser.value()?)?);
            }
            unknown => bail!("unknown flag --{}", unknown.replace('_', "-")),
        }
        Ok(())
    }

    /// Flags of the Monitoring Plugins guidelines.
    fn plugin(&mut self, name: &str, parser: &mut Parser) -> Result<()> {
        self.plugin = true;
        if name == "verbose" {
            return Ok(());
        }
        let value = parser.value()?.string()?;
        let flag = || format!("--{name}");
        match name {
            "hostname" => self.monitoring.server = Some(value),
            "timeout" => {
                let limit = seconds(&value).filter(|limit| *limit > 0.0);
                let limit =
                    limit.with_context(|| format!("--timeout expects seconds above 0, found {value:?}"))?;
                put(&mut self.options, "time_limit", limit);
                // Probes and the daemon are asked one after the other.
                self.options.entry("probe_timeout").or_insert_with(|| limit.min(1.0).into());
            }
            _ if value.contains([':', '@']) => {
                let range = Range::parse(&value).with_context(flag)?;
                if let Some(size) = range.size() {
                    put(&mut self.options, format!("offset_{name}"), size);
                }
                let bound = if name == "warning" {
                    &mut self.monitoring.warning
                } else {
                    &mut self.monitoring.critical
                };
                *bound = Some(range);
            }
            _ => {
                let size = seconds(&value).filter(|size| *size >= 0.0);
                let expected = || format!("--{name} expects seconds or a range like ~:0.5, found {value:?}");
                put(&mut self.options, format!("offset_{name}"), size.with_context(expected)?);
            }
        }
        Ok(())
    }

    fn request(mut self) -> Result<Request> {
        if !self.candidates.is_empty() {
            put(&mut self.options, "candidates", self.candidates);
        }
        if self.monitoring.server.is_some() {
            // One server is all that there can be.
            self.options.entry("min_peers").or_insert_with(|| 1.into());
        }
        let mut params: Params =
            serde_json::from_value(Value::Object(self.options)).context("reading the flags")?;
        params.monitoring = self.monitoring;
        params.check()?;
        let usual = if self.plugin { Output::Nagios } else { Output::Text };
        let mode = if self.check { Mode::Check } else { Mode::Run };
        Ok(Request { output: self.output.unwrap_or(usual), mode, params })
    }
}

fn whole(name: &str, text: &str) -> Result<u32> {
    text.parse().with_context(|| format!("--{name} expects a whole number, found {text:?}"))
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
