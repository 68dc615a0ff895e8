// SPDX-License-Identifier: GPL-3.0-or-later

//! One JSON object: the same keys on the command line and in the module's reply.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Outcome, PeerView};
use crate::evidence::Source;
use crate::vet::servers;

/// The object; figures in seconds, `null` for what is not known.
///
/// # Errors
/// Where a value cannot be put into JSON.
pub fn object(outcome: &Outcome) -> serde_json::Result<Map<String, Value>> {
    let Outcome { observed, judgement, repair, restarted } = outcome;
    let evidence = &observed.evidence;
    let mut notes = judgement.notes.clone();
    notes.extend(observed.notes.iter().cloned());
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("version", env!("CARGO_PKG_VERSION").into());
    put("verdict", value(judgement.verdict)?);
    put("severity", value(judgement.severity)?);
    put("reasons", value(&judgement.reasons)?);
    put("notes", value(&notes)?);
    put("blocking_peers", value(&judgement.blocking_peers)?);
    put("falsetickers", value(&judgement.falsetickers)?);
    put("clock", value(&judgement.clock)?);
    put("peers", value(PeerView::all(outcome))?);
    put("sensors", sensors(&evidence.source)?);
    put("probes", value(&evidence.probes)?);
    put("daemon", json!({"kind": kind(&evidence.source), "pid": evidence.pid, "uptime": evidence.uptime}));
    put("leap", leap(outcome)?);
    put("previous", value(evidence.state.history.last())?);
    put("restarts", value(&evidence.state.restarts)?);
    put("repair", value(repair)?);
    put("restarted", (*restarted).into());
    put("candidates", value(&observed.candidates)?);
    put("servers", value(servers(&observed.candidates))?);
    Ok(object)
}

fn value(serializable: impl Serialize) -> serde_json::Result<Value> {
    serde_json::to_value(serializable)
}

fn kind(source: &Source) -> Option<&'static str> {
    match source {
        Source::Openntpd(_) => Some("openntpd"),
        Source::Chrony(report) if report.daemon == crate::ntpq::DAEMON => Some("ntp"),
        Source::Chrony(report) if report.daemon == crate::timesync::DAEMON => Some("timesyncd"),
        Source::Chrony(report) if report.daemon == crate::ntpd_rs::DAEMON => Some("ntpd_rs"),
        Source::Chrony(_) => Some("chrony"),
        Source::Failed(_) => None,
    }
}

fn sensors(source: &Source) -> serde_json::Result<Value> {
    match source {
        Source::Openntpd(report) => value(&report.sensors),
        _ => Ok(Value::Array(Vec::new())),
    }
}

fn leap(outcome: &Outcome) -> serde_json::Result<Value> {
    let evidence = &outcome.observed.evidence;
    let Some(table) = &evidence.leaps else { return Ok(Value::Null) };
    Ok(json!({
        "file": table.path,
        "updated": table.updated,
        "expires": table.expires,
        "expired": table.expires <= evidence.now,
        "next": value(table.next_after(evidence.now))?,
        "last": value(table.last_before(evidence.now))?,
    }))
}
