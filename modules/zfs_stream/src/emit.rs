// SPDX-License-Identifier: GPL-3.0-or-later

//! Puts records on the wire: fields into headers, the running checksum into every header, one write per record.

use crate::expect::Length;
use crate::features::Features;
use crate::fletcher::Fletcher4;
use crate::record::{CHECKSUM_AT, DATA, HEADER, Kind, MAGIC, Object, PROPERTIES, TO_THE_END};
use crate::writer::Image;
use anyhow::{Context, Result};
use std::io::Write;

const CHECKSUM_FLETCHER4: u8 = 7;
const OBJSET_VOLUME: u32 = 3;
// Free records included, spill flags valid: what zfs sets for volumes.
const FLAGS: u32 = 0xc;

pub(crate) struct Emitter<W> {
    sink: W,
    toguid: u64,
    sum: Fletcher4,
    bytes: u64,
    records: u64,
}

impl<W: Write> Emitter<W> {
    pub(crate) fn new(sink: W, toguid: u64) -> Self {
        Emitter { sink, toguid, sum: Fletcher4::default(), bytes: 0, records: 0 }
    }

    pub(crate) fn begin(&mut self, image: &Image, features: Features) -> Result<()> {
        let mut record = blank(Kind::Begin);
        put_u64(&mut record, 8, MAGIC);
        put_u64(&mut record, 16, features.substream_versioninfo());
        put_u64(&mut record, 24, image.creation_time);
        put_u32(&mut record, 32, OBJSET_VOLUME);
        put_u32(&mut record, 36, FLAGS);
        put_u64(&mut record, 40, self.toguid);
        record[56..56 + image.name.len()].copy_from_slice(image.name.as_bytes());
        self.sum.update(&record);
        self.put(&record)
    }

    pub(crate) fn free_objects(&mut self, first: u64, count: u64) -> Result<()> {
        let mut record = blank(Kind::FreeObjects);
        put_u64(&mut record, 8, first);
        put_u64(&mut record, 16, count);
        put_u64(&mut record, 24, self.toguid);
        self.seal_and_put(&mut record)
    }

    pub(crate) fn data_object(&mut self, block_size: u32, volsize: u64) -> Result<()> {
        self.object(DATA, block_size)?;
        self.free_range(DATA.number, volsize, TO_THE_END)
    }

    /// The hole from `start` to `end`, if there is one.
    pub(crate) fn free(&mut self, start: u64, end: u64) -> Result<()> {
        if start == end { Ok(()) } else { self.free_range(DATA.number, start, end - start) }
    }

    /// A block of data, which stands in `record` after the room for a header.
    pub(crate) fn block(&mut self, offset: u64, record: &mut [u8]) -> Result<()> {
        self.write(DATA, offset, record)
    }

    pub(crate) fn properties(&mut self, block: &[u8]) -> Result<()> {
        let end = block.len() as u64;
        self.object(PROPERTIES, block.len() as u32)?;
        self.free_range(PROPERTIES.number, end, TO_THE_END)?;
        self.write(PROPERTIES, 0, &mut [&[0; HEADER], block].concat())?;
        self.free_range(PROPERTIES.number, end, 2 * end)
    }

    /// Ends the stream; its length.
    pub(crate) fn end(mut self) -> Result<Length> {
        let mut record = blank(Kind::End);
        record[8..40].copy_from_slice(&self.sum.to_bytes());
        put_u64(&mut record, 40, self.toguid);
        self.seal_and_put(&mut record)?;
        self.sink.flush().context("writing the end of the stream")?;
        Ok(Length { bytes: self.bytes, records: self.records })
    }

    fn object(&mut self, object: Object, block_size: u32) -> Result<()> {
        let mut record = blank(Kind::Object);
        put_u64(&mut record, 8, object.number);
        put_u32(&mut record, 16, object.kind);
        put_u32(&mut record, 24, block_size);
        // One dnode slot.
        record[34] = 1;
        put_u64(&mut record, 40, self.toguid);
        self.seal_and_put(&mut record)
    }

    fn free_range(&mut self, object: u64, offset: u64, length: u64) -> Result<()> {
        let mut record = blank(Kind::Free);
        put_u64(&mut record, 8, object);
        put_u64(&mut record, 16, offset);
        put_u64(&mut record, 24, length);
        put_u64(&mut record, 32, self.toguid);
        self.seal_and_put(&mut record)
    }

    fn write(&mut self, object: Object, offset: u64, record: &mut [u8]) -> Result<()> {
        let length = (record.len() - HEADER) as u64;
        let header = &mut record[..HEADER];
        header.fill(0);
        put_u32(header, 0, Kind::Write as u32);
        put_u64(header, 8, object.number);
        put_u32(header, 16, object.kind);
        put_u64(header, 24, offset);
        put_u64(header, 32, length);
        put_u64(header, 40, self.toguid);
        header[48] = CHECKSUM_FLETCHER4;
        self.seal_and_put(record)
    }

    fn seal_and_put(&mut self, record: &mut [u8]) -> Result<()> {
        self.sum.update(&record[..CHECKSUM_AT]);
        record[CHECKSUM_AT..HEADER].copy_from_slice(&self.sum.to_bytes());
        self.sum.update(&record[CHECKSUM_AT..]);
        self.put(record)
    }

    fn put(&mut self, record: &[u8]) -> Result<()> {
        self.sink.write_all(record).with_context(|| format!("writing the stream at byte {}", self.bytes))?;
        self.bytes += record.len() as u64;
        self.records += 1;
        Ok(())
    }
}

fn blank(kind: Kind) -> [u8; HEADER] {
    let mut record = [0; HEADER];
    put_u32(&mut record, 0, kind as u32);
    record
}

fn put_u32(record: &mut [u8], at: usize, number: u32) {
    record[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

fn put_u64(record: &mut [u8], at: usize, number: u64) {
    record[at..at + 8].copy_from_slice(&number.to_le_bytes());
}
