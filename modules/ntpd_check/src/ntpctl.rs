// SPDX-License-Identifier: GPL-3.0-or-later

//! ntpctl(8): how it is called, what it prints, and every way it is known to fail (OpenNTPD 5.7 to 7.9).

mod parse;
mod status;

use std::time::{Duration, Instant};

use ansible_module::{Finished, Tool};
use anyhow::Result;

pub use parse::parse;

use crate::failure::Failure;
use crate::report::Report;

/// Signal of a write into a closed pipe: ntpctl dies of it without a word when the daemon hangs up.
const SIGPIPE: i32 = 13;

/// Asks the running daemon.
///
/// # Errors
/// [`Failure`], which says precisely why there is no answer.
pub fn ask(limit: Duration) -> Result<Report, Failure> {
    let tool = Tool::find("ntpctl").map_err(|error| Failure::no_tool(format!("{error:#}")))?;
    let started = Instant::now();
    let outcome = tool.command().args(["-s", "all"]).time_limit(limit).output();
    match outcome {
        Ok(finished) => answer(&finished),
        Err(_) if started.elapsed() >= limit => Err(Failure::not_answering(format!(
            "ntpctl got no answer within {} s: the daemon is there but stopped or hung",
            limit.as_secs_f64()
        ))),
        Err(error) => Err(Failure::no_tool(format!("{error:#}"))),
    }
}

/// Judges the end of one call.
fn answer(finished: &Finished) -> Result<Report, Failure> {
    if !finished.status.success() {
        return Err(refusal(finished));
    }
    parse(&finished.stdout).map_err(|error| Failure::parse(format!("{error:#}")))
}

/// ntpctl exits with 1 for everything; its words, seen in 6.2p3 and 7.9p1 under `LC_ALL=C`, tell the cases apart.
fn refusal(finished: &Finished) -> Failure {
    use std::os::unix::process::ExitStatusExt;

    let words = finished.stderr.trim();
    if finished.status.signal() == Some(SIGPIPE) {
        return hung_up(words);
    }
    complaint(words)
        .unwrap_or_else(|| Failure::parse(format!("ntpctl failed with status {}: {words}", finished.rc())))
}

fn hung_up(words: &str) -> Failure {
    Failure::not_answering(format!(
        "the daemon accepted the connection and closed it again: it is going down {words}"
    ))
}

/// What ntpctl's words mean, where they are known.
pub(crate) fn complaint(words: &str) -> Option<Failure> {
    if words.contains("pipe closed") {
        return Some(hung_up(words));
    }
    let connecting = words.contains("connect:");
    if connecting && words.contains("Permission denied") {
        return Some(Failure::no_permission(format!(
            "{words}; the daemon's socket belongs to root (mode 0660), membership in group ntpd does not help: \
             run this check as root"
        )));
    }
    if connecting && words.contains("No such file or directory") {
        return Some(Failure::no_daemon(format!("{words}; the daemon is not running")));
    }
    if connecting && words.contains("Connection refused") {
        return Some(Failure::no_daemon(format!(
            "{words}; the socket is left over from a daemon that is gone (or, up to 6.2, a second ntpd took it)"
        )));
    }
    if words.contains("imsg_get error") || words.contains("read error") {
        return Some(Failure::not_answering(format!(
            "{words}; whatever listens on the socket is no OpenNTPD of this version"
        )));
    }
    None
}

#[cfg(test)]
mod tests;
