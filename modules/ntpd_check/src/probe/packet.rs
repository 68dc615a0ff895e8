// SPDX-License-Identifier: GPL-3.0-or-later

//! The 48 bytes of an SNTP packet. Nothing a server sends makes this panic.

use super::{Answer, Problem};

/// Length of a packet without extension fields; a query without any gets an answer without any (RFC 7822).
pub const LENGTH: usize = 48;

/// Frequency tolerance of RFC 5905: what a clock may drift while nobody looks.
const PHI: f64 = 15e-6;

/// Root distance beyond which RFC 5905 does not select a server.
const FARTHEST: f64 = 1.5;

/// A server that was not updated for a day is not synchronised, whatever it says.
const STALE: f64 = 86400.0;

/// Seconds from 1900 (NTP) to 1970 (Unix).
const NTP_TO_UNIX: u64 = 2_208_988_800;

/// An NTP timestamp: seconds since 1900 modulo 2^32, and a 32-bit fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(pub u64);

impl Stamp {
    /// From Unix seconds and nanoseconds.
    pub fn from_unix(seconds: u64, nanos: u32) -> Self {
        let whole = seconds.wrapping_add(NTP_TO_UNIX) << 32;
        Self(whole | ((u64::from(nanos) << 32) / 1_000_000_000))
    }

    /// `self` minus `earlier` in seconds; right across the end of an era (2036).
    pub fn since(self, earlier: Self) -> f64 {
        self.0.wrapping_sub(earlier.0).cast_signed() as f64 / 4_294_967_296.0
    }
}

/// A query: version 4, mode 3, and a random number in place of our time, which is nobody's business and which only
/// the asked server can repeat.
pub fn query(nonce: u64) -> [u8; LENGTH] {
    let mut packet = [0; LENGTH];
    packet[0] = 0b00_100_011;
    packet[40..].copy_from_slice(&nonce.to_be_bytes());
    packet
}

/// What a datagram is.
#[derive(Debug, PartialEq)]
pub enum Reading {
    /// Not an answer to this query; the real one may still come.
    Noise(String),
    /// The server's answer, but of no use.
    Bad(Problem),
    /// A good answer.
    Good(Answer),
}

/// Judges one datagram that arrived at `arrived` for the query with `nonce` sent at `sent`.
pub fn read(datagram: &[u8], nonce: u64, sent: Stamp, arrived: Stamp) -> Reading {
    let Ok(packet) = <&[u8; LENGTH]>::try_from(datagram) else {
        return Reading::Noise(format!("{} bytes instead of {LENGTH}", datagram.len()));
    };
    let (leap, version, mode) = (packet[0] >> 6, packet[0] >> 3 & 7, packet[0] & 7);
    if mode != 4 {
        return Reading::Noise(format!("mode {mode} instead of 4 (server)"));
    }
    if !(1..=4).contains(&version) {
        return Reading::Noise(format!("version {version}"));
    }
    if word64(packet, 24) != nonce {
        return Reading::Noise("it does not repeat our query's timestamp".to_owned());
    }
    let stratum = packet[1];
    match unusable(packet, leap, stratum) {
        Some(problem) => Reading::Bad(problem),
        None => measure(packet, sent, arrived),
    }
}

fn unusable(packet: &[u8; LENGTH], leap: u8, stratum: u8) -> Option<Problem> {
    if stratum == 0 {
        return Some(Problem::Kiss(letters(packet)));
    }
    if stratum > 15 {
        return Some(Problem::Stratum(stratum));
    }
    if leap == 3 {
        return Some(Problem::Alarm);
    }
    if word64(packet, 32) == 0 || word64(packet, 40) == 0 {
        return Some(Problem::Malformed("a timestamp is zero".to_owned()));
    }
    None
}

fn measure(packet: &[u8; LENGTH], sent: Stamp, arrived: Stamp) -> Reading {
    let (received, answered) = (Stamp(word64(packet, 32)), Stamp(word64(packet, 40)));
    let delay = arrived.since(sent) - answered.since(received);
    if delay < 0.0 || answered.since(received) < 0.0 {
        return Reading::Bad(Problem::NegativeDelay(delay));
    }
    let reference = word64(packet, 16);
    let reference_age = answered.since(Stamp(reference)).max(0.0);
    if reference == 0 || reference_age > STALE {
        return Reading::Bad(Problem::Stale(reference_age));
    }
    let (root_delay, root_dispersion) = (short(packet, 4), short(packet, 8));
    let root_distance = (root_delay + delay) / 2.0 + root_dispersion + PHI * reference_age;
    if root_distance >= FARTHEST {
        return Reading::Bad(Problem::RootDistance(root_distance));
    }
    let stratum = packet[1];
    Reading::Good(Answer {
        leap: packet[0] >> 6,
        stratum,
        refid: if stratum == 1 { letters(packet) } else { dotted(packet) },
        offset: (received.since(sent) + answered.since(arrived)) / 2.0,
        delay,
        root_distance,
        reference_age,
    })
}

fn word64(packet: &[u8; LENGTH], at: usize) -> u64 {
    packet.iter().skip(at).take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// NTP short format: 16 bits of seconds, 16 of fraction.
fn short(packet: &[u8; LENGTH], at: usize) -> f64 {
    let word = packet.iter().skip(at).take(4).fold(0u32, |value, byte| value << 8 | u32::from(*byte));
    f64::from(word) / 65536.0
}

fn dotted(packet: &[u8; LENGTH]) -> String {
    format!("{}.{}.{}.{}", packet[12], packet[13], packet[14], packet[15])
}

/// Reference id as letters; anything that is not a plain letter is shown as its number.
fn letters(packet: &[u8; LENGTH]) -> String {
    let id = packet.get(12..16).unwrap_or_default();
    let text = id.split(|byte| *byte == 0).next().unwrap_or_default();
    match std::str::from_utf8(text) {
        Ok(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) => text.to_owned(),
        _ => dotted(packet),
    }
}
