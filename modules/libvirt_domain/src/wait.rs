// SPDX-License-Identifier: GPL-3.0-or-later

//! Waiting until a guest answers: on its console, on a TCP port, through its agent.

use std::net::{TcpStream, ToSocketAddrs};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::console::{Console, quoted};
use crate::guest::Guest;
use crate::params::WaitFor;
use crate::stopped::{DomainAt, account};

/// Between two looks; short at first, for guests that come up at once.
const SHORTEST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// How long one attempt to connect may take, and one answer of the agent.
const ATTEMPT: Duration = Duration::from_secs(2);

/// What is still missing, in the words of the error.
struct Missing<'a> {
    console: Option<&'a str>,
    port: Option<(&'a str, u16)>,
    agent: bool,
    /// Why the last attempt failed.
    reason: String,
}

/// Whom to wait for, and for what.
pub(crate) struct Wait<'a> {
    pub(crate) guest: &'a Guest,
    pub(crate) at: DomainAt<'a>,
    pub(crate) wait_for: &'a WaitFor,
    /// Whether the text on the console is one of the things to wait for.
    pub(crate) listens: bool,
}

impl Wait<'_> {
    /// Waits until everything asked for has come. `console` is quoted where something does not come.
    ///
    /// # Errors
    /// Where it does not come in time, or the guest stops meanwhile.
    pub(crate) fn until_it_answers(&self, mut console: Option<&mut Console>) -> Result<()> {
        let (started, wait_for) = (Instant::now(), self.wait_for);
        let mut missing = Missing {
            console: wait_for.console.as_deref().filter(|_| self.listens && console.is_some()),
            port: wait_for.host.as_deref().zip(wait_for.port),
            agent: wait_for.agent,
            reason: String::new(),
        };
        let mut pause = SHORTEST_PAUSE;
        loop {
            let left = wait_for.timeout.duration().saturating_sub(started.elapsed());
            let looked = missing.look(self.guest, console.as_deref_mut(), left);
            if let Ok(true) = looked {
                return Ok(());
            }
            let stopped = !self.guest.is_active()?;
            // The console's stream breaks with the guest, which is what has to be told.
            if !stopped {
                looked?;
            }
            if stopped || left.is_zero() {
                let found = if stopped {
                    format!("found that it has stopped: {}", account(self.guest, self.at, console))
                } else {
                    format!("{}; {}", missing.reason, quoted(console))
                };
                let expected = words(missing.console, missing.port, missing.agent);
                bail!("waiting: expected {expected} within {}, {found}", wait_for.timeout);
            }
            thread::sleep(pause.min(left));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl Missing<'_> {
    /// Looks for each in turn; tells whether nothing is missing any more.
    fn look(&mut self, guest: &Guest, console: Option<&mut Console>, left: Duration) -> Result<bool> {
        if let (Some(text), Some(console)) = (self.console, console) {
            if !console.has_shown(text)? {
                self.reason = "found other text or none".to_owned();
                return Ok(false);
            }
            self.console = None;
        }
        if let Some((host, port)) = self.port {
            if let Err(error) = connect(host, port, left) {
                self.reason = format!("found {error}");
                return Ok(false);
            }
            self.port = None;
        }
        if self.agent {
            let seconds = left.min(ATTEMPT).as_secs().max(1);
            if let Err(error) = guest.agent_answers(i32::try_from(seconds).unwrap_or(1)) {
                self.reason = format!("found {error}");
                return Ok(false);
            }
            self.agent = false;
        }
        Ok(true)
    }
}

fn connect(host: &str, port: u16, left: Duration) -> std::io::Result<()> {
    let mut last = std::io::Error::other("no address of that name");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, left.clamp(Duration::from_millis(1), ATTEMPT)) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn words(console: Option<&str>, port: Option<(&str, u16)>, agent: bool) -> String {
    let console = console.map(|text| format!("{text:?} on its console"));
    let port = port.map(|(host, port)| format!("a connection to {host} port {port}"));
    let agent = agent.then(|| "an answer from its agent".to_owned());
    [console, port, agent].into_iter().flatten().collect::<Vec<_>>().join(" and ")
}
