// SPDX-License-Identifier: GPL-3.0-or-later

//! Reads on a thread of its own, so that reading, hashing and unpacking on one core overlap with judging and writing on another.

use std::io::{self, ErrorKind, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

const CHUNK: usize = 512 << 10;
const CHUNKS: usize = 4;

/// A reader that is a few chunks ahead; the chunks are recycled, so memory is bounded.
pub struct ReadAhead<R> {
    filled: Option<Receiver<io::Result<Vec<u8>>>>,
    empty: Sender<Vec<u8>>,
    chunk: Vec<u8>,
    taken: usize,
    thread: Option<JoinHandle<R>>,
    inner: Option<R>,
}

impl<R: Read + Send + 'static> ReadAhead<R> {
    /// Starts reading at once.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn new(inner: R) -> io::Result<Self> {
        let (empty, empties) = channel();
        let (fill, filled) = sync_channel(CHUNKS);
        for _ in 0..CHUNKS {
            // Cannot fail: the other end is in this function.
            let _ = empty.send(Vec::new());
        }
        let thread =
            Builder::new().name("read ahead".to_owned()).spawn(move || run(inner, &empties, &fill))?;
        Ok(ReadAhead {
            filled: Some(filled),
            empty,
            chunk: Vec::new(),
            taken: 0,
            thread: Some(thread),
            inner: None,
        })
    }

    /// The reader itself, for what it has to say at the end; reading ahead stops here.
    ///
    /// # Errors
    /// If the thread died.
    pub fn into_inner(mut self) -> io::Result<R> {
        self.stop()?;
        self.inner.take().ok_or_else(died)
    }

    fn stop(&mut self) -> io::Result<()> {
        self.filled = None;
        // The thread may wait for a chunk to fill; it must see that none will come.
        self.empty = channel().0;
        if let Some(thread) = self.thread.take() {
            self.inner = Some(thread.join().map_err(|_| died())?);
        }
        Ok(())
    }
}

fn died() -> io::Error {
    io::Error::other("the reading thread died")
}

fn run<R: Read>(mut inner: R, empties: &Receiver<Vec<u8>>, fill: &SyncSender<io::Result<Vec<u8>>>) -> R {
    while let Ok(mut chunk) = empties.recv() {
        chunk.resize(CHUNK, 0);
        let (length, error) = read_full(&mut inner, &mut chunk);
        chunk.truncate(length);
        let ended = length < CHUNK;
        if length > 0 && fill.send(Ok(chunk)).is_err() {
            break;
        }
        if let Some(error) = error {
            // Nobody listening any more is not a failure.
            let _ = fill.send(Err(error));
            break;
        }
        if ended {
            break;
        }
    }
    inner
}

fn read_full(inner: &mut impl Read, chunk: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut length = 0;
    while length < chunk.len() {
        match inner.read(&mut chunk[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (length, Some(error)),
        }
    }
    (length, None)
}

impl<R: Read + Send + 'static> Read for ReadAhead<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.chunk.len() {
            let Some(filled) = &self.filled else { return Ok(0) };
            match filled.recv() {
                Ok(chunk) => {
                    let used = std::mem::replace(&mut self.chunk, chunk?);
                    self.taken = 0;
                    // The thread has ended when it takes none back.
                    let _ = self.empty.send(used);
                }
                Err(_) => {
                    self.stop()?;
                    return Ok(0);
                }
            }
        }
        let length = buffer.len().min(self.chunk.len() - self.taken);
        buffer[..length].copy_from_slice(&self.chunk[self.taken..self.taken + length]);
        self.taken += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_same_bytes_and_the_reader_back() {
        for length in [0, 1, CHUNK, CHUNK + 1, 9 * CHUNK + 77] {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 31 / 7) as u8).collect();
            let mut ahead = ReadAhead::new(io::Cursor::new(bytes.clone())).unwrap();
            let mut read = Vec::new();
            ahead.read_to_end(&mut read).unwrap();
            assert!(read == bytes, "{length}");
            assert_eq!(ahead.into_inner().unwrap().position(), length as u64);
        }
    }

    #[test]
    fn an_error_comes_after_the_bytes_before_it() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("no more of this"))
            }
        }
        let mut ahead = ReadAhead::new(io::repeat(1).take(1000).chain(Broken)).unwrap();
        let mut read = Vec::new();
        assert_eq!(ahead.read_to_end(&mut read).unwrap_err().to_string(), "no more of this");
        assert_eq!(read, [1; 1000]);
    }

    #[test]
    fn can_be_left_early() {
        let mut ahead = ReadAhead::new(io::repeat(3)).unwrap();
        ahead.read_exact(&mut [0; 10]).unwrap();
        ahead.into_inner().unwrap();
        drop(ReadAhead::new(io::repeat(3)).unwrap());
    }
}
