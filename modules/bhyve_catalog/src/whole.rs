// SPDX-License-Identifier: GPL-3.0-or-later

//! Whether a disk in a form of its own is all there. What `qemu-img check` does not see reads as zeros, and would be published.

mod vhdx;
mod vmdk;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result, bail, ensure};

use crate::contents::{Container, Glimpse};

/// All these forms are made of sectors.
const SECTOR: u64 = 512;
/// The part of an entry that is a place in the file.
const OFFSET: u64 = 0x00ff_ffff_ffff_fe00;
/// The largest first-level table of a qcow2 disk: that of a disk of 2 PiB.
const TABLE_LIMIT: u64 = 32 << 20;

/// Refuses a file whose end is missing, and says what might be.
pub fn judge(container: Container, file: &File, glimpse: &Glimpse) -> Result<Option<String>> {
    let Glimpse { head, size, .. } = glimpse;
    // The footer of old Virtual PC is a byte shorter, and a qcow2 disk without data ends with a table.
    let is_old_vhd =
        container == Container::Vhd && !head.starts_with(b"conectix") && (size + 1).is_multiple_of(SECTOR);
    let is_sound = size.is_multiple_of(SECTOR) || is_old_vhd || container == Container::Qcow2;
    ensure!(is_sound, "it has {size} bytes, which are no whole sectors: it was cut short, fetch it again");
    match container {
        Container::Qcow2 => return qcow2(file, glimpse),
        Container::Vmdk => {
            refuse_part_of_vmdk(head)?;
            return vmdk::judge(file, glimpse);
        }
        Container::Vhd => vhd(glimpse)?,
        Container::Vdi => vdi(glimpse)?,
        Container::Vhdx => return vhdx::judge(file, *size),
    }
    Ok(None)
}

/// Fields of a header that its file is too short for are zero.
fn field<const N: usize>(head: &[u8], place: usize) -> [u8; N] {
    head.get(place..place + N).and_then(|it| it.try_into().ok()).unwrap_or([0; N])
}

fn little_u32(head: &[u8], place: usize) -> u64 {
    u32::from_le_bytes(field(head, place)).into()
}

fn big_u32(head: &[u8], place: usize) -> u64 {
    u32::from_be_bytes(field(head, place)).into()
}

fn big_u64(head: &[u8], place: usize) -> u64 {
    u64::from_be_bytes(field(head, place))
}

/// A disk without a size of its own is a description that names other files.
fn refuse_part_of_vmdk(head: &[u8]) -> Result<()> {
    let capacity = u64::from_le_bytes(field(head, 12));
    ensure!(
        capacity > 0,
        "it is a description of a VMDK disk whose data are in other files: make it one file with `qemu-img convert -O qcow2`"
    );
    let place = u64::from_le_bytes(field(head, 28)).saturating_mul(SECTOR);
    let described =
        usize::try_from(place).ok().and_then(|place| head.get(place)).is_some_and(|first| *first != 0);
    ensure!(
        described && place > 0,
        "it is one of the files of a VMDK disk that has several: make it one file with `qemu-img convert -O qcow2` from its \
         description"
    );
    Ok(())
}

/// The footer is written last; the kind stands in it.
fn vhd(glimpse: &Glimpse) -> Result<()> {
    ensure!(glimpse.ends_with_footer(), "it has no footer at its end: it was cut short, fetch it again");
    if glimpse.head.starts_with(b"conectix") && big_u32(&glimpse.head, 60) == 4 {
        bail!("it holds the differences to another disk: merge the two first");
    }
    Ok(())
}

/// Blocks lie behind each other, as many as the header says.
fn vdi(Glimpse { head, size, .. }: &Glimpse) -> Result<()> {
    let [data, block, extra, allocated] = [0x158, 0x178, 0x17c, 0x184].map(|place| little_u32(head, place));
    ensure!(little_u32(head, 0x4c) != 4, "it holds the differences to another disk: merge the two first");
    let end = allocated.saturating_mul(block + extra).saturating_add(data);
    ensure!(
        *size >= end,
        "it has {size} bytes, its header speaks of {end}: it was cut short, fetch it again"
    );
    Ok(())
}

/// The entries of a qcow2 disk's tables.
struct Entries {
    /// Bytes of the file.
    size: u64,
    /// Bytes of a cluster, as a power of two.
    bits: u64,
    /// The first place that must be there and is not.
    missing: Option<u64>,
    /// Bytes that are missing of a cluster whose beginning is there.
    short: u64,
}

/// Clusters lie in any order; compressed ones say where they end.
fn qcow2(file: &File, Glimpse { head, size, .. }: &Glimpse) -> Result<Option<String>> {
    let bits = big_u32(head, 20);
    let (disk, entries, table) = (big_u64(head, 24), big_u32(head, 36), big_u64(head, 40));
    // What such a header is, qemu-img says.
    if !(9..=21).contains(&bits) || entries * 8 > TABLE_LIMIT {
        return Ok(None);
    }
    // With subclusters, an entry has a second half; with a file of data, nothing of it is here.
    let features = if big_u32(head, 4) >= 3 { big_u64(head, 72) } else { 0 };
    if features & 4 != 0 {
        return Ok(None);
    }
    let stride = if features & 0x10 != 0 { 16 } else { 8 };
    let mut found = Entries { size: *size, bits, missing: None, short: 0 };
    if table.saturating_add(entries * 8) > *size {
        found.missing = Some(table);
    }
    let mut guest = 0u64;
    for entry in read(file, table, entries * 8)?.chunks_exact(8) {
        let offset = big_u64(entry, 0) & OFFSET;
        if offset == 0 || offset >= *size {
            found.missing = found.missing.or((offset > 0).then_some(offset));
            guest = guest.saturating_add((1 << (2 * bits)) / stride as u64);
            continue;
        }
        for entry in read(file, offset, 1 << bits)?.chunks_exact(stride) {
            found.add(big_u64(entry, 0), disk.saturating_sub(guest));
            guest = guest.saturating_add(1 << bits);
        }
    }
    if let Some(missing) = found.missing {
        bail!("it has {size} bytes, and data of it would be at {missing}: it was cut short, fetch it again");
    }
    let short = found.short;
    ensure!(
        short == 0 || size.is_multiple_of(SECTOR),
        "{short} bytes of its last cluster are missing: it was cut short, fetch it again"
    );
    Ok((short > 0).then(|| {
        format!("ends {short} bytes before the end of its last cluster: look whether it was cut short")
    }))
}

impl Entries {
    /// Looks at one cluster, of which the guest sees `rest` bytes at most.
    fn add(&mut self, entry: u64, rest: u64) {
        if let Some(end) = end_of_compressed(entry, self.bits) {
            // Not every writer fills the last sector.
            if end > self.size.next_multiple_of(SECTOR) {
                self.missing.get_or_insert(end);
            }
            return;
        }
        let offset = entry & OFFSET;
        let end = offset.saturating_add(rest.min(1 << self.bits));
        // Zero clusters may keep a place that nobody reads.
        if offset == 0 || entry & 1 != 0 || end <= self.size {
            return;
        }
        match offset >= self.size {
            true => drop(self.missing.get_or_insert(offset)),
            false => self.short = self.short.max(end - self.size),
        }
    }
}

/// Where the data of a compressed cluster end: bit 62 marks it, the offset and the number of further sectors share the rest.
fn end_of_compressed(entry: u64, bits: u64) -> Option<u64> {
    if entry & 1 << 62 == 0 || entry >> 63 != 0 {
        return None;
    }
    let split = 62 - (bits - 8);
    let offset = entry & ((1 << split) - 1);
    let sectors = (entry >> split & ((1 << (bits - 8)) - 1)) + 1;
    Some((offset / SECTOR + sectors) * SECTOR)
}

/// What is beyond the end is zero.
fn read(file: &File, offset: u64, length: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length)?];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("reading its tables"),
        }
    }
    Ok(bytes)
}
