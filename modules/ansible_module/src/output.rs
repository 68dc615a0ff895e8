// SPDX-License-Identifier: GPL-3.0-or-later

//! Collecting what a command prints, on threads of their own and within bounds.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::mpsc::{self, Receiver};
use std::thread;

/// More than any listing we ask for.
const LONGEST_STDOUT: usize = 16 << 20;

/// The end of stderr is where tools say what went wrong.
const STDERR_TAIL: usize = 16 << 10;

/// What a collecting thread will have read at the end.
pub(crate) type Collected = Receiver<io::Result<Vec<u8>>>;

/// Collects all of a command's stdout; too much of it is an error.
pub(crate) fn collect_all(source: Option<impl Read + Send + 'static>) -> Collected {
    collect(source, |source| read_all(source, LONGEST_STDOUT))
}

/// Collects the end of a command's stderr.
pub(crate) fn collect_tail(source: Option<impl Read + Send + 'static>) -> Collected {
    collect(source, |source| read_tail(source, STDERR_TAIL))
}

/// A thread for each pipe: a command never blocks on a full one.
fn collect<R: Read + Send + 'static>(source: Option<R>, read: fn(R) -> io::Result<Vec<u8>>) -> Collected {
    let (sender, receiver) = mpsc::channel();
    if let Some(source) = source {
        thread::spawn(move || sender.send(read(source)));
    }
    receiver
}

fn read_all(source: impl Read, longest: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(longest as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > longest {
        return Err(io::Error::other(format!("it printed more than {longest} bytes")));
    }
    Ok(bytes)
}

fn read_tail(mut source: impl Read, longest: usize) -> io::Result<Vec<u8>> {
    let mut tail = VecDeque::with_capacity(longest);
    let mut buffer = [0; 4096];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(tail.into()),
            Ok(count) => {
                tail.extend(&buffer[..count]);
                tail.drain(..tail.len().saturating_sub(longest));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_bounded() {
        let flood = || io::repeat(b'y').take(1_000_000).chain(&b"end"[..]);
        assert_eq!(read_all(flood(), 100).unwrap_err().to_string(), "it printed more than 100 bytes");
        assert_eq!(read_tail(flood(), 5).unwrap(), b"yyend");
    }
}
