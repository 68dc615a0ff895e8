// SPDX-License-Identifier: GPL-3.0-or-later

//! One server being asked: its socket, the query under way, and what came back.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};

use super::packet::{self, LENGTH, Reading, Stamp};
use super::{Probed, Problem};

/// Invalid datagrams per query after which a server is given up.
const NOISE: u32 = 32;

/// Addresses of one name that are sampled: more is a pool of a whole country.
const ADDRESSES: usize = 16;

/// The NTP port.
const PORT: u16 = 123;

pub(super) struct Target {
    pub(super) result: Probed,
    pub(super) socket: Option<UdpSocket>,
    query: Option<Query>,
    noise: u32,
    /// What was wrong with the last datagram that was no answer.
    heard: Option<Problem>,
}

struct Query {
    nonce: u64,
    sent: Stamp,
}

impl Target {
    fn unconnected(server: &str) -> Self {
        let result =
            Probed { server: server.to_owned(), address: None, sent: 0, answers: Vec::new(), problem: None };
        Self { result, socket: None, query: None, noise: 0, heard: None }
    }

    /// The first address of a server.
    pub(super) fn new(server: &str) -> Self {
        let mut target = Self::unconnected(server);
        match resolve(server) {
            Ok(addresses) => target.connect(addresses[0]),
            Err(error) => target.result.problem = Some(Problem::Unresolved(format!("{error:#}"))),
        }
        target
    }

    /// One target for each address of a name: a daemon may take any of them.
    pub(super) fn all(server: &str) -> Vec<Self> {
        let Ok(addresses) = resolve(server) else { return vec![Self::new(server)] };
        let target = |address: &SocketAddr| {
            let mut target = Self::unconnected(server);
            target.connect(*address);
            target
        };
        addresses.iter().take(ADDRESSES).map(target).collect()
    }

    fn connect(&mut self, address: SocketAddr) {
        self.result.address = Some(address.ip().to_string());
        let any: IpAddr =
            if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let opened = UdpSocket::bind((any, 0)).and_then(|socket| {
            // Connected: the kernel drops what others send and reports a closed port.
            socket.connect(address)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        match opened {
            Ok(socket) => self.socket = Some(socket),
            Err(error) => self.result.problem = Some(Problem::Network(error.to_string())),
        }
    }

    pub(super) fn waits(&self) -> bool {
        self.query.is_some()
    }

    /// Whether the server has an address and has not asked us to stop.
    pub(super) fn can_be_asked(&self) -> bool {
        let stopped = matches!(self.result.problem, Some(Problem::Kiss(_) | Problem::Flood(_)));
        self.socket.is_some() && !stopped
    }

    /// Sends one query to a server that can be asked.
    pub(super) fn ask(&mut self) -> Result<()> {
        let Some(socket) = self.socket.as_ref().filter(|_| self.can_be_asked()) else { return Ok(()) };
        let nonce = getrandom::u64().context("drawing a random number for a query")?;
        let sent = now();
        (self.noise, self.heard) = (0, None);
        match socket.send(&packet::query(nonce)) {
            Ok(_) => {
                self.result.sent += 1;
                self.query = Some(Query { nonce, sent });
            }
            Err(error) => self.fail(&error),
        }
        Ok(())
    }

    /// Takes what has arrived, up to the answer.
    pub(super) fn receive(&mut self) {
        let mut buffer = [0u8; LENGTH + 1];
        while let (Some(socket), Some(query)) = (&self.socket, &self.query) {
            let length = match socket.recv(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return self.fail(&error),
            };
            let datagram = buffer.get(..length).unwrap_or_default();
            match packet::read(datagram, query.nonce, query.sent, now()) {
                Reading::Noise(why) => self.ignore(why),
                Reading::Bad(problem) => self.end(Some(problem)),
                Reading::Good(answer) => {
                    self.result.answers.push(answer);
                    self.end(None);
                }
            }
        }
    }

    pub(super) fn give_up(&mut self) {
        if self.query.is_some() {
            let heard = self.heard.take().unwrap_or(Problem::Silent);
            self.end(Some(heard));
        }
    }

    fn ignore(&mut self, why: String) {
        self.noise += 1;
        if self.noise >= NOISE {
            self.end(Some(Problem::Flood(self.noise)));
        } else {
            self.heard = Some(Problem::Malformed(why));
        }
    }

    fn fail(&mut self, error: &std::io::Error) {
        let refused = error.kind() == ErrorKind::ConnectionRefused;
        self.end(Some(if refused { Problem::Refused } else { Problem::Network(error.to_string()) }));
    }

    /// Keeps a refusal: good answers around it do not make OpenNTPD survive it.
    fn end(&mut self, problem: Option<Problem>) {
        self.query = None;
        let refuses_again = problem.as_ref().is_some_and(Problem::stops_openntpd);
        if self.result.refusal().is_none() || refuses_again {
            self.result.problem = problem;
        }
    }
}

/// An address as ntpctl shows it (with a scope at times), `HOST`, or either with `:PORT`: at least one address.
fn resolve(server: &str) -> Result<Vec<SocketAddr>> {
    if let Ok(address) = server.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, PORT)]);
    }
    if let Ok(address) = server.parse::<SocketAddr>() {
        return Ok(vec![address]);
    }
    let (name, port) = match server.rsplit_once(':') {
        // More colons are those of an IPv6 address with a scope, which is no Rust address but one for the resolver.
        Some((name, port)) if !name.contains(':') => {
            (name, port.parse().with_context(|| format!("{port:?} is not a port from 0 to 65535"))?)
        }
        _ => (server, PORT),
    };
    let mut found: Vec<SocketAddr> = Vec::new();
    for address in (name, port).to_socket_addrs()? {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    ensure!(!found.is_empty(), "the name has no address");
    Ok(found)
}

fn now() -> Stamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Stamp::from_unix(since.as_secs(), since.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_carry_a_port_as_an_address_may() {
        for (server, port) in [
            ("localhost", 123),
            ("localhost:4123", 4123),
            ("127.0.0.1", 123),
            ("127.0.0.1:4123", 4123),
            ("::1", 123),
            ("[::1]:4123", 4123),
        ] {
            let found = resolve(server).unwrap()[0];
            assert!(found.ip().is_loopback() && found.port() == port, "{server}: {found}");
        }
        for server in ["localhost:", "localhost:ntp", "localhost:65536", "no-such-name.invalid:123", ""] {
            assert!(resolve(server).is_err(), "{server}");
        }
    }
}
