// SPDX-License-Identifier: GPL-3.0-or-later

//! Replays a stream into a raw file: what a ZFS volume would hold after `zfs receive`, holes as holes.

use crate::event::Event;
use crate::expect::{Expect, Summary};
use crate::reader::Reader;
use crate::record::TO_THE_END;
use crate::sparse;
use anyhow::{Context, Result};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;

// Zeros within larger blocks become holes in pieces of this size.
const PIECE: usize = 64 << 10;
// Neighbouring blocks are written together up to this size: every write costs the file system more than a copy.
const GATHERED: usize = 256 << 10;

/// A raw file that is becoming the volume.
///
/// It is in pieces until the whole stream has been judged: replay into a temporary file, onto a copy of the base.
pub struct Replay<'f> {
    file: &'f File,
    length: u64,
    /// Nothing has been written where a stream may write: zeros need not be stored.
    blank: bool,
    /// Data that are to be written at `gathered_at`.
    gathered: Vec<u8>,
    gathered_at: u64,
}

impl<'f> Replay<'f> {
    /// Starts on an empty file, or on a copy of the volume the stream applies to.
    pub fn new(file: &'f File) -> Result<Self> {
        let length = sparse::size(file).context("reading the size of the raw file")?;
        Ok(Replay {
            file,
            length,
            blank: length == 0,
            gathered: Vec::with_capacity(GATHERED),
            gathered_at: 0,
        })
    }

    /// Does to the file what the record does to the volume; some of it only when the stream ends.
    pub fn apply(&mut self, event: &Event) -> Result<()> {
        match *event {
            Event::Write { offset, data } => {
                self.write(offset, data)?;
                self.length = self.length.max(offset + data.len() as u64);
                Ok(())
            }
            Event::Free { offset, length } => self.free(offset, length),
            Event::End { volsize } => {
                self.flush()?;
                self.blank = false;
                let Some(volsize) = volsize else { return Ok(()) };
                self.length = volsize;
                self.file
                    .set_len(volsize)
                    .with_context(|| format!("setting the size of the raw file to {volsize}"))
            }
            Event::Begin | Event::EndOfPackage | Event::Other => Ok(()),
        }
    }

    fn write(&mut self, offset: u64, data: &[u8]) -> Result<()> {
        if !self.blank {
            return self.gather(offset, data);
        }
        for (piece, at) in data.chunks(PIECE).zip((offset..).step_by(PIECE)) {
            if !sparse::is_zero(piece) {
                self.gather(at, piece)?;
            }
        }
        Ok(())
    }

    fn gather(&mut self, offset: u64, data: &[u8]) -> Result<()> {
        let continues = self.gathered_at + self.gathered.len() as u64 == offset;
        if !continues || self.gathered.len() + data.len() > GATHERED {
            self.flush()?;
            self.gathered_at = offset;
        }
        if data.len() < GATHERED {
            self.gathered.extend_from_slice(data);
            return Ok(());
        }
        self.file
            .write_all_at(data, offset)
            .with_context(|| format!("writing {} bytes at {offset}", data.len()))?;
        self.gathered_at = offset + data.len() as u64;
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let (length, at) = (self.gathered.len(), self.gathered_at);
        self.file
            .write_all_at(&self.gathered, at)
            .with_context(|| format!("writing {length} bytes at {at}"))?;
        self.gathered.clear();
        self.gathered_at += length as u64;
        Ok(())
    }

    fn free(&mut self, offset: u64, length: u64) -> Result<()> {
        if self.blank {
            return Ok(());
        }
        self.flush()?;
        let end =
            if length == TO_THE_END { self.length } else { self.length.min(offset.saturating_add(length)) };
        sparse::clear(self.file, offset..end).with_context(|| format!("clearing {offset} to {end}"))
    }
}

/// Verifies a whole stream while replaying it into `file`, which is empty or a copy of the base. Does not sync.
///
/// # Errors
/// Those of [`Reader`], and those of writing; the file is then of no use.
pub fn replay(stream: impl Read, file: &File, expect: Expect) -> Result<Summary> {
    let mut reader = Reader::new(stream, expect)?;
    let mut replay = Replay::new(file)?;
    while let Some(step) = reader.step()? {
        replay.apply(&step.event)?;
    }
    Ok(reader.finish()?.0)
}
