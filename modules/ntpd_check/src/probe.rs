// SPDX-License-Identifier: GPL-3.0-or-later

//! Our own SNTP client (RFC 4330, with the checks of RFC 5905): what each server says to us, not to the daemon.

mod client;
pub mod packet;
mod target;

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

pub use client::{probe, probe_all};

/// How servers are sampled.
#[derive(Debug, Clone, Copy)]
pub struct Sampling {
    /// Queries per server.
    pub samples: u32,
    /// Wait for one answer.
    pub timeout: Duration,
    /// Pause between two queries of one server: public servers punish less than 2 s.
    pub interval: Duration,
}

/// What one server answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Probed {
    /// As it was named to us.
    pub server: String,
    /// The address that was asked.
    pub address: Option<String>,
    /// Queries sent, be they answered or not.
    pub sent: u32,
    /// Good answers, in their order.
    pub answers: Vec<Answer>,
    /// Why the last query brought no good answer, or the last answer that stops OpenNTPD.
    pub problem: Option<Problem>,
}

/// One good answer; times in seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// Leap indicator: 0 none, 1 insert, 2 delete.
    pub leap: u8,
    /// 1 to 15.
    pub stratum: u8,
    /// Reference id: four letters at stratum 1, else the source's IPv4 address or a hash.
    pub refid: String,
    /// Server minus local clock.
    pub offset: f64,
    /// Round trip.
    pub delay: f64,
    /// Largest error that the chain to the reference clock allows.
    pub root_distance: f64,
    /// Age of the server's own last update.
    pub reference_age: f64,
}

impl Probed {
    /// The good answer with the shortest round trip: the most exact one.
    pub fn best(&self) -> Option<&Answer> {
        self.answers.iter().min_by(|a, b| a.delay.total_cmp(&b.delay))
    }

    /// An answer that stops OpenNTPD, among good ones or not: it would wait for this server in vain from then on.
    pub fn refusal(&self) -> Option<&Problem> {
        self.problem.as_ref().filter(|problem| problem.stops_openntpd())
    }

    /// What is wrong with this server, if no answer was good.
    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref().filter(|_| self.answers.is_empty())
    }
}

/// Why a server gave no good answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// The name has no address.
    Unresolved(String),
    /// The host says that nobody listens there.
    Refused,
    /// No answer in time.
    Silent,
    /// The network does not carry the query.
    Network(String),
    /// More invalid datagrams than any server sends.
    Flood(u32),
    /// Answers that are none: their last fault.
    Malformed(String),
    /// Leap indicator 3: the server's own clock is not set.
    Alarm,
    /// Stratum 0 with a code: RATE, DENY, RSTR ...
    Kiss(String),
    /// Stratum 16 and above.
    Stratum(u8),
    /// The server took longer than the whole round trip.
    NegativeDelay(f64),
    /// The chain to the reference clock allows too large an error.
    RootDistance(f64),
    /// The server has not been updated for too long, in seconds.
    Stale(f64),
}

impl Problem {
    /// Whether OpenNTPD keeps a valid peer valid after this, and waits for it instead of adjusting the clock.
    pub fn stops_openntpd(&self) -> bool {
        matches!(self, Self::Alarm | Self::Kiss(_) | Self::Stratum(_) | Self::NegativeDelay(_))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unresolved(why) => write!(f, "has no address: {why}"),
            Self::Refused => f.write_str("its UDP port is closed"),
            Self::Silent => f.write_str("does not answer"),
            Self::Network(why) => write!(f, "cannot be reached: {why}"),
            Self::Flood(count) => write!(f, "sends {count} invalid datagrams in answer to one query"),
            Self::Malformed(why) => write!(f, "sends invalid answers: {why}"),
            Self::Alarm => f.write_str("announces LI=3 (alarm): its own clock is not set"),
            Self::Kiss(code) => write!(f, "sends kiss of death {code}"),
            Self::Stratum(stratum) => write!(f, "announces stratum {stratum}: not synchronised"),
            Self::NegativeDelay(delay) => {
                write!(f, "sends timestamps that make a negative delay of {delay:.6} s")
            }
            Self::RootDistance(distance) => write!(f, "may be off by {distance:.3} s by its own account"),
            Self::Stale(0.0) => f.write_str("was itself never set"),
            Self::Stale(age) => write!(f, "was itself last set {age:.0} s ago"),
        }
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;
