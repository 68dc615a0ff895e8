// SPDX-License-Identifier: GPL-3.0-or-later

//! A window over the incoming bytes: the record at hand and the header after it lie in it contiguously, so payloads are never copied.

use std::io::{self, ErrorKind, Read};

// Small enough to stay in the second-level cache: larger windows measured slower.
const WINDOW: usize = 256 << 10;

// A record of this size is read by itself; a read costs little then.
const LARGE: usize = WINDOW / 4;

pub(crate) struct Input<R> {
    inner: R,
    window: Vec<u8>,
    start: usize,
    end: usize,
    consumed: u64,
    ended: bool,
}

impl<R: Read> Input<R> {
    pub(crate) fn new(inner: R) -> Self {
        Input { inner, window: vec![0; WINDOW], start: 0, end: 0, consumed: 0, ended: false }
    }

    /// Position of the window's first byte in the stream.
    pub(crate) fn position(&self) -> u64 {
        self.consumed
    }

    /// Position in the stream up to which bytes have been read.
    pub(crate) fn filled_to(&self) -> u64 {
        self.consumed + (self.end - self.start) as u64
    }

    /// What is in the window.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.window[self.start..self.end]
    }

    /// Reads until the window holds `wanted` bytes; false where the stream ends before.
    pub(crate) fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        if self.end - self.start >= wanted {
            return Ok(true);
        }
        if self.start + wanted > self.window.len() {
            self.make_room(wanted);
        }
        // What is read beyond a large record would have to be moved to make room for the rest of the next one.
        let limit = if wanted < LARGE { self.window.len() } else { self.start + wanted };
        while self.end - self.start < wanted && !self.ended {
            match self.inner.read(&mut self.window[self.end..limit]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.end - self.start >= wanted)
    }

    /// Moves on by `length` bytes, which must have been filled.
    pub(crate) fn consume(&mut self, length: usize) {
        self.start += length;
        self.consumed += length as u64;
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    pub(crate) fn into_inner(self) -> R {
        self.inner
    }

    fn make_room(&mut self, wanted: usize) {
        self.window.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if wanted > self.window.len() {
            self.window.resize(wanted, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Drip(Vec<u8>, usize);

    impl Read for Drip {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1.is_multiple_of(2) {
                return Err(ErrorKind::Interrupted.into());
            }
            let length = buffer.len().min(7).min(self.0.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0.drain(..length);
            Ok(length)
        }
    }

    #[test]
    fn keeps_bytes_contiguous_over_short_and_interrupted_reads() {
        let mut input = Input::new(Drip((0..200).collect(), 0));
        assert!(input.fill(150).unwrap());
        input.consume(100);
        assert!(input.fill(100).unwrap());
        assert_eq!(input.bytes()[..100], (100..200).collect::<Vec<u8>>());
        assert_eq!(input.position(), 100);
        assert!(!input.fill(101).unwrap());
    }

    #[test]
    fn grows_for_a_record_larger_than_the_window() {
        let mut input = Input::new(io::repeat(7).take(3 << 20));
        input.fill(10).unwrap();
        input.consume(10);
        assert!(input.fill(2 << 20).unwrap());
        assert!(input.bytes().iter().all(|&byte| byte == 7));
    }
}
