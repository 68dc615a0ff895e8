// SPDX-License-Identifier: GPL-3.0-or-later

//! systemd-timesyncd, an SNTP client with one server at a time: `timedatectl timesync-status`, in the form of chronyc's reports.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ansible_module::Tool;
use anyhow::{Context, Result, bail};

use crate::chrony::{ChronyReport, ChronySource, Tracking};
use crate::daemon::{self, Kind};
use crate::failure::Failure;

/// The name under which this daemon is spoken of.
pub const DAEMON: &str = "systemd-timesyncd";

/// Asks systemd-timesyncd where it runs: the bus would start it otherwise, and a check changes nothing.
///
/// # Errors
/// [`Failure`], which says precisely why there is no answer.
pub fn ask(limit: Duration) -> Result<ChronyReport, Failure> {
    let running = daemon::processes(Kind::Timesyncd, limit).is_ok_and(|found| found.daemon.is_some());
    if !running {
        return Err(Failure::no_tool(format!("{DAEMON} does not run")));
    }
    let tool = Tool::find("timedatectl").map_err(|error| Failure::no_tool(format!("{error:#}")))?;
    let started = Instant::now();
    let asked = tool.command().args(["--no-pager", "timesync-status"]).time_limit(limit).output();
    match asked {
        Ok(finished) if finished.status.success() => {
            parse(&finished.stdout).map_err(|error| Failure::parse(format!("{error:#}")))
        }
        Ok(finished) => Err(Failure::not_answering(format!(
            "timedatectl failed with status {}: {}",
            finished.rc(),
            finished.stderr.trim()
        ))),
        Err(_) if started.elapsed() >= limit => {
            Err(Failure::not_answering(format!("timedatectl got no answer within {} s", limit.as_secs_f64())))
        }
        Err(error) => Err(Failure::no_tool(format!("{error:#}"))),
    }
}

/// Reads the report.
///
/// # Errors
/// A line that is no `name: value`, or a value that is not what its name says, shown.
pub fn parse(text: &str) -> Result<ChronyReport> {
    let mut found = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (name, value) =
            line.split_once(':').with_context(|| format!("reading timedatectl timesync-status {line:?}"))?;
        found.insert(name.trim(), value.trim());
    }
    let reading = |name: &str| format!("reading {name} of timedatectl timesync-status");
    let span = |name: &str| {
        let value = found.get(name).copied();
        value.map(|value| timespan(value).with_context(|| reading(name))).transpose()
    };
    let server = found.get("Server").copied().context("the line \"Server\" is missing")?;
    let stratum =
        found.get("Stratum").map_or(Ok(0), |value| value.parse()).context("Stratum is no number")?;
    let packets: u64 = found
        .get("Packet count")
        .map_or(Ok(0), |value| value.parse())
        .context("Packet count is no number")?;
    let offset = span("Offset")?;
    let synced =
        packets > 0 && offset.is_some() && found.get("Leap").is_some_and(|leap| *leap != "not synchronized");
    let distance = span("Root distance")?.unwrap_or(0.0);
    // `10.99.0.1 (ntp1.example.org)`, or `n/a`.
    let name = server.split(' ').next().unwrap_or_default().to_owned();
    let poll = span("Poll interval")?.unwrap_or(0.0);
    let source = ChronySource {
        mode: '^',
        state: if synced { '*' } else { '?' },
        name: name.clone(),
        stratum,
        poll,
        reach: None,
        heard_ago: synced.then_some(0),
        offset: offset.unwrap_or(0.0),
        margin: span("Delay")?.unwrap_or(0.0) / 2.0 + span("Jitter")?.unwrap_or(0.0),
    };
    Ok(ChronyReport {
        daemon: DAEMON,
        tracking: Tracking {
            reference: name.clone(),
            stratum: if synced { stratum + 1 } else { 0 },
            updated: None,
            correction: offset.unwrap_or(0.0),
            frequency_ppm: found
                .get("Frequency")
                .and_then(|value| value.trim_end_matches("ppm").parse().ok()),
            root_delay: 0.0,
            root_dispersion: distance,
            leap: if synced { "Normal" } else { "Not synchronised" }.to_owned(),
        },
        sources: if name == "n/a" { Vec::new() } else { vec![source] },
    })
}

/// `+3.068ms`, `1min 4s`, `-1h 2min 3.5s` or `0`, in seconds.
fn timespan(text: &str) -> Result<f64> {
    // What follows in brackets is what it may be at most.
    let text = text.split('(').next().unwrap_or_default().trim();
    let (sign, plain) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut seconds = 0.0;
    for word in plain.split_whitespace() {
        let digits = word.trim_end_matches(|letter: char| letter.is_alphabetic() || letter == 'µ');
        let unit = match word.get(digits.len()..).unwrap_or_default() {
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" | "" => 1.0,
            "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            "month" => 2_629_800.0,
            "y" => 31_557_600.0,
            other => bail!("{other:?} of {text:?} is no unit of time"),
        };
        let number: f64 = digits.parse().ok().with_context(|| format!("{text:?} is no time span"))?;
        seconds += number * unit;
    }
    if plain.is_empty() { bail!("{text:?} is no time span") } else { Ok(sign * seconds) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Evidence, Source};
    use crate::judge::{Limits, judge};
    use crate::params::Params;
    use crate::verdict::{Severity, Verdict};

    const SYNCED: &str = include_str!("../../../tests/fixtures/timesyncd/02-synced.status.txt");
    const SILENT: &str = include_str!("../../../tests/fixtures/timesyncd/03-silent.status.txt");

    #[test]
    fn captured_outputs_and_their_verdicts() {
        let off = SYNCED.replace("+3.068ms", "-1h 2min 3.5s");
        let one = Params { min_peers: 1, ..Params::default() };
        let cases = [
            (SYNCED, Params::default(), Verdict::FewPeers, Severity::Warning),
            (SYNCED, one.clone(), Verdict::Ok, Severity::Ok),
            (SILENT, one.clone(), Verdict::Unsynced, Severity::Critical),
            (off.as_str(), one, Verdict::Offset, Severity::Critical),
        ];
        for (text, params, verdict, severity) in cases {
            let source = Source::Chrony(parse(text).unwrap());
            let evidence = Evidence { uptime: Some(901.0), ..Evidence::of_source(1_795_895_110.0, source) };
            let found = judge(&evidence, &Limits::new(&params, "linux"));
            assert_eq!((found.verdict, found.severity), (verdict, severity), "{:?}", found.reasons);
        }
        let report = parse(SYNCED).unwrap();
        assert_eq!((report.sources[0].name.as_str(), report.sources[0].poll), ("10.99.0.1", 64.0));
        assert!((report.tracking.correction - 0.003_068).abs() < 1e-9);
    }

    #[test]
    fn time_spans() {
        for (text, seconds) in [("0", 0.0), ("+14.991ms", 0.014_991), ("34min 8s", 2048.0), ("-1us", -1e-6)] {
            assert!((timespan(text).unwrap() - seconds).abs() < 1e-9, "{text}");
        }
        for text in ["", "5 parsecs", "x"] {
            assert!(timespan(text).is_err(), "{text}");
        }
    }
}
