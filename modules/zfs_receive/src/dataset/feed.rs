// SPDX-License-Identifier: GPL-3.0-or-later

//! Ways for verified records to reach `zfs receive`: copied from memory, or moved from the file they stand in.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::conduit::{self, Inlet};

/// The verifier tells the other thread at steps of this many bytes how far it is.
const STRIDE: u64 = 256 << 10;

/// So many steps at most, so that what was verified is still in the page cache when it is passed on.
const STEPS: usize = 256;

/// A way to `zfs receive`. Records come in the order of the stream.
pub trait Feed {
    /// Opens the way to a new `zfs receive`, which is to read from what is returned.
    fn start(&mut self) -> io::Result<OwnedFd>;
    /// Passes on a record.
    fn pass(&mut self, raw: &[u8]) -> io::Result<()>;
    /// Keeps the END record on which ZFS would commit.
    fn hold(&mut self, raw: &[u8]);
    /// Leaves out bytes of the stream that ZFS need not see.
    fn skip(&mut self, length: usize);
    /// Passes on the END record and closes the way.
    fn end(&mut self) -> io::Result<()>;
    /// Closes the way without the END record.
    fn abandon(&mut self);
}

/// Copies records from the reader's memory.
#[derive(Default)]
pub struct Copied {
    inlet: Option<Inlet>,
    held: Vec<u8>,
}

impl Feed for Copied {
    fn start(&mut self) -> io::Result<OwnedFd> {
        let (inlet, outlet) = conduit::open()?;
        self.held.clear();
        self.inlet = Some(inlet);
        Ok(outlet)
    }

    fn pass(&mut self, raw: &[u8]) -> io::Result<()> {
        self.inlet.as_mut().ok_or(io::ErrorKind::BrokenPipe)?.write_all(raw)
    }

    fn hold(&mut self, raw: &[u8]) {
        self.held.extend_from_slice(raw);
    }

    fn skip(&mut self, _: usize) {}

    fn end(&mut self) -> io::Result<()> {
        let mut inlet = self.inlet.take().ok_or(io::ErrorKind::BrokenPipe)?;
        inlet.write_all(&std::mem::take(&mut self.held))
    }

    fn abandon(&mut self) {
        self.inlet = None;
    }
}

/// Splices records from a file while the verifier runs ahead on another core.
pub struct Spliced {
    file: File,
    /// Where the next record stands in the file.
    position: u64,
    held: u64,
    told: u64,
    thread: Option<(SyncSender<u64>, JoinHandle<io::Result<()>>)>,
}

impl Spliced {
    /// For a stream that is the whole of `file`.
    pub fn new(file: File) -> Self {
        Spliced { file, position: 0, held: 0, told: 0, thread: None }
    }

    fn tell(&mut self) -> io::Result<()> {
        self.told = self.position;
        let Some((verified, _)) = &self.thread else { return Err(io::ErrorKind::BrokenPipe.into()) };
        if verified.send(self.position).is_ok() { Ok(()) } else { self.finish() }
    }

    fn finish(&mut self) -> io::Result<()> {
        let Some((verified, thread)) = self.thread.take() else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        drop(verified);
        thread.join().map_err(|_| io::Error::other("the splicing thread died"))?
    }
}

impl Feed for Spliced {
    fn start(&mut self) -> io::Result<OwnedFd> {
        let (inlet, outlet) = conduit::open()?;
        let (verified, steps) = sync_channel(STEPS);
        let file = self.file.try_clone()?;
        let start = self.position;
        let thread = thread::Builder::new()
            .name("splice".to_owned())
            .spawn(move || run(&file, start, &steps, &inlet))?;
        self.thread = Some((verified, thread));
        self.told = start;
        Ok(outlet)
    }

    fn pass(&mut self, raw: &[u8]) -> io::Result<()> {
        self.position += raw.len() as u64;
        if self.position - self.told < STRIDE { Ok(()) } else { self.tell() }
    }

    fn hold(&mut self, raw: &[u8]) {
        self.held = raw.len() as u64;
    }

    fn skip(&mut self, length: usize) {
        self.position += length as u64;
    }

    fn end(&mut self) -> io::Result<()> {
        self.position += std::mem::take(&mut self.held);
        self.tell()?;
        self.finish()
    }

    fn abandon(&mut self) {
        // Its error is the same one that made the caller abandon it.
        let _ = self.finish();
    }
}

fn run(file: &File, start: u64, steps: &Receiver<u64>, inlet: &Inlet) -> io::Result<()> {
    let mut position = start;
    while let Ok(verified) = steps.recv() {
        while position < verified {
            let moved = conduit::pass_file(inlet, file, position, verified - position)?;
            if moved == 0 {
                return Err(io::Error::other("the file became shorter while it was read"));
            }
            position += moved;
        }
    }
    Ok(())
}
