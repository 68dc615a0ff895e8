// SPDX-License-Identifier: GPL-3.0-or-later

//! ntp-ctl(8) of ntpd-rs: `ntp-ctl status -f prometheus`, in the form of chronyc's reports. Times are seconds. It does not tell which
//! sources the daemon discards: that is found by the rule by which it does, a majority of intervals that overlap.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ansible_module::{Finished, Tool};
use anyhow::{Context, Result, bail, ensure};

use crate::chrony::{ChronyReport, ChronySource, Tracking};
use crate::daemon::{self, Kind};
use crate::failure::Failure;
use crate::judge::select::median;

/// The name under which this daemon is spoken of.
pub const DAEMON: &str = "ntpd-rs";

/// What stands for "not measured yet" in every figure of a source is 2^31 s.
const NOTHING: f64 = 1e9;

/// Polls without an answer beyond which ntpd-rs does not count.
const MOST_POLLS: u32 = 8;

/// Half width that even a perfect measurement gets.
const FLOOR: f64 = 0.005;

/// How ntp-ctl begins a line that is no metric.
const WARNING: &str = "Warning: ";

/// The port that need not be told.
const PORT: &str = ":123";

/// Asks ntpd-rs.
///
/// # Errors
/// [`Failure`], which says precisely why there is no answer.
pub fn ask(limit: Duration) -> Result<ChronyReport, Failure> {
    let tool = Tool::find("ntp-ctl").map_err(|error| Failure::no_tool(format!("{error:#}")))?;
    let started = Instant::now();
    match tool.command().args(["status", "-f", "prometheus"]).time_limit(limit).output() {
        Ok(finished) if finished.status.success() => {
            parse(&finished.stdout).map_err(|error| Failure::parse(format!("{error:#}")))
        }
        Ok(finished) => {
            let running = daemon::processes(Kind::NtpdRs, limit).is_ok_and(|found| found.daemon.is_some());
            Err(refusal(&finished, running))
        }
        Err(_) if started.elapsed() >= limit => {
            Err(Failure::not_answering(format!("ntp-ctl got no answer within {} s", limit.as_secs_f64())))
        }
        Err(error) => Err(Failure::no_tool(format!("{error:#}"))),
    }
}

/// Phrases of ntp-ctl 1.9. A daemon that is not told where shows nothing of itself.
fn refusal(finished: &Finished, running: bool) -> Failure {
    let words = format!("{} {}", finished.stdout.trim(), finished.stderr.trim());
    let words = words.trim();
    if !words.contains("Could not open socket") {
        return Failure::parse(format!("ntp-ctl failed with status {}: {words}", finished.rc()));
    }
    if words.contains("Permission denied") {
        return Failure::no_permission(format!("ntp-ctl: {words}; run this check as root"));
    }
    if running {
        return Failure::no_permission(format!(
            "ntp-ctl: {words}; ntp-daemon runs but shows nothing: set observation-path in [observability] of ntp.toml"
        ));
    }
    Failure::no_daemon(format!("ntp-ctl: {words}; ntp-daemon is not running"))
}

/// One line: a metric, its labels, its value.
struct Metric<'a> {
    name: &'a str,
    labels: BTreeMap<&'a str, String>,
    value: f64,
}

/// Reads the metrics.
///
/// # Errors
/// A line that is none, shown whole, or a metric of the clock or of a source that is missing.
pub fn parse(text: &str) -> Result<ChronyReport> {
    // Without a configuration that it may read ntp-ctl asks at the usual place, and says so among the metrics.
    let told = |line: &&str| !line.starts_with('#') && !line.trim().is_empty() && !line.starts_with(WARNING);
    let metrics = text
        .lines()
        .filter(told)
        .map(|line| metric(line).with_context(|| format!("reading ntp-ctl status {line:?}")))
        .collect::<Result<Vec<_>>>()?;
    let system = |name: &str| {
        let found = metrics.iter().find(|metric| metric.name == name);
        found.map(|metric| metric.value).with_context(|| format!("reading ntp-ctl status: {name} is missing"))
    };
    let mut sources = sources(&metrics)?;
    mark(&mut sources);
    let stratum = whole(system("ntp_system_stratum")?).context("reading ntp_system_stratum")?;
    let leap = match system("ntp_system_leap_indicator")? {
        0.0 => "Normal",
        1.0 => "Insert second",
        2.0 => "Delete second",
        _ => "Not synchronised",
    };
    Ok(ChronyReport {
        daemon: DAEMON,
        tracking: Tracking {
            reference: String::new(),
            stratum: if stratum > 15 { 0 } else { stratum },
            updated: None,
            correction: correction(&sources),
            frequency_ppm: None,
            root_delay: system("ntp_system_root_delay_seconds")?,
            root_dispersion: system("ntp_system_root_dispersion_seconds")?,
            leap: leap.to_owned(),
        },
        sources,
    })
}

/// What the sources that agree say, for the daemon itself does not.
fn correction(sources: &[ChronySource]) -> f64 {
    let used = sources.iter().filter(|source| source.state == '+');
    median(&used.map(|source| source.offset).collect::<Vec<_>>()).unwrap_or(0.0)
}

/// One source for each id, in the order of their names.
fn sources(metrics: &[Metric<'_>]) -> Result<Vec<ChronySource>> {
    let mut found: BTreeMap<(&str, &str), BTreeMap<&str, f64>> = BTreeMap::new();
    for metric in metrics.iter().filter(|metric| metric.name.starts_with("ntp_source_")) {
        let label = |name: &str| {
            metric
                .labels
                .get(name)
                .map(String::as_str)
                .with_context(|| format!("reading ntp-ctl status: {} has no label {name}", metric.name))
        };
        found.entry((label("address")?, label("id")?)).or_default().insert(metric.name, metric.value);
    }
    found.into_iter().map(|((address, _), values)| source(address, &values)).collect()
}

fn source(address: &str, values: &BTreeMap<&str, f64>) -> Result<ChronySource> {
    let value = |name: &str| {
        let found = values.get(format!("ntp_source_{name}").as_str()).copied();
        found.with_context(|| format!("reading ntp-ctl status: {name} of {address} is missing"))
    };
    // 2^n s as a fraction of 2^-32 s: 1.0000000002328306.
    let poll = (value("poll_interval_seconds")? * 1000.0).round() / 1000.0;
    let unanswered = whole(value("unanswered_polls")?).context("reading unanswered_polls")?.min(MOST_POLLS);
    let uncertainty = value("uncertainty_seconds")?;
    let measured = uncertainty < NOTHING;
    let chain = value("root_delay_seconds")? / 2.0 + value("root_dispersion_seconds")?;
    // A receiver or a pulse is a path, not an address.
    let clock = address.starts_with('/');
    let margin = uncertainty + value("delay_seconds")?.abs() / 2.0 + chain;
    Ok(ChronySource {
        mode: if clock { '#' } else { '^' },
        state: if measured && unanswered < MOST_POLLS { '+' } else { '?' },
        name: host(address).to_owned(),
        stratum: 0,
        poll,
        reach: None,
        heard_ago: measured.then_some((f64::from(unanswered) * poll).round() as u64),
        offset: value("offset_seconds")?,
        margin,
    })
}

/// `192.0.2.1:123`, `[2001:db8::1]:123`, with another port as it is.
fn host(address: &str) -> &str {
    let Some(host) = address.strip_suffix(PORT) else { return address };
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Marks those outside the majority as chrony does. Where there is none, everybody who has been measured contradicts somebody.
fn mark(sources: &mut [ChronySource]) {
    let mut measured: Vec<&mut ChronySource> =
        sources.iter_mut().filter(|source| source.state == '+').collect();
    let shared = shared(&measured.iter().map(|source| interval(source)).collect::<Vec<_>>());
    for source in &mut measured {
        let (low, high) = interval(source);
        if shared.is_none_or(|(from, to)| high < from || low > to) {
            source.state = 'x';
        }
    }
}

fn interval(source: &ChronySource) -> (f64, f64) {
    (source.offset - source.margin - FLOOR, source.offset + source.margin + FLOOR)
}

/// What most intervals share, where these are more than half of them.
fn shared(intervals: &[(f64, f64)]) -> Option<(f64, f64)> {
    let at = |from: &(f64, f64)| {
        let open = intervals.iter().filter(|(low, high)| (*low..=*high).contains(&from.0));
        let ends = open.clone().map(|(_, high)| *high);
        (open.count(), from.0, ends.fold(f64::INFINITY, f64::min))
    };
    let (most, low, high) = intervals.iter().map(at).max_by_key(|(open, ..)| *open)?;
    (2 * most > intervals.len()).then_some((low, high))
}

/// `name{label="value",...} 1.5`, or without labels.
fn metric(line: &str) -> Result<Metric<'_>> {
    let (head, value) = line.trim_end().rsplit_once(' ').context("expected a metric and its value")?;
    let value: f64 = value.parse().with_context(|| format!("{value:?} is not a number"))?;
    ensure!(value.is_finite(), "{value} is not a finite number");
    let Some((name, rest)) = head.split_once('{') else {
        return Ok(Metric { name: head, labels: BTreeMap::new(), value });
    };
    Ok(Metric { name, labels: labels(rest)?, value })
}

/// What stands between the brackets; a quote or a backslash in a value is escaped.
fn labels(mut rest: &str) -> Result<BTreeMap<&str, String>> {
    let mut found = BTreeMap::new();
    while rest != "}" {
        let (name, after) = rest.split_once("=\"").context("expected a label")?;
        let mut value = String::new();
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next() {
                Some((at, '"')) => break at,
                Some((_, '\\')) => match letters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, letter)) => value.push(letter),
                    None => bail!("the label {name} does not end"),
                },
                Some((_, letter)) => value.push(letter),
                None => bail!("the label {name} does not end"),
            }
        };
        found.insert(name, value);
        rest = after.get(end + 1..).unwrap_or_default();
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    Ok(found)
}

fn whole(value: f64) -> Result<u32> {
    ensure!(value >= 0.0 && value <= f64::from(u32::MAX) && value.fract() == 0.0, "{value} is no count");
    Ok(value as u32)
}

#[cfg(test)]
mod tests;
