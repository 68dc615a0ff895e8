// SPDX-License-Identifier: GPL-3.0-or-later

//! A model of OpenNTPD after client.c and ntp.c: when it asks, what it keeps of a reply, when it adjusts, and what ntpctl shows.

use ntpd_check::report::{Count, Peer, Report, Sample, Status};

use super::random::Random;

const VALID: u32 = 6;
const RING: usize = 8;

/// What a server says to one query.
#[derive(Clone, Copy)]
pub enum Said {
    Nothing,
    Alarm,
    /// Server minus local clock, and the round trip.
    Time {
        offset: f64,
        delay: f64,
    },
}

#[derive(Clone, Copy)]
struct Reply {
    offset: f64,
    delay: f64,
    at: f64,
    fresh: bool,
}

struct Source {
    trust: u32,
    ever: bool,
    replies: Vec<Reply>,
    update: Option<(f64, f64)>,
    next: f64,
    poll: f64,
}

/// The engine. Times are those of the clock that nobody sets.
pub struct Ntpd {
    sources: Vec<Source>,
    scale: f64,
    synced: bool,
    /// Whether the kernel tells it of the slew that is left: 7.9's own adjtime on Linux never learns.
    sees_slew: bool,
    adjustments: u32,
    pub last_adjustment: Option<f64>,
    /// Whether the kernel lets it adjust; it goes on trying where not, and never says synced.
    pub may_set: bool,
}

impl Ntpd {
    pub fn start(servers: usize, now: f64, sees_slew: bool) -> Self {
        let source =
            |_| Source { trust: 2, ever: false, replies: Vec::new(), update: None, next: now, poll: 0.0 };
        Self {
            sources: (0..servers).map(source).collect(),
            scale: 1.0,
            synced: false,
            sees_slew,
            adjustments: 0,
            last_adjustment: None,
            may_set: true,
        }
    }

    /// When it asks next, and whom.
    pub fn next(&self) -> (f64, usize) {
        let times = self.sources.iter().enumerate().map(|(at, source)| (source.next, at));
        times.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((f64::INFINITY, 0))
    }

    /// The slew that it takes into account when it measures.
    pub fn corrects_by(&self, slew: f64) -> f64 {
        if self.sees_slew { slew } else { 0.0 }
    }

    /// Takes what a server said; an adjustment by so many seconds may come of it. `slew` is what the kernel has left.
    pub fn hear(&mut self, at: usize, said: Said, now: f64, slew: f64, random: &mut Random) -> Option<f64> {
        let scale = self.scale;
        let source = &mut self.sources[at];
        match said {
            Said::Nothing => {
                source.trust = if source.trust >= VALID { source.trust / 2 } else { source.trust.max(2) };
                source.wait(now, 300.0);
                if self.sources.iter().all(|source| source.trust < VALID) && !self.sees_slew {
                    self.synced = false;
                }
                None
            }
            // Neither trust nor the last update are touched: that is the fault.
            Said::Alarm => {
                source.wait(now, 3000.0 + random.between(0.0, 299.0));
                None
            }
            Said::Time { offset, delay } => {
                source.ever = true;
                source.trust = (source.trust + 1).min(10);
                source.replies.push(Reply { offset, delay, at: now, fresh: true });
                if source.replies.len() > RING {
                    source.replies.remove(0);
                }
                let base = if source.trust < 8 { 5.0 } else { 30.0 * scale };
                source.wait(now, base + random.between(0.0, (base / 10.0).max(5.0)).floor());
                self.update(at, now, slew)
            }
        }
    }

    /// The reply with the shortest way of eight fresh ones is what this server says.
    fn update(&mut self, at: usize, now: f64, slew: f64) -> Option<f64> {
        let source = &mut self.sources[at];
        if source.replies.iter().filter(|reply| reply.fresh).count() < RING {
            return None;
        }
        let best = source.replies.iter().min_by(|a, b| a.delay.total_cmp(&b.delay)).copied()?;
        source.update = Some((best.offset, best.delay));
        let adjusted = self.adjust(now, slew);
        if adjusted.is_some() {
            let replies = &mut self.sources[at].replies;
            replies.iter_mut().filter(|reply| reply.at <= best.at).for_each(|reply| reply.fresh = false);
        }
        adjusted
    }

    /// Only when every valid peer has an update: one that brings none stops it for good.
    fn adjust(&mut self, now: f64, slew: f64) -> Option<f64> {
        let valid = self.sources.iter().filter(|source| source.trust >= VALID);
        let mut offsets: Vec<f64> =
            valid.map(|source| source.update.map(|update| update.0)).collect::<Option<_>>()?;
        offsets.sort_by(f64::total_cmp);
        let offset = *offsets.get(offsets.len() / 2)?;
        self.synced = self.may_set && self.adjustments > 0 && (slew == 0.0 || !self.sees_slew);
        self.adjustments += 1;
        self.last_adjustment = Some(now);
        for source in &mut self.sources {
            source.update = None;
            source.replies.iter_mut().for_each(|reply| reply.offset -= offset);
        }
        let known = (offset + self.corrects_by(slew)).abs();
        self.scale = if known > 0.05 || !self.synced { 1.0 } else { (0.05 / known.max(0.001)).min(50.0) };
        // It replaces what is left of the last one, which it measured around.
        Some(offset + self.corrects_by(slew))
    }

    /// What `ntpctl -s all` shows.
    pub fn report(&self, now: f64, slew: f64) -> Report {
        let valid = self.sources.iter().filter(|source| source.trust >= VALID).count() as u32;
        let pending = (self.sees_slew && !self.synced && slew != 0.0).then(|| micros(slew));
        let status = Status {
            peers: Some(Count { valid, total: self.sources.len() as u32 }),
            synced: self.synced,
            stratum: self.synced.then_some(3),
            pending,
            ..Status::default()
        };
        let peers = self.sources.iter().enumerate().map(|(at, source)| source.row(at, now)).collect();
        Report { status: Some(status), peers, ..Report::default() }
    }

    /// Valid peers on the error interval.
    pub fn blocked_by(&self) -> Vec<String> {
        let blocks = |source: &Source| source.trust >= VALID && source.poll >= 3000.0;
        let blocking = self.sources.iter().enumerate().filter(|(_, source)| blocks(source));
        blocking.map(|(at, _)| address(at)).collect()
    }

    pub fn is_valid(&self, at: usize) -> bool {
        self.sources[at].trust >= VALID
    }
}

impl Source {
    fn wait(&mut self, now: f64, poll: f64) {
        (self.poll, self.next) = (poll, now + poll);
    }

    fn row(&self, at: usize, now: f64) -> Peer {
        Peer {
            address: Some(address(at)),
            trust: self.trust,
            weight: 1,
            stratum: self.ever.then_some(2),
            next: (self.next - now).max(0.0) as i64,
            poll: self.poll as i64,
            sample: (self.trust >= VALID).then(|| self.sample()),
            ..Peer::default()
        }
    }

    fn sample(&self) -> Sample {
        let count = self.replies.len() as f64;
        let least = self.replies.iter().map(|reply| reply.delay).fold(f64::INFINITY, f64::min);
        let mean = |of: fn(&Reply) -> f64| self.replies.iter().map(of).sum::<f64>() / count;
        let squares = self.replies.iter().map(|reply| (reply.delay - least).powi(2)).sum::<f64>();
        Sample {
            offset: micros(mean(|reply| reply.offset)),
            delay: micros(mean(|reply| reply.delay)),
            jitter: micros((squares / count).sqrt()),
        }
    }
}

/// ntpctl shows no more.
fn micros(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

pub fn address(at: usize) -> String {
    format!("192.0.2.{}", at + 1)
}
