// SPDX-License-Identifier: GPL-3.0-or-later

//! Whether all grains of a VMDK disk are there, by its tables.

use std::fs::File;

use anyhow::{Result, bail, ensure};

use super::{SECTOR, TABLE_LIMIT, field, little_u32, read};
use crate::contents::Glimpse;

/// Says of the place of the first table that a footer has it.
const AT_END: u64 = u64::MAX;
/// Flags of the header: grains are compressed, each behind a mark of its own.
const COMPRESSED: u64 = 1 << 16;
/// Bytes of such a mark: the grain's sector and its length.
const MARK: u64 = 12;
/// The largest grain that is believed, in sectors.
const GRAIN_LIMIT: u64 = 1 << 16;

/// The header, as far as it says where things are.
struct Header {
    is_compressed: bool,
    /// Sectors of the disk, and of a grain.
    capacity: u64,
    grain: u64,
    /// Entries of a second table.
    entries: u64,
    /// Sector of the first table.
    table: u64,
}

impl Header {
    fn read(bytes: &[u8]) -> Self {
        let number = |place| u64::from_le_bytes(field(bytes, place));
        Self {
            is_compressed: little_u32(bytes, 8) & COMPRESSED != 0,
            capacity: number(12),
            grain: number(20),
            entries: little_u32(bytes, 44),
            table: number(56),
        }
    }

    /// What qemu-img takes as well; what others are, it says.
    fn is_usual(&self) -> bool {
        (1..=GRAIN_LIMIT).contains(&self.grain)
            && (1..=512).contains(&self.entries)
            && self.tables() * 4 <= TABLE_LIMIT
    }

    fn tables(&self) -> u64 {
        self.capacity.div_ceil(self.grain.saturating_mul(self.entries).max(1))
    }
}

/// Refuses a disk of which a grain is missing, and says where the last one ends too early.
pub fn judge(file: &File, Glimpse { head, size, .. }: &Glimpse) -> Result<Option<String>> {
    let mut header = Header::read(head);
    if header.table == AT_END {
        let footer = read(file, size.saturating_sub(2 * SECTOR), SECTOR)?;
        ensure!(footer.starts_with(b"KDMV"), "it has no footer at its end: it was cut short, fetch it again");
        header = Header::read(&footer);
    }
    if !header.is_usual() {
        return Ok(None);
    }
    let mut short = 0;
    let first = read(file, header.table.saturating_mul(SECTOR), header.tables() * 4)?;
    for table in first.chunks_exact(4).map(|entry| little_u32(entry, 0)).filter(|sector| *sector > 0) {
        let table = table * SECTOR;
        let grains = match table < *size {
            true => read(file, table, header.entries * 4)?,
            false => bail!("{}", missing(*size, table)),
        };
        // Grains that are known to be zero have no place, but the number 1.
        for grain in grains.chunks_exact(4).map(|entry| little_u32(entry, 0)).filter(|sector| *sector > 1) {
            let start = grain * SECTOR;
            ensure!(start < *size, "{}", missing(*size, start));
            short = short.max(end(file, &header, start)?.saturating_sub(*size));
        }
    }
    Ok((short > 0).then(|| {
        format!("ends {short} bytes before the end of its last grain: look whether it was cut short")
    }))
}

fn missing(size: u64, place: u64) -> String {
    format!("it has {size} bytes, and data of it would be at {place}: it was cut short, fetch it again")
}

/// Where a grain ends.
fn end(file: &File, header: &Header, start: u64) -> Result<u64> {
    Ok(match header.is_compressed {
        true => start + MARK + little_u32(&read(file, start, MARK)?, 8),
        false => start + header.grain * SECTOR,
    })
}
