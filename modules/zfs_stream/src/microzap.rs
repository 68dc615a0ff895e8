// SPDX-License-Identifier: GPL-3.0-or-later

//! The properties of a volume: a micro-ZAP block whose entry `size` is the volume's size.

use anyhow::{Context, Result, ensure};

const MICROZAP: u64 = 0x8000_0000_0000_0003;
const ENTRY: usize = 64;
const NAME_AT: usize = 14;
const NAME: &[u8] = b"size";

/// Size of the property block of every volume.
pub(crate) const BLOCK: usize = 512;

/// Finds the volume's size, which is all that a volume's properties are: ZFS itself would take others, or one twice, and
/// what it makes of them is not known.
pub(crate) fn size(block: &[u8]) -> Result<u64> {
    let (entries, _) = block.as_chunks::<ENTRY>();
    let (header, entries) = entries.split_first().context("volume properties: the block is too short")?;
    let kind = u64_at(header, 0);
    ensure!(kind == MICROZAP, "volume properties: block type {kind:#x}, expected {MICROZAP:#x} (micro-ZAP)");
    let normflags = u64_at(header, 16);
    ensure!(normflags == 0, "volume properties: normalization flags {normflags:#x}, expected 0");
    let mut size = None;
    // An entry without a name is free.
    for entry in entries.iter().filter(|entry| entry[NAME_AT] != 0) {
        check_entry(entry)?;
        ensure!(size.is_none(), "volume properties: entry 'size' a second time");
        size = Some(u64_at(entry, 0));
    }
    size.context("volume properties: no entry 'size'")
}

fn check_entry(entry: &[u8; ENTRY]) -> Result<()> {
    let name = entry[NAME_AT..].split(|byte| *byte == 0).next().unwrap_or_default();
    ensure!(name.len() < ENTRY - NAME_AT, "volume properties: an entry's name has no end");
    ensure!(name == NAME, "volume properties: entry '{}', expected 'size' alone", name.escape_ascii());
    let differentiator = &entry[8..12];
    ensure!(
        differentiator == [0; 4],
        "volume properties: collision differentiator {differentiator:?} of 'size', expected 0"
    );
    Ok(())
}

/// The property block of a volume of `size` bytes.
pub(crate) fn with_size(size: u64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..8].copy_from_slice(&MICROZAP.to_le_bytes());
    block[ENTRY..ENTRY + 8].copy_from_slice(&size.to_le_bytes());
    block[ENTRY + NAME_AT..][..NAME.len()].copy_from_slice(NAME);
    block
}

fn u64_at(entry: &[u8; ENTRY], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&entry[at..at + 8]);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_size_wherever_it_stands() {
        let mut block = with_size(1 << 30);
        block.copy_within(64..128, 192);
        block[64..128].fill(0);
        assert_eq!(size(&block).unwrap(), 1 << 30);
    }

    #[test]
    fn refuses_other_blocks() {
        let other = "volume properties: block type 0x1, expected 0x8000000000000003 (micro-ZAP)";
        let mut fat = with_size(1);
        fat[..8].copy_from_slice(&1u64.to_le_bytes());
        let altered = |change: &dyn Fn(&mut [u8; BLOCK])| {
            let mut block = with_size(1 << 30);
            change(&mut block);
            block
        };
        let named = |name: &[u8]| altered(&|block| block[192 + 14..][..name.len()].copy_from_slice(name));
        let table: [(&[u8], &str); 10] = [
            (&[], "volume properties: the block is too short"),
            (&fat, other),
            (&with_size(1)[..64], "volume properties: no entry 'size'"),
            (&altered(&|block| block[16] = 1), "volume properties: normalization flags 0x1, expected 0"),
            (
                &altered(&|block| block[64 + 8] = 1),
                "volume properties: collision differentiator [1, 0, 0, 0] of 'size', expected 0",
            ),
            (&named(b"size"), "volume properties: entry 'size' a second time"),
            (&named(b"sizes"), "volume properties: entry 'sizes', expected 'size' alone"),
            (&named(b"siz\x1b"), "volume properties: entry 'siz\\x1b', expected 'size' alone"),
            (&named(&[b'x'; 50]), "volume properties: an entry's name has no end"),
            (
                &altered(&|block| block[64 + 14 + 4..128].fill(b's')),
                "volume properties: an entry's name has no end",
            ),
        ];
        for (block, expected) in table {
            assert_eq!(size(block).unwrap_err().to_string(), expected);
        }
    }
}
