//! The properties of a volume: a micro-ZAP block whose entry `size` is the volume's size.

use anyhow::{Context, Result, ensure};

const MICROZAP: u64 = 0x8000_0000_0000_0003;
const ENTRY: usize = 64;
const NAME_AT: usize = 14;

/// Size of the property block of every volume.
pub(crate) const BLOCK: usize = 512;

/// Finds the volume's size.
pub(crate) fn size(block: &[u8]) -> Result<u64> {
    let (entries, _) = block.as_chunks::<ENTRY>();
    let (header, entries) = entries.split_first().context("volume properties: the block is too short")?;
    let kind = u64_at(header, 0);
    ensure!(kind == MICROZAP, "volume properties: block type {kind:#x}, expected {MICROZAP:#x} (micro-ZAP)");
    let named_size = entries.iter().find(|entry| entry[NAME_AT..].starts_with(b"size\0"));
    Ok(u64_at(named_size.context("volume properties: no entry 'size'")?, 0))
}

/// The property block of a volume of `size` bytes.
pub(crate) fn with_size(size: u64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..8].copy_from_slice(&MICROZAP.to_le_bytes());
    block[ENTRY..ENTRY + 8].copy_from_slice(&size.to_le_bytes());
    block[ENTRY + NAME_AT..][..4].copy_from_slice(b"size");
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
        block[128 + 14..][..5].copy_from_slice(b"sizes");
        assert_eq!(size(&block).unwrap(), 1 << 30);
    }

    #[test]
    fn refuses_other_blocks() {
        let other = "volume properties: block type 0x1, expected 0x8000000000000003 (micro-ZAP)";
        let mut fat = with_size(1);
        fat[..8].copy_from_slice(&1u64.to_le_bytes());
        let table: [(&[u8], &str); 3] = [
            (&[], "volume properties: the block is too short"),
            (&fat, other),
            (&with_size(1)[..64], "volume properties: no entry 'size'"),
        ];
        for (block, expected) in table {
            assert_eq!(size(block).unwrap_err().to_string(), expected);
        }
    }
}
