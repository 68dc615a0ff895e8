// SPDX-License-Identifier: GPL-3.0-or-later

//! ntpq(8) of ntpd and ntpsec: `ntpq -c rv` and `ntpq -pn`, in the form of chronyc's reports. Times are milliseconds there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ansible_module::{Finished, Tool};
use anyhow::{Context, Result, bail};

use crate::chrony::{ChronyReport, ChronySource, Tracking};
use crate::failure::Failure;

/// The name under which this daemon is spoken of.
pub const DAEMON: &str = "ntpd";

/// Unix epoch in NTP seconds.
const NTP_TO_UNIX: f64 = 2_208_988_800.0;

/// Columns of a row of `ntpq -pn`.
const COLUMNS: usize = 10;

/// Asks ntpd.
///
/// # Errors
/// [`Failure`], which says precisely why there is no answer.
pub fn ask(limit: Duration) -> Result<ChronyReport, Failure> {
    let tool = Tool::find("ntpq").map_err(|error| Failure::no_tool(format!("{error:#}")))?;
    let variables = run(&tool, &["-c", "rv", "127.0.0.1"], limit)?;
    let peers = run(&tool, &["-pn", "127.0.0.1"], limit)?;
    parse(&variables, &peers).map_err(|error| Failure::parse(format!("{error:#}")))
}

fn run(tool: &Tool, args: &[&str], limit: Duration) -> Result<String, Failure> {
    let started = Instant::now();
    match tool.command().args(args).time_limit(limit).output() {
        Ok(finished) => answer(&finished),
        Err(_) if started.elapsed() >= limit => {
            Err(Failure::not_answering(format!("ntpq got no answer within {} s", limit.as_secs_f64())))
        }
        Err(error) => Err(Failure::no_tool(format!("{error:#}"))),
    }
}

/// ntpq ends with 0 whatever happens, and complains on either stream.
fn answer(finished: &Finished) -> Result<String, Failure> {
    let words = format!("{} {}", finished.stdout.trim(), finished.stderr.trim());
    let words = words.trim();
    if words.contains("ntpd is not running") || words.contains("Connection refused") {
        return Err(Failure::no_daemon(format!("ntpq: {words}; ntpd is not running")));
    }
    if words.contains("timed out") {
        return Err(Failure::not_answering(format!(
            "ntpq: {words}; ntpd is hung, or `restrict` forbids to ask it"
        )));
    }
    if finished.status.success() && !finished.stdout.trim().is_empty() {
        return Ok(finished.stdout.clone());
    }
    Err(Failure::parse(format!("ntpq failed with status {}: {words}", finished.rc())))
}

/// Reads both reports.
///
/// # Errors
/// A variable that is missing or no number, or a row with other columns than these, shown whole.
pub fn parse(variables: &str, peers: &str) -> Result<ChronyReport> {
    let tracking = read_variables(variables).with_context(|| format!("reading ntpq -c rv {variables:?}"))?;
    let mut sources = Vec::new();
    let rows = peers.lines().skip_while(|line| !line.starts_with("===")).skip(1);
    for line in rows.filter(|line| !line.trim().is_empty()) {
        sources.extend(read_row(line).with_context(|| format!("reading ntpq -pn {line:?}"))?);
    }
    Ok(ChronyReport { daemon: DAEMON, tracking, sources })
}

fn read_variables(text: &str) -> Result<Tracking> {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let pairs = joined.split(',').filter_map(|part| part.trim().split_once('='));
    let found: BTreeMap<&str, &str> = pairs.collect();
    let word = |name: &str| found.get(name).copied().with_context(|| format!("variable {name} is missing"));
    let real = |name: &str| word(name).and_then(real);
    let stratum: u32 = word("stratum")?.trim().parse().context("stratum is no number")?;
    let leap = match word("leap")? {
        "00" | "0" => "Normal",
        "01" | "1" => "Insert second",
        "10" | "2" => "Delete second",
        _ => "Not synchronised",
    };
    Ok(Tracking {
        reference: word("refid")?.to_owned(),
        stratum: if stratum > 15 { 0 } else { stratum },
        updated: Some(timestamp(word("reftime")?)?),
        correction: real("offset")? / 1000.0,
        frequency_ppm: Some(real("frequency")?),
        root_delay: real("rootdelay")? / 1000.0,
        root_dispersion: real("rootdisp")? / 1000.0,
        leap: leap.to_owned(),
    })
}

/// `eeb5adbc.607ca780 2026-...`: seconds since 1900 in hexadecimal, and their fraction; `(no time)` before the first update, as
/// FreeBSD's ntpd 4.2.8p18 says, and zeros in others.
fn timestamp(text: &str) -> Result<f64> {
    if text.trim() == "(no time)" {
        return Ok(0.0);
    }
    let hexadecimal = text.split_whitespace().next().unwrap_or_default();
    let seconds = hexadecimal.split('.').next().unwrap_or_default();
    let seconds =
        u32::from_str_radix(seconds, 16).with_context(|| format!("{text:?} is no NTP timestamp"))?;
    Ok(if seconds == 0 { 0.0 } else { f64::from(seconds) - NTP_TO_UNIX })
}

/// A row, or nothing for the place holder of a pool.
fn read_row(line: &str) -> Result<Option<ChronySource>> {
    let mut letters = line.chars();
    let tally = letters.next().context("the row is empty")?;
    let fields: Vec<&str> = letters.as_str().split_whitespace().collect();
    let [name, refid, stratum, kind, when, poll, reach, delay, offset, jitter] = fields[..] else {
        bail!("expected {COLUMNS} columns, found {}", fields.len());
    };
    if refid == ".POOL." || kind == "p" {
        return Ok(None);
    }
    let (delay, jitter) = (real(delay)? / 1000.0, real(jitter)? / 1000.0);
    Ok(Some(ChronySource {
        mode: match kind {
            "l" => '#',
            "s" => '=',
            _ => '^',
        },
        state: state(tally)?,
        name: name.to_owned(),
        stratum: stratum.parse().with_context(|| format!("stratum {stratum:?} is no number"))?,
        poll: seconds(poll)?.unwrap_or(0) as f64,
        reach: Some(u8::from_str_radix(reach, 8).with_context(|| format!("reach {reach:?} is not octal"))?),
        heard_ago: if reach == "0" { None } else { Some(seconds(when)?.unwrap_or(0)) },
        offset: real(offset)? / 1000.0,
        margin: delay.abs() / 2.0 + jitter,
    }))
}

/// ntpd's marks in chrony's letters: followed, used, not used, false, unusable.
fn state(tally: char) -> Result<char> {
    Ok(match tally {
        '*' | 'o' => '*',
        '+' | '#' => '+',
        '-' | '.' => '-',
        'x' => 'x',
        ' ' => '?',
        _ => bail!("{tally:?} is no mark that ntpq prints"),
    })
}

/// `-`, `37`, `18m`, `5h` or `3d`.
fn seconds(text: &str) -> Result<Option<u64>> {
    if text == "-" {
        return Ok(None);
    }
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        Some((at, 'd')) => (&text[..at], 86_400),
        Some((at, 'y')) => (&text[..at], 31_536_000),
        _ => (text, 1),
    };
    let count: u64 = digits.parse().ok().with_context(|| format!("{text:?} is no number of seconds"))?;
    Ok(Some(count.saturating_mul(unit)))
}

fn real(text: &str) -> Result<f64> {
    let value: f64 = text.trim().parse().ok().with_context(|| format!("{text:?} is not a number"))?;
    if value.is_finite() { Ok(value) } else { bail!("{text:?} is not a finite number") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Evidence, Source};
    use crate::judge::{Limits, judge};
    use crate::judgement::Judgement;
    use crate::params::Params;
    use crate::verdict::{Severity, Verdict};

    const STARTED: (&str, &str) = (
        include_str!("../../../tests/fixtures/ntpq/02-started.rv.txt"),
        include_str!("../../../tests/fixtures/ntpq/02-started.peers.txt"),
    );
    const FALSETICKER: (&str, &str) = (
        include_str!("../../../tests/fixtures/ntpq/03-falseticker1.rv.txt"),
        include_str!("../../../tests/fixtures/ntpq/03-falseticker1.peers.txt"),
    );

    fn judged((variables, peers): (&str, &str), uptime: f64) -> Judgement {
        let source = Source::Chrony(parse(variables, peers).unwrap());
        let evidence = Evidence { uptime: Some(uptime), ..Evidence::of_source(1_795_895_110.0, source) };
        judge(&evidence, &Limits::new(&Params::default(), "linux"))
    }

    #[test]
    fn captured_outputs_and_their_verdicts() {
        let silent = FALSETICKER.1.replace("    8    3 ", "    8    0 ");
        let far = FALSETICKER.0.replace("offset=0.401976", "offset=-3600123.5");
        let cases = [
            (STARTED, 2.0, Verdict::Starting, Severity::Ok),
            (STARTED, 901.0, Verdict::Unsynced, Severity::Critical),
            (FALSETICKER, 901.0, Verdict::Discordant, Severity::Warning),
            ((FALSETICKER.0, silent.as_str()), 901.0, Verdict::NoMajority, Severity::Critical),
            ((far.as_str(), FALSETICKER.1), 901.0, Verdict::Discordant, Severity::Critical),
        ];
        for (output, uptime, verdict, severity) in cases {
            let found = judged(output, uptime);
            assert_eq!((found.verdict, found.severity), (verdict, severity), "{:?}", found.reasons);
        }
        let found = judged(FALSETICKER, 901.0);
        assert_eq!(found.reasons, ["ntpd discards as falsetickers: 10.99.0.4"]);
        assert_eq!((found.clock.valid_peers, found.clock.total_peers), (3, 4));
        assert!((found.clock.clock_error.unwrap() - 0.000_401_976).abs() < 1e-9);
    }

    #[test]
    fn rows_in_all_their_forms() {
        let row = |line: &str| read_row(line);
        let old = row("*192.0.2.1       .GPS.            1 l   5h 1024  377    0.000   -1.500   0.010")
            .unwrap()
            .unwrap();
        assert_eq!((old.mode, old.state, old.heard_ago, old.reach), ('#', '*', Some(18_000), Some(255)));
        assert!((old.offset + 0.0015).abs() < 1e-9);
        assert_eq!(
            row(" 0.pool.example. .POOL.          16 p    -   64    0    0.000    0.000   0.000").unwrap(),
            None
        );
        let error = format!("{:#}", parse(FALSETICKER.0, "===\n*a b c\n").unwrap_err());
        assert_eq!(error, "reading ntpq -pn \"*a b c\": expected 10 columns, found 3");
    }

    /// Variables as ntpd 4.2.8p18 of FreeBSD 15 shows them before its first update.
    #[test]
    fn a_daemon_that_has_never_had_the_time() {
        let variables = "associd=0 status=c016 leap_alarm, sync_unspec, 1 event, restart,
version=\"ntpd 4.2.8p18-a (1)\", processor=\"amd64\",
system=\"FreeBSD/15.0-RELEASE\", leap=11, stratum=16, precision=-25,
rootdelay=0.000, rootdisp=0.015, refid=INIT, reftime=(no time),
clock=ecdb11d2.88100972  Wed, Dec  3 2025 20:45:22.531, peer=0, tc=3,
mintc=3, offset=+0.000000, frequency=+0.000, sys_jitter=0.000000,
clk_jitter=0.000, clk_wander=0.000, leapsec=201701010000,
expire=202606280000
";
        let peers = "     remote           refid      st t when poll reach   delay   offset  jitter
==============================================================================
 0.freebsd.pool. .POOL.          16 p    -   64    0    0.000   +0.000   0.000
 192.0.2.7       .INIT.          16 u    -   64    0    0.000   +0.000   0.000
";
        let found = judged((variables, peers), 901.0);
        assert_eq!(
            (found.verdict, found.severity),
            (Verdict::Unsynced, Severity::Critical),
            "{:?}",
            found.reasons
        );
        assert_eq!((found.clock.valid_peers, found.clock.total_peers), (0, 1));
        assert_eq!(judged((variables, peers), 30.0).verdict, Verdict::Starting);
    }

    #[test]
    fn a_missing_daemon_is_told() {
        use std::os::unix::process::ExitStatusExt;

        let said = |stderr: &str| Finished {
            cmd: "ntpq -c rv".into(),
            status: std::process::ExitStatus::from_raw(0),
            stdout: String::new(),
            stderr: stderr.into(),
        };
        let none = include_str!("../../../tests/fixtures/ntpq/01-no-daemon.rv.err");
        assert_eq!(answer(&said(none)).unwrap_err().verdict, Verdict::NoDaemon);
        assert_eq!(answer(&said("***Request timed out")).unwrap_err().verdict, Verdict::NotAnswering);
        assert_eq!(answer(&said("")).unwrap_err().verdict, Verdict::ParseError);
    }
}
