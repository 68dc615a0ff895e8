// SPDX-License-Identifier: GPL-3.0-or-later

//! What makes a stream the stream of a volume: two objects in order, rising blocks within the volume, its size at the end.

use crate::begin::Begin;
use crate::decode::{Compression, Decoder};
use crate::event::Event;
use crate::features::Features;
use crate::layout::{Layout, whole_block};
use crate::microzap;
use crate::record::{DATA, Embedded, Object, PROPERTIES, Record, Write};
use anyhow::{Context, Result, bail, ensure};
use std::ops::RangeInclusive;

/// The block sizes that `zfs create -b` takes; others panicked or surprised a real kernel.
pub(crate) const BLOCK_SIZES: RangeInclusive<u32> = 4 << 10..=1 << 20;

/// One stream, from BEGIN to END.
pub(crate) struct Stream {
    pub(crate) begin: Begin,
    block_size: Option<u32>,
    properties_begun: bool,
    size: Option<u64>,
    layout: Layout,
}

/// The volume as far as the streams read so far have made it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Made {
    pub(crate) guid: u64,
    pub(crate) volsize: Option<u64>,
    pub(crate) volblocksize: Option<u32>,
}

/// What a record is judged by besides its own stream.
pub(crate) struct Surroundings<'a> {
    pub(crate) made: Made,
    /// Size the volume is expected to have at every moment.
    pub(crate) limit: Option<u64>,
    pub(crate) decoder: &'a mut Decoder,
}

impl Stream {
    pub(crate) fn new(begin: Begin) -> Stream {
        Stream { begin, block_size: None, properties_begun: false, size: None, layout: Layout::new() }
    }

    /// Judges one record between BEGIN and END.
    pub(crate) fn record<'a>(
        &mut self,
        record: &Record,
        payload: &'a [u8],
        Surroundings { made, limit, decoder }: Surroundings<'a>,
    ) -> Result<Event<'a>> {
        match record {
            Record::Object { object, block_size, toguid } => {
                self.belongs(*toguid)?;
                self.object(*object, *block_size, made)
            }
            Record::FreeObjects { first, count, toguid } => {
                self.belongs(*toguid)?;
                let kept = first + count <= DATA.number || *first > PROPERTIES.number;
                ensure!(kept, "frees objects {first} to {}, the volume itself", first + count - 1);
                Ok(Event::Other)
            }
            Record::Free { object, offset, length, toguid } => {
                self.belongs(*toguid)?;
                self.free(*object, *offset, *length)
            }
            Record::Write(write) => {
                self.belongs(write.toguid)?;
                self.write(write, limit)?;
                let data = unpack(write, payload, self.begin.features, decoder)?;
                self.written(write.object.number, write.offset, data)
            }
            Record::Embedded(embedded) => {
                self.belongs(embedded.toguid)?;
                self.embedded(embedded, limit)?;
                let compression = Compression::of(embedded.compression, self.begin.features)?;
                let stored = &payload[..embedded.physical_size as usize];
                let data = decoder.unpack(compression, stored, embedded.length as usize)?;
                self.written(embedded.object, embedded.offset, data)
            }
            Record::Begin { .. } | Record::End { .. } => bail!("a record outside its place"),
        }
    }

    /// Judges the stream at its END; the volume's size and block size then.
    pub(crate) fn finish(&self, made: Made) -> Result<(Option<u64>, Option<u32>)> {
        let full = self.begin.fromguid == 0;
        ensure!(!full || self.block_size.is_some(), "a full stream without the volume's data object");
        ensure!(
            !full || self.size.is_some(),
            "the volume's size is missing: ZFS would crash on this volume; make the stream anew"
        );
        let volsize = self.size.or(made.volsize);
        let volblocksize = self.block_size.or(made.volblocksize);
        if let Some(size) = volsize {
            self.layout.check_size(size, made.volsize, volblocksize)?;
        }
        Ok((volsize, volblocksize))
    }

    pub(crate) fn belongs(&self, toguid: u64) -> Result<()> {
        let own = self.begin.toguid;
        ensure!(toguid == own, "record of snapshot guid {toguid} in the stream of guid {own}");
        Ok(())
    }

    fn object(&mut self, object: Object, block_size: u32, made: Made) -> Result<Event<'static>> {
        match object {
            DATA => {
                ensure!(!self.properties_begun, "the data object after the properties object");
                ensure!(self.block_size.is_none(), "the data object a second time");
                ensure!(
                    block_size.is_power_of_two() && BLOCK_SIZES.contains(&block_size),
                    "block size {block_size}, a power of two from {} to {} expected: ZFS could crash on this volume",
                    BLOCK_SIZES.start(),
                    BLOCK_SIZES.end()
                );
                if let Some(before) = made.volblocksize.filter(|_| self.begin.fromguid != 0) {
                    ensure!(
                        before == block_size,
                        "block size {block_size}, but the volume has {before}: send it with the same options (-L)"
                    );
                }
                self.block_size = Some(block_size);
            }
            PROPERTIES => {
                let first = self.begin.fromguid == 0 && self.block_size.is_none();
                ensure!(!first, "the properties object before the data object");
                ensure!(!self.properties_begun, "the properties object a second time");
                let expected = microzap::BLOCK as u32;
                ensure!(
                    block_size == expected,
                    "properties in blocks of {block_size} bytes, expected {expected}"
                );
                self.properties_begun = true;
            }
            Object { number, kind } => bail!(
                "object {number} of type {kind}: a volume has only objects {} (type {}) and {} (type {})",
                DATA.number,
                DATA.kind,
                PROPERTIES.number,
                PROPERTIES.kind
            ),
        }
        Ok(Event::Other)
    }

    /// The block size of the data object, where records for data may stand.
    fn in_data(&self) -> Result<u64> {
        ensure!(!self.properties_begun, "data after the properties object");
        Ok(u64::from(self.block_size.context("data before the data object")?))
    }

    fn write(&mut self, write: &Write, limit: Option<u64>) -> Result<()> {
        match write.object {
            DATA => {
                let block_size = self.in_data()?;
                if write.compression != 0 || write.logical_size == block_size {
                    whole_block(write.offset, write.logical_size, block_size)?;
                }
                self.layout.place(write.offset, write.logical_size, limit)
            }
            PROPERTIES => self.property_block(write.offset, write.logical_size),
            Object { number, kind } => {
                bail!("data of type {kind} for object {number}, which no volume has")
            }
        }
    }

    fn embedded(&mut self, embedded: &Embedded, limit: Option<u64>) -> Result<()> {
        match embedded.object {
            object if object == DATA.number => {
                let block_size = self.in_data()?;
                whole_block(embedded.offset, embedded.length, block_size)?;
                self.layout.place(embedded.offset, embedded.length, limit)
            }
            object if object == PROPERTIES.number => self.property_block(embedded.offset, embedded.length),
            object => bail!("embedded data for object {object}, which no volume has"),
        }
    }

    fn property_block(&mut self, offset: u64, length: u64) -> Result<()> {
        ensure!(self.properties_begun, "properties before the properties object");
        ensure!(self.size.is_none(), "the properties a second time");
        let expected = microzap::BLOCK as u64;
        ensure!(
            (offset, length) == (0, expected),
            "{length} bytes of properties at {offset}, expected {expected} at 0"
        );
        Ok(())
    }

    fn written<'a>(&mut self, object: u64, offset: u64, data: &'a [u8]) -> Result<Event<'a>> {
        if object == DATA.number {
            return Ok(Event::Write { offset, data });
        }
        self.size = Some(microzap::size(data)?);
        Ok(Event::Other)
    }

    fn free(&mut self, object: u64, offset: u64, length: u64) -> Result<Event<'static>> {
        if object == DATA.number {
            let block_size = self.in_data()?;
            self.layout.free(offset, length, block_size)?;
            return Ok(Event::Free { offset, length });
        }
        ensure!(object == PROPERTIES.number, "frees a part of object {object}, which no volume has");
        ensure!(self.properties_begun, "frees properties before the properties object");
        ensure!(offset >= microzap::BLOCK as u64, "frees the volume's size");
        Ok(Event::Other)
    }
}

fn unpack<'a>(
    write: &Write,
    payload: &'a [u8],
    features: Features,
    decoder: &'a mut Decoder,
) -> Result<&'a [u8]> {
    if write.compression == 0 {
        return Ok(payload);
    }
    let compression = Compression::of(write.compression, features)?;
    // Only embedded blocks and raw streams may say that they are compressed by nothing.
    ensure!(compression != Compression::Off, "compression 'off' in a compressed block: send the stream anew");
    decoder.unpack(compression, payload, write.logical_size as usize)
}
