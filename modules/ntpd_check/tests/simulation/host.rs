// SPDX-License-Identifier: GPL-3.0-or-later

//! A host with a crystal, servers at the ends of paths, what can happen to both, and the check that looks at it.

use ntpd_check::evidence::{Evidence, Source};
use ntpd_check::judge::{Limits, blocking_peers, judge};
use ntpd_check::judgement::Judgement;
use ntpd_check::params::Params;
use ntpd_check::probe::{Answer, Probed, Problem};
use ntpd_check::repair::plan;
use ntpd_check::state::State;

use super::daemon::{Ntpd, Said, address};
use super::random::Random;

/// What this kernel slews, in seconds per second.
const SLEW: f64 = 500e-6;

/// When the simulated days begin, Unix seconds.
const BEGIN: f64 = 1_700_000_000.0;

pub struct Server {
    pub offset: f64,
    pub delay: f64,
    pub jitter: f64,
    pub silent_until: f64,
    pub alarm: bool,
}

/// What one look came to.
pub struct Seen {
    pub judgement: Judgement,
    pub restart: bool,
    pub refused: Vec<String>,
}

/// True time is `t`; the local clock shows `t - error`.
pub struct Host {
    pub t: f64,
    pub error: f64,
    pub slew: f64,
    ticks: f64,
    /// What the local clock shows beyond CLOCK_BOOTTIME, which is slewed, suspended and frozen with it: only who sets it changes that.
    set: f64,
    frequency: f64,
    pub servers: Vec<Server>,
    pub ntpd: Ntpd,
    sees_slew: bool,
    started: f64,
    pid: u32,
    listens: bool,
    /// Whether its network lets probes through.
    pub probes: bool,
    adjusted: Option<f64>,
    state: State,
    params: Params,
    pub random: Random,
}

impl Host {
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let sees_slew = random.chance(0.5);
        let server = |random: &mut Random| Server {
            offset: random.between(-0.004, 0.004),
            delay: random.between(0.001, 0.08),
            jitter: if random.chance(0.1) { 0.03 } else { random.between(0.0001, 0.005) },
            silent_until: 0.0,
            alarm: false,
        };
        let servers: Vec<Server> = (0..random.below(3) + 4).map(|_| server(&mut random)).collect();
        let error = if random.chance(0.3) { random.between(-1.5, 1.5) } else { random.between(-0.01, 0.01) };
        Self {
            t: BEGIN,
            error,
            slew: 0.0,
            ticks: 5000.0,
            set: BEGIN - error - 5000.0,
            frequency: random.between(-60e-6, 60e-6),
            ntpd: Ntpd::start(servers.len(), 5000.0, sees_slew),
            servers,
            sees_slew,
            started: 5000.0,
            pid: 100,
            listens: random.chance(0.7),
            probes: true,
            adjusted: None,
            state: State::default(),
            params: Params { repair: true, ..Params::default() },
            random,
        }
    }

    /// Lets the host and its daemon run until true time `end`.
    pub fn run(&mut self, end: f64) {
        loop {
            let (next, who) = self.ntpd.next();
            let at = self.t + (next - self.ticks).max(0.0);
            if at > end {
                return self.pass(end - self.t);
            }
            self.pass(at - self.t);
            let said = self.ask(who);
            if let Some(offset) = self.ntpd.hear(who, said, self.ticks, self.slew, &mut self.random) {
                if !self.ntpd.may_set {
                    continue;
                }
                self.slew = offset;
                self.adjusted = Some(self.local());
                // Part of a steady error is learnt as frequency.
                self.frequency *= 0.7;
            }
        }
    }

    fn pass(&mut self, seconds: f64) {
        let most = SLEW * seconds;
        let slewed = self.slew.clamp(-most, most);
        self.slew = if (self.slew - slewed).abs() < 1e-9 { 0.0 } else { self.slew - slewed };
        self.error += self.frequency * seconds - slewed;
        self.t += seconds;
        self.ticks += seconds;
    }

    /// The local clock.
    pub fn local(&self) -> f64 {
        self.t - self.error
    }

    /// CLOCK_BOOTTIME.
    fn boot(&self) -> f64 {
        self.local() - self.set
    }

    fn measure(&mut self, who: usize) -> (f64, f64) {
        let server = &self.servers[who];
        let (there, back) = (self.random.tail(server.jitter), self.random.tail(server.jitter));
        (self.error + server.offset + (there - back) / 2.0, server.delay + there + back)
    }

    fn ask(&mut self, who: usize) -> Said {
        let server = &self.servers[who];
        if server.silent_until > self.t || self.random.chance(0.003) {
            return Said::Nothing;
        }
        if self.servers[who].alarm {
            return Said::Alarm;
        }
        let (offset, delay) = self.measure(who);
        Said::Time { offset: offset - self.ntpd.corrects_by(self.slew), delay }
    }

    fn probe(&mut self) -> Vec<Probed> {
        (0..self.servers.len()).map(|who| self.probe_one(who)).collect()
    }

    fn probe_one(&mut self, who: usize) -> Probed {
        let server = &self.servers[who];
        let (silent, alarm) = (server.silent_until > self.t, server.alarm);
        let (offset, delay) = self.measure(who);
        let answer = Answer {
            leap: 0,
            stratum: 2,
            refid: format!("198.51.100.{who}"),
            offset,
            delay,
            root_distance: delay / 2.0 + 0.01,
            reference_age: 30.0,
        };
        let problem = match (silent, alarm) {
            (true, _) => Some(Problem::Silent),
            (false, true) => Some(Problem::Alarm),
            (false, false) => None,
        };
        let answers = if problem.is_some() { Vec::new() } else { vec![answer] };
        Probed { server: address(who), address: Some(address(who)), sent: 1, answers, problem }
    }

    /// One look of the check, as cron has it run, with what it remembers and what it would do.
    pub fn look(&mut self) -> Seen {
        let report = self.ntpd.report(self.ticks, self.slew);
        let off = |report: &ntpd_check::report::Report| {
            report.peers.iter().any(|peer| peer.sample.is_some_and(|sample| sample.offset.abs() > 0.05))
        };
        let mut evidence = Evidence {
            ticks: self.ticks,
            boot: Some(self.boot()),
            uptime: Some((self.boot() - self.started).floor()),
            pid: Some(self.pid),
            may_set: Some(self.ntpd.may_set),
            adjusted_ago: self.adjusted.filter(|_| self.listens).map(|at| self.local() - at),
            state: std::mem::take(&mut self.state),
            ..Evidence::of_source(self.local(), Source::Openntpd(report.clone()))
        };
        if self.probes && (!blocking_peers(&report, &evidence).is_empty() || off(&report)) {
            evidence.probes = self.probe();
        }
        let judgement = judge(&evidence, &Limits::new(&self.params, "linux"));
        let mut remembered = evidence.state.clone();
        remembered.remember(&evidence, &judgement);
        let plan = plan(&self.params, &evidence, &judgement, Ok(&remembered));
        if plan.restart {
            remembered.note_restart(&evidence.moment(), judgement.clock.clock_error);
            self.restart();
        }
        self.state = remembered;
        Seen { judgement, restart: plan.restart, refused: plan.refused }
    }

    // What can happen

    pub fn restart(&mut self) {
        self.pid += 7;
        self.started = self.boot();
        self.ntpd = Ntpd::start(self.servers.len(), self.ticks, self.sees_slew);
        self.adjusted = None;
    }

    /// Nothing runs, the battery clock does, to the second.
    pub fn suspend(&mut self, seconds: f64) {
        self.t += seconds;
        self.error += self.random.between(-0.5, 0.5);
    }

    /// The hypervisor stops the machine; its counter runs on, so no clock shows that.
    pub fn pause(&mut self, seconds: f64) {
        self.t += seconds;
        self.ticks += seconds;
        self.error += self.frequency * seconds;
    }

    /// The hypervisor stops the machine and its counter: all clocks are late by that.
    pub fn freeze(&mut self, seconds: f64) {
        self.t += seconds;
        self.error += seconds;
    }

    /// Somebody sets the clock.
    pub fn step(&mut self, seconds: f64) {
        self.error -= seconds;
        self.set += seconds;
    }
}
