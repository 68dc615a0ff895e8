// SPDX-License-Identifier: GPL-3.0-or-later

//! Whether all blocks of a VHDX disk are there, by its table. `qemu-img` fills the end of the last one up with zeros.

use std::fs::File;

use anyhow::{Result, ensure};

use super::{TABLE_LIMIT, field, little_u32, read};

/// Where the table of regions is.
const REGIONS: u64 = 192 << 10;
/// Bytes of the tables of regions and of metadata.
const TABLE: u64 = 64 << 10;
/// What the regions and items are called, as in the file.
const BLOCKS: &[u8; 16] = b"\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08";
const METADATA: &[u8; 16] = b"\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e";
const PARAMETERS: &[u8; 16] = b"\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b";
const SIZE: &[u8; 16] = b"\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8";
/// States of a block that has data: all of it, or some.
const PRESENT: [u64; 2] = [6, 7];
/// The part of an entry that is a place in the file.
const PLACE: u64 = !0xf_ffff;

/// Refuses a disk of which a block is missing, and says where the last one ends too early. What is no table, qemu-img says.
pub fn judge(file: &File, size: u64) -> Result<Option<String>> {
    let regions = read(file, REGIONS, TABLE)?;
    let region = |name| entry(&regions, 16, 32, name).map(|entry| (long(entry, 16), little_u32(entry, 24)));
    let (Some((blocks, length)), Some((metadata, _))) = (region(BLOCKS), region(METADATA)) else {
        return Ok(None);
    };
    let items = read(file, metadata, TABLE)?;
    let item = |name| {
        let entry = entry(&items, 32, 32, name)?;
        read(file, metadata.saturating_add(little_u32(entry, 16)), 8).ok()
    };
    let (Some(parameters), Some(disk)) = (item(PARAMETERS), item(SIZE)) else { return Ok(None) };
    let (block, disk) = (little_u32(&parameters, 0), long(&disk, 0));
    if block == 0 || length > TABLE_LIMIT {
        return Ok(None);
    }
    let mut short = 0;
    for entry in read(file, blocks, length)?.chunks_exact(8).map(|entry| long(entry, 0)) {
        let start = entry & PLACE;
        if !PRESENT.contains(&(entry & 7)) || start == 0 {
            continue;
        }
        ensure!(
            start < size,
            "it has {size} bytes, and data of it would be at {start}: it was cut short, fetch it again"
        );
        short = short.max((start + block.min(disk)).saturating_sub(size));
    }
    Ok((short > 0).then(|| {
        format!("ends {short} bytes before the end of its last block: look whether it was cut short")
    }))
}

/// An entry of a table by its name, which stands in front of it.
fn entry<'a>(table: &'a [u8], from: usize, length: usize, name: &[u8; 16]) -> Option<&'a [u8]> {
    table.get(from..)?.chunks_exact(length).find(|entry| entry.starts_with(name))
}

fn long(bytes: &[u8], place: usize) -> u64 {
    u64::from_le_bytes(field(bytes, place))
}
