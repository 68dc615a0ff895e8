// SPDX-License-Identifier: GPL-3.0-or-later

//! The status line of ntpctl, which is two lines when neither peers nor sensors are configured.

use anyhow::{Context, Result, bail};

use super::parse::millis;
use crate::report::{Constraint, Count, Status};

const NOTHING: &str = "no peers and no sensors configured";
const NO_CONSTRAINT: &str = "constraints configured but none available";

/// Whether a line can be the first line of a status.
pub(super) fn begins(line: &str) -> bool {
    let counted = line.starts_with(|first: char| first.is_ascii_digit());
    counted || ["clock ", "constraint", NOTHING].iter().any(|start| line.starts_with(start))
}

/// Whether the clock part stands on a second line.
pub(super) fn continues(line: &str) -> bool {
    line.trim_end().ends_with(NOTHING)
}

/// Reads the status from its line, or two.
pub(super) fn parse(first: &str, second: Option<&str>) -> Result<Status> {
    let mut status = Status::default();
    let mut rest = first.trim_end();
    while !rest.starts_with("clock ") {
        if rest == NOTHING {
            rest = second.context("the line that begins with \"clock\" is missing")?.trim_end();
            break;
        }
        let (part, after) = rest.split_once(", ").with_context(|| format!("unknown part {rest:?}"))?;
        preamble(&mut status, part)?;
        rest = after;
    }
    clock(&mut status, rest)?;
    Ok(status)
}

fn preamble(status: &mut Status, part: &str) -> Result<()> {
    if let Some(count) = part.strip_suffix(" peers valid") {
        status.peers = Some(fraction(count)?);
    } else if let Some(count) = part.strip_suffix(" sensors valid") {
        status.sensors = Some(fraction(count)?);
    } else if part == NO_CONSTRAINT {
        status.constraint = Some(Constraint::Unavailable);
    } else if let Some(constraint) = part.strip_prefix("constraint offset ") {
        status.constraint = Some(offset(constraint)?);
    } else {
        bail!("unknown part {part:?}");
    }
    Ok(())
}

fn fraction(text: &str) -> Result<Count> {
    let numbers =
        text.split_once('/').and_then(|(valid, total)| Some((valid.parse().ok()?, total.parse().ok()?)));
    let (valid, total) = numbers.with_context(|| format!("{text:?} is not a count like 3/4"))?;
    if valid > total {
        bail!("{text:?} counts more valid ones than there are");
    }
    Ok(Count { valid, total })
}

fn offset(text: &str) -> Result<Constraint> {
    let (seconds, errors) = match text.split_once(" (") {
        Some((seconds, errors)) => (seconds, errors.strip_suffix(" errors)")),
        None => (text, Some("0")),
    };
    let seconds = seconds.strip_suffix('s').and_then(|digits| digits.parse().ok());
    let errors = errors.and_then(|digits| digits.parse().ok());
    match (seconds, errors) {
        (Some(seconds), Some(errors)) => Ok(Constraint::Offset { seconds, errors }),
        _ => bail!("{text:?} is not a constraint offset like \"-1s (2 errors)\""),
    }
}

fn clock(status: &mut Status, text: &str) -> Result<()> {
    if let Some(stratum) = text.strip_prefix("clock synced, stratum ") {
        let number = stratum.parse().with_context(|| format!("stratum {stratum:?} is not a number"))?;
        (status.synced, status.stratum) = (true, Some(number));
    } else if let Some(offset) = text.strip_prefix("clock unsynced, clock offset is ") {
        let pending =
            millis(offset).with_context(|| format!("clock offset {offset:?} is not milliseconds"))?;
        status.pending = Some(pending);
    } else if text != "clock unsynced" {
        bail!("unknown part {text:?}");
    }
    Ok(())
}
