// SPDX-License-Identifier: GPL-3.0-or-later

//! The 312-byte record header and its eleven kinds, with every bound that can be judged from the header alone.

use crate::features::Features;
use anyhow::{Result, bail, ensure};

/// Bytes of a record header.
pub const HEADER: usize = 312;
pub(crate) const CHECKSUM_AT: usize = 280;
pub(crate) const MAGIC: u64 = 0x2_F5BA_CBAC;
pub(crate) const MAX_BLOCK: u64 = 16 << 20;
const MAX_BEGIN_PAYLOAD: u32 = 1 << 20;
const SMALL_BLOCK: u64 = 128 << 10;
/// Length of a FREE that reaches to the end of its object.
pub(crate) const TO_THE_END: u64 = u64::MAX;

/// Object that holds a volume's data, its type, and the same for its properties.
/// Which object of a volume a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) number: u64,
    pub(crate) kind: u32,
}

impl Object {
    /// As OBJECT and WRITE records have it.
    fn of(header: Header) -> Self {
        Object { number: header.u64(8), kind: header.u32(16) }
    }
}

pub(crate) const DATA: Object = Object { number: 1, kind: 23 };
pub(crate) const PROPERTIES: Object = Object { number: 2, kind: 24 };

/// A raw header; fields are read by offset.
#[derive(Clone, Copy)]
pub(crate) struct Header<'a>(pub(crate) &'a [u8; HEADER]);

impl Header<'_> {
    pub(crate) fn u8(self, at: usize) -> u8 {
        self.0[at]
    }

    pub(crate) fn u32(self, at: usize) -> u32 {
        u32::from_le_bytes(self.bytes(at))
    }

    pub(crate) fn u64(self, at: usize) -> u64 {
        u64::from_le_bytes(self.bytes(at))
    }

    pub(crate) fn bytes<const N: usize>(self, at: usize) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.0[at..at + N]);
        bytes
    }

    pub(crate) fn kind(self) -> Result<Kind> {
        Kind::of(self.u32(0))
    }
}

/// The kinds of records (OpenZFS `zfs_ioctl.h`, `DRR_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Begin,
    Object,
    FreeObjects,
    Write,
    Free,
    End,
    WriteByref,
    Spill,
    WriteEmbedded,
    ObjectRange,
    Redact,
}

impl Kind {
    const ALL: [(Kind, &str); 11] = [
        (Kind::Begin, "BEGIN"),
        (Kind::Object, "OBJECT"),
        (Kind::FreeObjects, "FREEOBJECTS"),
        (Kind::Write, "WRITE"),
        (Kind::Free, "FREE"),
        (Kind::End, "END"),
        (Kind::WriteByref, "WRITE_BYREF"),
        (Kind::Spill, "SPILL"),
        (Kind::WriteEmbedded, "WRITE_EMBEDDED"),
        (Kind::ObjectRange, "OBJECT_RANGE"),
        (Kind::Redact, "REDACT"),
    ];

    fn of(number: u32) -> Result<Kind> {
        match Self::ALL.get(number as usize) {
            Some((kind, _)) => Ok(*kind),
            None => bail!("unknown record type {number}: this is not a record of a ZFS send stream"),
        }
    }

    /// The name `zstream dump` uses.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// A header whose own bounds hold; `Begin` is parsed apart.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Record {
    Begin { payload: usize },
    Object { object: Object, block_size: u32, toguid: u64 },
    FreeObjects { first: u64, count: u64, toguid: u64 },
    Write(Write),
    Free { object: u64, offset: u64, length: u64, toguid: u64 },
    End { toguid: u64 },
    Embedded(Embedded),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Write {
    pub(crate) object: Object,
    pub(crate) offset: u64,
    pub(crate) logical_size: u64,
    pub(crate) compression: u8,
    pub(crate) compressed_size: u64,
    pub(crate) toguid: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Embedded {
    pub(crate) object: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) compression: u8,
    pub(crate) physical_size: u32,
    pub(crate) toguid: u64,
}

impl Record {
    pub(crate) fn parse(header: Header, features: Features) -> Result<Record> {
        let kind = header.kind()?;
        if kind != Kind::Begin {
            ensure!(header.u32(4) == 0, "its payload length is set to {}, expected 0", header.u32(4));
        }
        match kind {
            Kind::Begin => begin(header),
            Kind::Object => object(header, features),
            Kind::FreeObjects => free_objects(header),
            Kind::Write => Ok(Record::Write(Write::parse(header, features)?)),
            Kind::Free => free(header),
            Kind::End => Ok(Record::End { toguid: header.u64(40) }),
            Kind::WriteEmbedded => Ok(Record::Embedded(Embedded::parse(header, features)?)),
            Kind::WriteByref => bail!("deduplicated stream: convert it with 'zstream redup'"),
            Kind::ObjectRange => {
                bail!("encrypted raw stream: cannot be read without its keys; send it without -w")
            }
            Kind::Redact => {
                bail!("redacted stream: parts of the volume are missing; send it without --redact")
            }
            Kind::Spill => bail!("a spill block, which no volume has: not a stream of a volume"),
        }
    }

    /// Bytes that follow the header.
    pub(crate) fn payload_length(&self) -> usize {
        match self {
            Record::Begin { payload } => *payload,
            Record::Write(write) => write.payload_length() as usize,
            Record::Embedded(embedded) => embedded.physical_size.next_multiple_of(8) as usize,
            Record::Object { .. } | Record::FreeObjects { .. } | Record::Free { .. } | Record::End { .. } => {
                0
            }
        }
    }
}

fn begin(header: Header) -> Result<Record> {
    let payload = header.u32(4);
    ensure!(
        payload <= MAX_BEGIN_PAYLOAD,
        "property list of {payload} bytes, at most {MAX_BEGIN_PAYLOAD} expected"
    );
    ensure!(payload.is_multiple_of(4), "property list of {payload} bytes, a multiple of 4 expected");
    Ok(Record::Begin { payload: payload as usize })
}

fn object(header: Header, features: Features) -> Result<Record> {
    let block_size = header.u32(24);
    let bonus = (header.u32(20), header.u32(28), header.u32(36));
    ensure!(bonus == (0, 0, 0), "bonus data (type, length, raw length {bonus:?}), which no volume has");
    ensure!(header.u8(34) <= 1, "{} dnode slots, expected 1", header.u8(34));
    ensure!(header.u8(35) == 0, "flags {:#x}, expected 0", header.u8(35));
    let methods = (header.u8(32), header.u8(33));
    ensure!(
        methods == (0, 0),
        "checksum and compression {methods:?}, expected (0, 0): a volume has none of its own"
    );
    // ZFS sets these in raw streams only.
    let shape = (header.u64(48), header.u64(56));
    ensure!(shape == (0, 0), "levels and indirect blocks {shape:?}, expected (0, 0)");
    if u64::from(block_size) > SMALL_BLOCK {
        features.require(Features::LARGE_BLOCKS, "large_blocks")?;
    }
    Ok(Record::Object { object: Object::of(header), block_size, toguid: header.u64(40) })
}

fn free_objects(header: Header) -> Result<Record> {
    let (first, count) = (header.u64(8), header.u64(16));
    ensure!(first.checked_add(count).is_some(), "objects {first} + {count} overflow");
    Ok(Record::FreeObjects { first, count, toguid: header.u64(24) })
}

fn free(header: Header) -> Result<Record> {
    let (offset, length) = (header.u64(16), header.u64(24));
    ensure!(
        length == TO_THE_END || end_of(offset, length).is_some(),
        "offset {offset} + length {length} overflow"
    );
    Ok(Record::Free { object: header.u64(8), offset, length, toguid: header.u64(32) })
}

impl Write {
    fn parse(header: Header, features: Features) -> Result<Write> {
        let write = Write {
            object: Object::of(header),
            offset: header.u64(24),
            logical_size: header.u64(32),
            compression: header.u8(50),
            compressed_size: header.u64(96),
            toguid: header.u64(40),
        };
        check_block(write.offset, write.logical_size, features)?;
        if write.compression == 0 {
            ensure!(
                write.compressed_size == 0,
                "compressed size {} without compression",
                write.compressed_size
            );
            return Ok(write);
        }
        features.require(Features::COMPRESSED, "compressed")?;
        let stored = write.compressed_size;
        ensure!(
            (1..=write.logical_size).contains(&stored) && stored.is_multiple_of(4),
            "compressed size {stored} of a block of {} bytes",
            write.logical_size
        );
        Ok(write)
    }

    fn payload_length(&self) -> u64 {
        if self.compression == 0 { self.logical_size } else { self.compressed_size }
    }
}

impl Embedded {
    fn parse(header: Header, features: Features) -> Result<Embedded> {
        features.require(Features::EMBED_DATA, "embed_data")?;
        let embedded = Embedded {
            object: header.u64(8),
            offset: header.u64(16),
            length: header.u64(24),
            compression: header.u8(40),
            physical_size: header.u32(52),
            toguid: header.u64(32),
        };
        check_block(embedded.offset, embedded.length, features)?;
        let (logical, physical) = (header.u32(48), embedded.physical_size);
        ensure!(header.u8(41) == 0, "embedded data of type {}, expected 0 (data)", header.u8(41));
        // ZFS would store a shorter one as it is, and a block of a volume that is not a whole block cannot be read.
        ensure!(
            physical <= 112 && u64::from(logical) == embedded.length,
            "embedded sizes: {physical} stored, {logical} unpacked, expected at most 112 stored and a block of {} bytes unpacked",
            embedded.length
        );
        Ok(embedded)
    }
}

/// The end of a range that may stand in a file: no offset beyond `i64::MAX`.
pub(crate) fn end_of(offset: u64, length: u64) -> Option<u64> {
    offset.checked_add(length).filter(|end| *end <= i64::MAX as u64)
}

fn check_block(offset: u64, size: u64, features: Features) -> Result<()> {
    ensure!((512..=MAX_BLOCK).contains(&size), "block of {size} bytes, 512 to {MAX_BLOCK} expected");
    ensure!(
        size.is_multiple_of(512) && offset.is_multiple_of(512),
        "block of {size} bytes at offset {offset}: both must be multiples of 512"
    );
    ensure!(end_of(offset, size).is_some(), "offset {offset} + size {size} overflow");
    if size > SMALL_BLOCK {
        features.require(Features::LARGE_BLOCKS, "large_blocks")?;
    }
    Ok(())
}
