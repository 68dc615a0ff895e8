// SPDX-License-Identifier: GPL-3.0-or-later

//! chronyc(1): `chronyc -c tracking` and `chronyc -c sources`, chrony 2.2 and later, comma-separated and in seconds.

use std::time::{Duration, Instant};

use ansible_module::{Finished, Tool};
use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::failure::Failure;

/// The name under which this daemon is spoken of.
pub const DAEMON: &str = "chronyd";

/// What chronyd says about itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChronyReport {
    /// Who says it: chronyd, or another daemon whose report has been put into this form.
    pub daemon: &'static str,
    /// What chronyc tracking says of the clock.
    pub tracking: Tracking,
    /// What chronyc sources and sourcestats say of each source.
    pub sources: Vec<ChronySource>,
}

impl ChronyReport {
    /// What this source says that the clock must be moved by: chronyd has taken away already what it still slews.
    pub fn shown_by(&self, source: &ChronySource) -> f64 {
        source.offset + if self.daemon == DAEMON { self.tracking.correction } else { 0.0 }
    }
}

/// `chronyc -c tracking`; times in seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tracking {
    /// Name or address of the source that is followed; empty while there is none.
    pub reference: String,
    /// 0 while not synchronised.
    pub stratum: u32,
    /// Unix seconds of the last update; absent where the daemon does not tell.
    pub updated: Option<f64>,
    /// What the system clock still has to be moved by.
    pub correction: f64,
    /// Frequency correction in parts per million; absent where the daemon does not tell.
    pub frequency_ppm: Option<f64>,
    /// Path to the reference clock.
    pub root_delay: f64,
    /// Error gathered on it.
    pub root_dispersion: f64,
    /// `Normal`, `Insert second`, `Delete second` or `Not synchronised`.
    pub leap: String,
}

/// One line of `chronyc -c sources`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChronySource {
    /// `^` server, `=` peer, `#` reference clock.
    pub mode: char,
    /// `*` followed, `+` combined, `-` not combined, `x` falseticker, `~` too variable, `?` unusable.
    pub state: char,
    /// Its name, or its address where it has none.
    pub name: String,
    /// The stratum that it announces.
    pub stratum: u32,
    /// Seconds between queries.
    pub poll: f64,
    /// The last eight queries, one bit each.
    pub reach: Option<u8>,
    /// Seconds since the last good reply; absent if there was none.
    pub heard_ago: Option<u64>,
    /// Source minus local clock.
    pub offset: f64,
    /// Half width of its correctness interval.
    pub margin: f64,
}

/// Asks chronyd.
///
/// # Errors
/// [`Failure`], which says precisely why there is no answer.
pub fn ask(limit: Duration) -> Result<ChronyReport, Failure> {
    let tool = Tool::find("chronyc").map_err(|error| Failure::no_tool(format!("{error:#}")))?;
    let tracking = run(&tool, "tracking", limit)?;
    let sources = run(&tool, "sources", limit)?;
    parse(&tracking, &sources).map_err(|error| Failure::parse(format!("{error:#}")))
}

fn run(tool: &Tool, report: &str, limit: Duration) -> Result<String, Failure> {
    let started = Instant::now();
    // -n: a slow resolver must not make the check slow.
    let finished = match tool.command().args(["-n", "-c", report]).time_limit(limit).output() {
        Ok(finished) => finished,
        Err(_) if started.elapsed() >= limit => {
            return Err(Failure::not_answering(format!(
                "chronyc got no answer within {} s",
                limit.as_secs_f64()
            )));
        }
        Err(error) => return Err(Failure::no_tool(format!("{error:#}"))),
    };
    if finished.status.success() { Ok(finished.stdout) } else { Err(refusal(&finished)) }
}

/// chronyc complains on stdout; phrases of chrony 4.3.
fn refusal(finished: &Finished) -> Failure {
    let words = format!("{} {}", finished.stdout.trim(), finished.stderr.trim());
    let words = words.trim();
    if words.contains("506 Cannot talk to daemon") || words.contains("Could not open connection to daemon") {
        return Failure::no_daemon(format!("chronyc: {words}; chronyd is not running"));
    }
    if words.contains("501 Not authorised") {
        return Failure::no_permission(format!("chronyc: {words}; run this check as root"));
    }
    Failure::parse(format!("chronyc failed with status {}: {words}", finished.rc()))
}

/// Reads both reports.
///
/// # Errors
/// A line with other fields than these, shown whole.
pub fn parse(tracking: &str, sources: &str) -> Result<ChronyReport> {
    let mut lines = tracking.lines().filter(|line| !line.trim().is_empty());
    let (Some(line), None) = (lines.next(), lines.next()) else {
        bail!("reading chronyc tracking: expected one line, found {tracking:?}");
    };
    let tracking = read_tracking(line).with_context(|| format!("reading chronyc tracking {line:?}"))?;
    let lines = sources.lines().filter(|line| !line.trim().is_empty());
    let sources = lines
        .map(|line| read_source(line).with_context(|| format!("reading chronyc sources {line:?}")))
        .collect::<Result<_>>()?;
    Ok(ChronyReport { daemon: DAEMON, tracking, sources })
}

fn read_tracking(line: &str) -> Result<Tracking> {
    let fields: Vec<&str> = line.split(',').collect();
    let [_, reference, stratum, updated, correction, _, _, frequency, _, _, delay, dispersion, _, leap] =
        fields[..]
    else {
        bail!("expected 14 fields, found {}", fields.len());
    };
    Ok(Tracking {
        reference: reference.to_owned(),
        stratum: number(stratum)?,
        updated: Some(real(updated)?),
        correction: real(correction)?,
        frequency_ppm: Some(real(frequency)?),
        root_delay: real(delay)?,
        root_dispersion: real(dispersion)?,
        leap: leap.trim().to_owned(),
    })
}

fn read_source(line: &str) -> Result<ChronySource> {
    let fields: Vec<&str> = line.split(',').collect();
    let [mode, state, name, stratum, poll, reach, heard, offset, _, margin] = fields[..] else {
        bail!("expected 10 fields, found {}", fields.len());
    };
    let heard: u64 = number(heard)?;
    let poll: i32 = number(poll)?;
    Ok(ChronySource {
        mode: symbol(mode, "^=#")?,
        state: symbol(state, "*+-x~?")?,
        name: name.to_owned(),
        stratum: number(stratum)?,
        poll: f64::from(poll.clamp(-16, 32)).exp2(),
        reach: Some(u8::from_str_radix(reach, 8).with_context(|| format!("reach {reach:?} is not octal"))?),
        heard_ago: (heard < u64::from(u32::MAX)).then_some(heard),
        // chronyc shows local minus source here.
        offset: -real(offset)?,
        margin: real(margin.trim())?,
    })
}

fn symbol(text: &str, known: &str) -> Result<char> {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if known.contains(letter) => Ok(letter),
        _ => bail!("{text:?} is none of {known}"),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.trim().parse().ok().with_context(|| format!("{text:?} is not a number"))
}

fn real(text: &str) -> Result<f64> {
    let value: f64 = number(text)?;
    if value.is_finite() { Ok(value) } else { bail!("{text:?} is not a finite number") }
}

#[cfg(test)]
mod tests;
