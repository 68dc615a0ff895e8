// SPDX-License-Identifier: GPL-3.0-or-later

//! A file coming from a web server, taken up again where the connection breaks.

use std::io::{self, ErrorKind, Read};
use std::thread;

use ureq::{BodyReader, Error, Timeout};

use super::super::{Paced, cut_short};
use super::Http;
use super::answer::{Answer, Bytes, Range};

/// Breaks without progress between them after which a transfer is given up.
const FRUITLESS: u32 = 3;

/// What counts as progress.
const PROGRESS: u64 = 1024 * 1024;

pub(super) struct Body<'a> {
    http: &'a Http,
    url: String,
    reader: Paced<Connection>,
    position: u64,
    size: Option<u64>,
    validator: Option<String>,
    breaks: u32,
    gained: u64,
}

impl<'a> Body<'a> {
    pub(super) fn new(http: &'a Http, url: String, bytes: Bytes) -> Self {
        let Bytes { start, size, validator, reader } = bytes;
        let reader = Paced::new(Connection(reader), http.options.pace);
        Self { http, url, reader, position: start, size, validator, breaks: 0, gained: 0 }
    }

    /// Connects again after `error`, unless nothing says that this is the same file.
    fn take_up(&mut self, error: io::Error) -> io::Result<()> {
        let is_fruitful = self.gained >= PROGRESS;
        self.breaks = if is_fruitful { 1 } else { self.breaks + 1 };
        self.gained = 0;
        if self.validator.is_none() || self.breaks > FRUITLESS {
            return Err(error);
        }
        // A server that has sent so much is there, and need not be waited for.
        if !is_fruitful {
            thread::sleep(self.http.options.pause);
        }
        let range = Range { from: self.position, validator: self.validator.clone() };
        match self.http.get(&self.url, Some(&range)) {
            Ok(Answer::Bytes(bytes)) if bytes.start == self.position && bytes.size == self.size => {
                self.reader = Paced::new(Connection(bytes.reader), self.http.options.pace);
                Ok(())
            }
            Ok(_) => Err(io::Error::other(format!(
                "the connection broke at byte {}, and the server has another file there now or cannot resume",
                self.position
            ))),
            // Still away: that counts, and the next read tries again.
            Err(_) => Ok(()),
        }
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.size.is_some_and(|size| self.position >= size) {
            return Ok(0);
        }
        loop {
            let error = match (self.reader.read(buffer), self.size) {
                (Ok(0), None) => return Ok(0),
                (Ok(0), Some(size)) => cut_short(size - self.position),
                (Err(error), Some(size)) if error.kind() == ErrorKind::UnexpectedEof => {
                    cut_short(size - self.position)
                }
                (Ok(received), _) => {
                    self.position += received as u64;
                    self.gained += received as u64;
                    return Ok(received);
                }
                (Err(error), _) if error.kind() == ErrorKind::Interrupted => continue,
                (Err(error), _) => error,
            };
            self.take_up(error)?;
        }
    }
}

/// One connection's body; its time limit looks like that of any socket.
struct Connection(BodyReader<'static>);

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(Error::Timeout(Timeout::PerRead)) => io::Error::new(ErrorKind::TimedOut, error),
            _ => error,
        })
    }
}
