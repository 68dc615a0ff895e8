// SPDX-License-Identifier: GPL-3.0-or-later

//! The whole grammar of `ntpctl -s all|peers|Sensors|status`, OpenNTPD 5.7 to 7.9. No line is dropped: an unknown
//! one is an error that shows it.

use std::iter::Peekable;

use anyhow::{Context, Result, anyhow, bail};

use super::status;
use crate::report::{Peer, Report, Sample, Sensor};

const PEER_HEADER: &str = "wt tl st next poll offset delay jitter";
const SENSOR_HEADER: &str = "wt gd st next poll offset correction";

type Lines<'a> = Peekable<Box<dyn Iterator<Item = (usize, &'a str)> + 'a>>;

/// Reads what ntpctl printed, and nothing else: what people paste goes through [`crate::paste`].
///
/// # Errors
/// An empty text, a line outside the grammar (with its number and text), or a peer count that contradicts the table.
pub fn parse(text: &str) -> Result<Report> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    let lines: Box<dyn Iterator<Item = (usize, &str)>> = Box::new(numbered);
    let mut lines = lines.peekable();
    let mut report = Report::default();
    let mut seen = false;
    while let Some((number, line)) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        seen = true;
        section(&mut report, line, &mut lines).with_context(|| format!("reading line {number} {line:?}"))?;
    }
    if !seen {
        bail!("reading the output of ntpctl: it is empty");
    }
    check_totals(&report)?;
    Ok(report)
}

fn section<'a>(report: &mut Report, line: &'a str, lines: &mut Lines<'a>) -> Result<()> {
    match line.trim_end() {
        "peer" => {
            header(lines, PEER_HEADER)?;
            rows(lines, |desc, row| {
                report.peers.push(peer(desc, row)?);
                Ok(())
            })
        }
        "sensor" => {
            header(lines, SENSOR_HEADER)?;
            rows(lines, |desc, row| {
                report.sensors.push(sensor(desc, row)?);
                Ok(())
            })
        }
        "no peers configured" | "no sensors configured" => Ok(()),
        first if report.status.is_none() && status::begins(first) => {
            let second = status::continues(first).then(|| lines.next()).flatten().map(|(_, line)| line);
            report.status = Some(status::parse(first, second)?);
            Ok(())
        }
        _ => Err(anyhow!("this is not a line that ntpctl prints here")),
    }
}

fn header(lines: &mut Lines<'_>, wanted: &str) -> Result<()> {
    let (_, line) = lines.next().context("the table ends before its header")?;
    let found = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if found != wanted {
        bail!("expected the table header {wanted:?}, found {line:?}");
    }
    Ok(())
}

/// Pairs a description, which never begins with a blank, with its data row, which always does.
fn rows<'a>(lines: &mut Lines<'a>, mut keep: impl FnMut(&'a str, &'a str) -> Result<()>) -> Result<()> {
    while let Some(&(number, desc)) = lines.peek() {
        if desc.trim().is_empty() || desc.trim_end() == "sensor" {
            return Ok(());
        }
        if desc.starts_with(' ') {
            bail!("line {number} {desc:?} is a data row without a name above it");
        }
        lines.next();
        let (number, row) = lines
            .next_if(|(_, row)| row.starts_with(' '))
            .with_context(|| format!("no data row follows {desc:?}"))?;
        keep(desc, row).with_context(|| format!("reading line {number} {row:?}"))?;
    }
    Ok(())
}

fn peer(desc: &str, row: &str) -> Result<Peer> {
    let mut peer = describe(desc);
    let mut fields = Fields::new(row);
    peer.selected = fields.marked();
    peer.weight = fields.count("wt")?;
    peer.trust = fields.count("tl")?;
    peer.stratum = match fields.next("st")? {
        "-" => None,
        number => Some(number.parse().with_context(|| format!("st is {number:?}, not a number"))?),
    };
    peer.next = fields.seconds("next")?;
    peer.poll = fields.seconds("poll")?;
    if fields.rest() != "---- peer not valid ----" {
        let (offset, delay, jitter) =
            (fields.millis("offset")?, fields.millis("delay")?, fields.millis("jitter")?);
        peer.sample = Some(Sample { offset, delay, jitter });
        fields.end()?;
    }
    Ok(peer)
}

fn sensor(desc: &str, row: &str) -> Result<Sensor> {
    let mut words = desc.split_whitespace();
    let (device, refid) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if let Some(extra) = words.next() {
        bail!("expected a device and a reference id, found {extra:?} after them");
    }
    let mut fields = Fields::new(row);
    let mut sensor = Sensor { device: device.into(), refid: refid.into(), ..Sensor::default() };
    sensor.selected = fields.marked();
    sensor.weight = fields.count("wt")?;
    sensor.good = fields.count("gd")?;
    sensor.stratum = fields.count("st")?;
    sensor.next = fields.seconds("next")?;
    sensor.poll = fields.seconds("poll")?;
    if fields.rest() != "- sensor not valid -" {
        sensor.offset = Some(fields.millis("offset")?);
        sensor.correction = Some(fields.millis("correction")?);
        fields.end()?;
    }
    Ok(sensor)
}

/// Takes `ADDR [from pool ]NAME`, `not resolved [from pool ]NAME` and their suffixes apart.
fn describe(desc: &str) -> Peer {
    let mut text = desc.trim_end();
    if let Some((before, table)) = text.rsplit_once(" rtable ")
        && table.parse::<u32>().is_ok()
    {
        text = before.trim_end();
    }
    text = text.strip_suffix(" (non-dnssec lookup)").unwrap_or(text);
    let (address, name) = match text.strip_prefix("not resolved ") {
        Some(name) => (None, name),
        None => match text.split_once(' ') {
            Some((address, name)) => (Some(address), name),
            None => (Some(text), ""),
        },
    };
    let (pool, name) = match name.strip_prefix("from pool ") {
        Some(name) => (true, name),
        None => (false, name),
    };
    let name = name.trim();
    Peer {
        address: address.map(str::to_owned),
        name: (!name.is_empty()).then(|| name.to_owned()),
        pool,
        ..Peer::default()
    }
}

/// The words of a data row, taken one by one.
struct Fields<'a> {
    rest: &'a str,
}

impl<'a> Fields<'a> {
    fn new(row: &'a str) -> Self {
        Self { rest: row.trim() }
    }

    fn marked(&mut self) -> bool {
        match self.rest.strip_prefix('*') {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn rest(&self) -> &'a str {
        self.rest
    }

    fn next(&mut self, column: &str) -> Result<&'a str> {
        let (word, rest) = self.rest.split_once(' ').unwrap_or((self.rest, ""));
        self.rest = rest.trim_start();
        if word.is_empty() {
            bail!("column {column} is missing");
        }
        Ok(word)
    }

    fn count(&mut self, column: &str) -> Result<u32> {
        let word = self.next(column)?;
        word.parse().with_context(|| format!("column {column} is {word:?}, not a count"))
    }

    fn seconds(&mut self, column: &str) -> Result<i64> {
        let word = self.next(column)?;
        let number = word.strip_suffix('s').and_then(|digits| digits.parse().ok());
        number.with_context(|| format!("column {column} is {word:?}, not seconds"))
    }

    fn millis(&mut self, column: &str) -> Result<f64> {
        let word = self.next(column)?;
        millis(word).with_context(|| format!("column {column} is {word:?}, not milliseconds"))
    }

    fn end(&self) -> Result<()> {
        if !self.rest.is_empty() {
            bail!("{:?} follows the last column", self.rest);
        }
        Ok(())
    }
}

/// `-984.784ms` in seconds. Strict: digits, a point and three digits; nothing else was ever printed.
pub(super) fn millis(word: &str) -> Option<f64> {
    let number = word.strip_suffix("ms")?;
    let (whole, thousandths) = number.strip_prefix('-').unwrap_or(number).split_once('.')?;
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || thousandths.len() != 3 || !digits(whole) || !digits(thousandths) {
        return None;
    }
    let micros: i64 = format!("{whole}{thousandths}").parse().ok()?;
    let seconds = micros as f64 / 1e6;
    Some(if number.starts_with('-') { -seconds } else { seconds })
}

/// A pasted output with rows missing must not be judged as if it were whole.
fn check_totals(report: &Report) -> Result<()> {
    let Some(status) = &report.status else { return Ok(()) };
    let shown =
        [("peer", status.peers, report.peers.len()), ("sensor", status.sensors, report.sensors.len())];
    for (kind, count, rows) in shown {
        if let Some(count) = count
            && rows != 0
            && rows != count.total as usize
        {
            bail!(
                "the status line counts {} {kind}s but the table has {rows} rows: some lines are missing",
                count.total
            );
        }
    }
    Ok(())
}
