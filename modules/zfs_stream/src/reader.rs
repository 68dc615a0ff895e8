// SPDX-License-Identifier: GPL-3.0-or-later

//! The reader: verified records of one volume's stream, one at a time, nothing collected.

use crate::begin::{Begin, Opening};
use crate::decode::Decoder;
use crate::event::Event;
use crate::expect::{Expect, Summary};
use crate::frames::{Content, Frames};
use crate::volume::Volume;
use anyhow::{Context, Result, bail};
use std::io::Read;

/// A verified record.
#[derive(Debug)]
pub struct Step<'a> {
    /// Its bytes in the stream, header and payload.
    pub raw: &'a [u8],
    /// What it does to the volume.
    pub event: Event<'a>,
}

/// Reads a stream of one volume, or a package of such streams, and verifies all of it.
///
/// A record is given out only after the header after it has vouched for its payload, its bounds have been judged and its
/// data unpacked to their announced size. The stream as a whole is good only when [`Reader::finish`] says so.
pub struct Reader<R> {
    frames: Frames<R>,
    volume: Volume,
    decoder: Decoder,
}

impl<R: Read> Reader<R> {
    /// Starts reading; nothing is read yet.
    pub fn new(stream: R, expect: Expect) -> Result<Self> {
        Ok(Reader { frames: Frames::new(stream), volume: Volume::new(expect), decoder: Decoder::new()? })
    }

    /// The next record; `None` when the stream has ended as it should, with nothing after it. After an error the reader is of no
    /// more use.
    pub fn step(&mut self) -> Result<Option<Step<'_>>> {
        let Some(frame) = self.frames.next()? else { return Ok(None) };
        let (raw, at) = (frame.raw, frame.at);
        let event = self
            .volume
            .judge(&frame.content, frame.raw, &mut self.decoder)
            .with_context(|| at.to_string())?;
        Ok(Some(Step { raw, event }))
    }

    /// Bytes of the stream given out so far.
    pub fn bytes(&self) -> u64 {
        self.frames.progress().bytes
    }

    /// Reads what is left and judges the whole; gives the source back, so that its own checks (a digest, a decompressor) can be asked.
    pub fn finish(mut self) -> Result<(Summary, R)> {
        while self.step()?.is_some() {}
        let summary = self.volume.summary(self.frames.progress())?;
        Ok((summary, self.frames.into_inner()))
    }
}

/// What the first records of a stream say, without reading the rest: nothing of it is verified beyond the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// The first stream.
    pub first: Begin,
    /// Guid of the snapshot the whole ends at, where that is known at the start: not in a package made by `zfs send -I`.
    pub toguid: Option<u64>,
}

/// Reads the beginning of a stream.
///
/// # Errors
/// Whatever [`Reader`] would say of these records.
pub fn announced(stream: impl Read) -> Result<Announced> {
    let mut frames = Frames::new(stream);
    let mut package = None;
    loop {
        let frame = frames.next()?.context("the stream is empty")?;
        match frame.content {
            Content::Opening(Opening::Package(found)) => package = Some(found),
            Content::Opening(Opening::Volume(first)) => {
                first.refuse_clone().with_context(|| frame.at.to_string())?;
                let toguid = match package {
                    Some(package) => package.toguid,
                    None => Some(first.toguid),
                };
                return Ok(Announced { first, toguid });
            }
            Content::EndOfPackage => bail!("the package holds no stream"),
            Content::Record(_) | Content::EndOfStream { .. } | Content::EndOfPackageHeader => {}
        }
    }
}

/// Verifies a whole stream.
///
/// # Errors
/// The first thing that is wrong, with the record it is in and what to do.
pub fn verify(stream: impl Read, expect: Expect) -> Result<Summary> {
    Ok(Reader::new(stream, expect)?.finish()?.0)
}
