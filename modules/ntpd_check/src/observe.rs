// SPDX-License-Identifier: GPL-3.0-or-later

//! Gathers the evidence. Reads, asks and probes; writes nothing.

mod clocks;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clocks::{Clocks, since_1970};

use crate::daemon::{self, Kind};
use crate::evidence::{Evidence, Source};
use crate::failure::Failure;
use crate::host::Host;
use crate::leap::{self, LeapTable};
use crate::params::{Daemon, Params};
use crate::probe::{Probed, Problem, Sampling, probe, probe_all};
use crate::report::Report;
use crate::state;
use crate::verdict::Verdict;
use crate::vet::{Vetted, vet};
use crate::{chrony, compare, ntpctl, ntpd_rs, ntpq, paste, timesync};

/// The daemon on the loopback address answers in microseconds or not at all, unless the machine is busy.
const LOOPBACK: Sampling = Sampling { samples: 1, timeout: Duration::from_secs(1), interval: Duration::ZERO };

/// A saved output of ntpctl is a few KiB, a scrollback with one in it some hundred.
const LARGEST: u64 = 4 << 20;

/// Everything that was found out.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The daemon of this host that was asked; none where a saved output or another server is judged.
    pub daemon: Option<Kind>,
    /// For the judgement of this clock.
    pub evidence: Evidence,
    /// Candidates that were sampled.
    pub candidates: Vec<Vetted>,
    /// Addresses on which this host serves time.
    pub listens: Vec<String>,
    /// Whether earlier runs could be remembered, and if not, why.
    pub memory: Result<(), String>,
    /// What could not be found out, and why.
    pub notes: Vec<String>,
}

impl Observed {
    /// What is known where no daemon of this host is asked, and no candidate.
    pub fn of(evidence: Evidence) -> Observed {
        let (candidates, listens, notes) = (Vec::new(), Vec::new(), Vec::new());
        Observed { daemon: None, evidence, candidates, listens, memory: Ok(()), notes }
    }

    /// Notes that this run leaves nothing to the next one.
    pub fn forget(&mut self, error: &anyhow::Error) {
        let why = format!("{error:#}");
        self.notes.push(format!("nothing is remembered for the next run: {why}"));
        self.memory = Err(why);
    }
}

/// Finds out what `params` ask for.
///
/// # Errors
/// Where this host fails in a way that leaves nothing to judge: a saved output that is not there, no random numbers for a
/// probe.
pub fn observe(params: &Params) -> Result<Observed> {
    if let Some(path) = &params.from_file {
        return saved(params, path);
    }
    if let Some(server) = &params.monitoring.server {
        return compared(params, server);
    }
    let mut notes = Vec::new();
    let Asked { source, kind } = ask(params);
    let processes =
        keep(daemon::processes(kind, params.time_limit.duration()), &mut notes).unwrap_or_default();
    let process = processes.daemon;
    let listens = keep(daemon::listens(params.config_file.as_deref()), &mut notes).unwrap_or_default();
    let drift = match kind {
        Kind::Openntpd => keep(daemon::drift(params.drift_file.as_deref()), &mut notes).flatten(),
        Kind::Chrony | Kind::Ntp | Kind::NtpdRs | Kind::Timesyncd => None,
    };
    let loaded = state::load(&state_path(params));
    let memory = loaded.as_ref().map(|_| ()).map_err(|error| format!("{error:#}"));
    let state = keep(loaded, &mut notes).unwrap_or_default();
    let clocks = Clocks::read()?;
    let mut evidence = Evidence {
        now: clocks.now,
        ticks: clocks.ticks,
        boot: clocks.boot,
        uptime: process.map(|process| process.uptime as f64),
        pid: process.map(|process| process.pid),
        drift_ppm: drift,
        may_set: process
            .filter(|_| kind == Kind::Openntpd)
            .and_then(|found| Host::default().may_set(found.pid)),
        rivals: processes.rivals,
        adjusted_ago: adjusted_ago(kind, &listens)?,
        probes: Vec::new(),
        leaps: leaps(params, &mut notes),
        source,
        state,
    };
    if wants_probes(params, &evidence) {
        evidence.probes = probe(&addresses(&evidence.source), Sampling { samples: 1, ..sampling(params) })?;
    }
    let candidates = vet(&probe_all(&params.candidates, sampling(params))?);
    Ok(Observed { daemon: Some(kind), evidence, candidates, listens, memory, notes })
}

/// Where this run's memory lies.
pub fn state_path(params: &Params) -> PathBuf {
    params.state_file.clone().unwrap_or_else(|| state::default_path(std::env::consts::OS))
}

/// This clock against one server, without daemon and memory.
fn compared(params: &Params, server: &str) -> Result<Observed> {
    let mut notes = Vec::new();
    let source = compare::source(server, params)?;
    let evidence = Evidence { leaps: leaps(params, &mut notes), ..Evidence::of_source(since_1970(), source) };
    let memory = Err("one server is asked".to_owned());
    Ok(Observed { memory, notes, ..Observed::of(evidence) })
}

fn saved(params: &Params, path: &Path) -> Result<Observed> {
    let bytes = daemon::read_pasted(path, LARGEST).context("reading a saved output of ntpctl")?;
    let mut notes = Vec::new();
    let source = match paste::read(&bytes) {
        Ok(read) => {
            notes.extend(read.notes);
            Source::Openntpd(read.report)
        }
        Err(failure) => {
            Source::Failed(Failure { reason: format!("{}: {}", path.display(), failure.reason), ..failure })
        }
    };
    // A saved output has no date: no leap second can be near it.
    let evidence = Evidence::of_source(since_1970(), source);
    let candidates = vet(&probe_all(&params.candidates, sampling(params))?);
    if params.probe || params.repair {
        notes.push("a saved output is judged: no peer is probed and nothing is repaired".to_owned());
    }
    let memory = Err("a saved output is judged".to_owned());
    Ok(Observed { candidates, memory, notes, ..Observed::of(evidence) })
}

/// A daemon, and what it has said.
struct Asked {
    kind: Kind,
    source: Source,
}

fn ask(params: &Params) -> Asked {
    let limit = params.time_limit.duration();
    let openntpd = || Asked::of(Kind::Openntpd, ntpctl::ask(limit).map(Source::Openntpd));
    let chrony = || Asked::of(Kind::Chrony, chrony::ask(limit).map(Source::Chrony));
    let ntp = || Asked::of(Kind::Ntp, ntpq::ask(limit).map(Source::Chrony));
    let timesyncd = || Asked::of(Kind::Timesyncd, timesync::ask(limit).map(Source::Chrony));
    let ntpd_rs = || Asked::of(Kind::NtpdRs, ntpd_rs::ask(limit).map(Source::Chrony));
    match params.daemon {
        Daemon::Openntpd => openntpd(),
        Daemon::Chrony => chrony(),
        Daemon::Ntp => ntp(),
        Daemon::Timesyncd => timesyncd(),
        Daemon::NtpdRs => ntpd_rs(),
        Daemon::Auto => openntpd().or_in_charge(chrony).or_else(ntp).or_else(ntpd_rs).or_else(timesyncd),
    }
}

impl Asked {
    fn of(kind: Kind, answer: Result<Source, Failure>) -> Asked {
        Asked { kind, source: answer.unwrap_or_else(Source::Failed) }
    }

    /// Another daemon where it answers, and nobody else does; or where nothing else is installed.
    fn or_else(self, other: impl FnOnce() -> Asked) -> Asked {
        let Source::Failed(failure) = &self.source else { return self };
        let nothing = failure.verdict == Verdict::NoTool;
        let asked = other();
        match &asked.source {
            Source::Failed(failure) if failure.verdict == Verdict::NoTool || !nothing => self,
            _ => asked,
        }
    }

    /// Of two daemons the one that runs and may be asked, else the one that may not, else the one that is installed, else this one.
    fn or_in_charge(self, other: impl FnOnce() -> Asked) -> Asked {
        let presence = self.presence();
        if presence == 3 {
            return self;
        }
        let other = other();
        if other.presence() > presence { other } else { self }
    }

    /// How much of a daemon is there: nothing, a program, one that may not be asked, one that runs.
    fn presence(&self) -> u8 {
        match &self.source {
            Source::Failed(failure) if failure.verdict == Verdict::NoTool => 0,
            Source::Failed(failure) if failure.verdict == Verdict::NoDaemon => 1,
            Source::Failed(failure) if failure.verdict == Verdict::NoPermission => 2,
            _ => 3,
        }
    }
}

/// Keeps what was found; what was not becomes a note, for a missing detail must not hide the verdict.
fn keep<T>(found: Result<T>, notes: &mut Vec<String>) -> Option<T> {
    found.map_err(|error| notes.push(format!("{error:#}"))).ok()
}

/// Probes are sent when asked for, and before a restart is even considered.
fn wants_probes(params: &Params, evidence: &Evidence) -> bool {
    let Source::Openntpd(report) = &evidence.source else { return params.probe };
    let suspicious = || {
        let blocked = !crate::judge::blocking_peers(report, evidence).is_empty();
        let limit = params.offset_warning.as_f64();
        blocked
            || report.peers.iter().any(|peer| peer.sample.is_some_and(|sample| sample.offset.abs() > limit))
    };
    params.probe || (params.repair && suspicious())
}

fn addresses(source: &Source) -> Vec<String> {
    match source {
        Source::Openntpd(Report { peers, .. }) => {
            peers.iter().filter_map(|peer| peer.address.clone()).collect()
        }
        Source::Chrony(report) => {
            let network = report.sources.iter().filter(|source| source.mode != '#');
            network.map(|source| source.name.clone()).collect()
        }
        Source::Failed(_) => Vec::new(),
    }
}

fn sampling(params: &Params) -> Sampling {
    Sampling {
        samples: params.samples,
        timeout: params.probe_timeout.duration(),
        interval: params.sample_interval.duration(),
    }
}

/// OpenNTPD's answer on the loopback address carries the time of its last adjustment.
fn adjusted_ago(kind: Kind, listens: &[String]) -> Result<Option<f64>> {
    let here = ["127.0.0.1", "*", "localhost", "0.0.0.0"];
    if kind != Kind::Openntpd || !listens.iter().any(|address| here.contains(&address.as_str())) {
        return Ok(None);
    }
    let probed = probe(&["127.0.0.1".to_owned()], LOOPBACK)?;
    Ok(probed.first().and_then(|probed: &Probed| match (&probed.problem, probed.best()) {
        (_, Some(answer)) => Some(answer.reference_age),
        (Some(Problem::Stale(age)), None) => Some(*age).filter(|age| *age > 0.0),
        _ => None,
    }))
}

fn leaps(params: &Params, notes: &mut Vec<String>) -> Option<LeapTable> {
    let read = |path: &Path| leap::parse(&daemon::read(path, leap::LARGEST)?, path);
    if let Some(path) = &params.leap_file {
        // What is said of the clock does not depend on it, for all but a few days.
        return keep(read(path), notes);
    }
    let places = leap::PLACES.iter().map(Path::new).filter(|path| path.exists());
    // tzdata may be older than what the base system fetches, or newer.
    leap::newest(places.filter_map(|path| keep(read(path), notes)))
}

#[cfg(test)]
mod tests;
