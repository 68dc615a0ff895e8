// SPDX-License-Identifier: GPL-3.0-or-later

//! A stream between two hosts, by way of the controller: one program writes it to its standard output before its reply, the other one
//! reads it from its standard input after its arguments.
//!
//! It comes in frames, of a length in four bytes, the highest first, and as many bytes. An empty frame says that the sender has judged all
//! of it; whoever reads no such frame has a stream that was cut. What begins with `{` is no length, but the sender's reply.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::os::fd::AsFd;

use anyhow::{Context, Result, ensure};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Bytes of a frame at most. Its first byte is 0, therefore.
pub const LONGEST: usize = 1 << 20;

const HEADER: usize = 4;

/// What is gathered into one frame.
const BUFFER: usize = 256 << 10;

/// A sender that is silent for so long is taken for dead: a connection that broke without a word would hold us, and our locks, for ever.
const SILENCE: u32 = 15 * 60 * 1000;

/// The stream on standard output: every write is a frame, so that it belongs behind a buffer.
#[derive(Debug)]
pub struct Outlet<W = File> {
    sink: W,
}

/// Begins the stream that stands before the reply on standard output.
///
/// # Errors
/// Where standard output cannot be opened once more.
pub fn outlet() -> Result<BufWriter<Outlet>> {
    let stdout = io::stdout().as_fd().try_clone_to_owned().context("opening standard output once more")?;
    Ok(BufWriter::with_capacity(BUFFER, Outlet { sink: File::from(stdout) }))
}

/// Tells the other side that the stream was all, and that it may be believed.
///
/// # Errors
/// Those of writing.
pub fn end<W: Write>(outlet: BufWriter<Outlet<W>>) -> Result<()> {
    let mut outlet =
        outlet.into_inner().map_err(io::IntoInnerError::into_error).context("sending the stream")?;
    outlet.sink.write_all(&[0; HEADER]).context("sending the end of the stream")
}

impl<W: Write> Write for Outlet<W> {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        let length = content.len().min(LONGEST);
        if let Some(header) = u32::try_from(length).ok().filter(|length| *length > 0) {
            self.sink.write_all(&header.to_be_bytes())?;
            self.sink.write_all(&content[..length])?;
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// The stream on standard input.
#[derive(Debug)]
pub struct Inlet<R = File> {
    source: R,
    left: usize,
    ended: bool,
}

/// Begins to read the stream that follows the arguments on standard input.
///
/// # Errors
/// Where standard input cannot be opened once more.
pub fn inlet() -> Result<Inlet> {
    let stdin = io::stdin().as_fd().try_clone_to_owned().context("opening standard input once more")?;
    Ok(Inlet::new(File::from(stdin)))
}

impl<R> Inlet<R> {
    fn new(source: R) -> Inlet<R> {
        Inlet { source, left: 0, ended: false }
    }

    /// Judges the stream as a whole, after all of it has been read.
    ///
    /// # Errors
    /// Where its sender has not said that this is all of it.
    pub fn finish(&self) -> Result<()> {
        ensure!(self.ended, "the stream was cut: its sender, or the connection to it, ended before its end");
        Ok(())
    }
}

impl<R: Read + AsFd> Inlet<R> {
    /// Fills `buffer`; says false where nothing more comes.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.some(&mut buffer[filled..])? {
                0 => return Ok(false),
                length => filled += length,
            }
        }
        Ok(true)
    }

    fn some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut waiting = [PollFd::new(self.source.as_fd(), PollFlags::POLLIN)];
            match poll(&mut waiting, PollTimeout::try_from(SILENCE).unwrap_or(PollTimeout::MAX)) {
                Ok(0) => {
                    return Err(io::Error::new(ErrorKind::TimedOut, "nothing came for a quarter of an hour"));
                }
                Ok(_) => {}
                Err(nix::errno::Errno::EINTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            match self.source.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

impl<R: Read + AsFd> Read for Inlet<R> {
    /// The content of the frames. Nothing more comes after the empty one, nor where the stream was cut, which [`Inlet::finish`] tells.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.ended {
            let mut header = [0; HEADER];
            if !self.fill(&mut header)? {
                return Ok(0);
            }
            self.left = u32::from_be_bytes(header) as usize;
            self.ended = self.left == 0;
            if self.left > LONGEST {
                return Err(io::Error::new(ErrorKind::InvalidData, "what came is no frame of a stream"));
            }
        }
        if self.ended {
            return Ok(0);
        }
        let most = buffer.len().min(self.left);
        let length = self.some(&mut buffer[..most])?;
        if length == 0 && most > 0 {
            // Whoever reads on shall not take the rest of a frame for the next one.
            return Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                "the stream was cut in the middle of a frame",
            ));
        }
        self.left -= length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Seek;

    fn arrived(bytes: &[u8]) -> (io::Result<Vec<u8>>, bool) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        let (mut inlet, mut content) = (Inlet::new(file), Vec::new());
        let read = inlet.read_to_end(&mut content).map(|_| content);
        (read, inlet.finish().is_ok())
    }

    #[test]
    fn what_is_sent_arrives_and_the_end_is_told() {
        let content: Vec<u8> = (0..3 * LONGEST + 77).map(|at| (at * 31 / 7) as u8).collect();
        let mut sent = Vec::new();
        let mut outlet = BufWriter::with_capacity(1000, Outlet { sink: &mut sent });
        outlet.write_all(&content[..10]).unwrap();
        outlet.write_all(&content[10..]).unwrap();
        end(outlet).unwrap();
        let cut = sent[..sent.len() - HEADER].to_vec();
        let (read, whole) = arrived(&sent);
        assert!(read.unwrap() == content && whole);
        let (read, whole) = arrived(&cut);
        assert!(read.unwrap() == content && !whole);
    }

    #[test]
    fn a_stream_that_was_cut_or_is_none_is_told() {
        for (bytes, error) in [
            (&b"\0\0\0\x05abc"[..], Some("the stream was cut in the middle of a frame")),
            (b"\0\0", None),
            (b"", None),
            (b"{\"failed\": true}", Some("what came is no frame of a stream")),
        ] {
            let (read, whole) = arrived(bytes);
            assert_eq!(read.err().map(|error| error.to_string()).as_deref(), error);
            assert!(!whole);
        }
    }
}
