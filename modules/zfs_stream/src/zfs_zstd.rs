// SPDX-License-Identifier: GPL-3.0-or-later

//! Zstd as ZFS reads it: in every OpenZFS up to 2.4 that is zstd 1.4.5, which refuses blocks that later versions take.

use crate::zstd_literals::Literals;
use std::ops::Range;

/// Sizes of compressed blocks. Of two bytes is one with nothing in it, which compressors leave out.
const COMPRESSED: Range<usize> = 3..128 << 10;

/// Whether `data` are one frame, without its magic number, that ZFS does not refuse where the decoder here takes it.
pub(crate) fn is_read_by_zfs(data: &[u8]) -> bool {
    skip_frame(data).is_some_and(|rest| rest.is_empty())
}

/// Whether a block says of itself that it was made at a level that ZFS has: 1 to 19, or a fast one. It does not read any other,
/// whatever is in it (`zstd_enum_to_level` in OpenZFS `zfs_zstd.c`).
///
/// The level stands before or after the three bytes of a version, depending on the machine that wrote it; ZFS tells by which
/// byte is zero (`zfs_get_hdrmeta`), and so does this.
pub(crate) fn level_is_known(stored: &[u8]) -> bool {
    let level = match stored {
        [_, _, _, _, first, _, _, 0, ..] => *first,
        [_, _, _, _, _, _, 0, last, ..] => *last,
        [_, _, _, _, first, 0, _, _, ..] => *first,
        [_, _, _, _, 0, _, _, last, ..] => *last,
        _ => 0,
    };
    matches!(level, 1..=19 | 103..=123)
}

/// Goes over a frame of blocks that ZFS reads; gives what follows it (RFC 8878, 3.1.1).
fn skip_frame(data: &[u8]) -> Option<&[u8]> {
    let (&descriptor, rest) = data.split_first()?;
    let has_window = descriptor & 1 << 5 == 0;
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let size = [usize::from(!has_window), 2, 4, 8][usize::from(descriptor >> 6)];
    let checksum = if descriptor & 1 << 2 == 0 { 0 } else { 4 };
    let mut rest = rest.get(usize::from(has_window) + dictionary + size..)?;
    let mut literals = Literals::default();
    loop {
        let ([low, middle, high], block) = rest.split_first_chunk()?;
        let header = u32::from_le_bytes([*low, *middle, *high, 0]);
        let (kind, length) = (header >> 1 & 3, (header >> 3) as usize);
        let stored = match kind {
            0 => length,
            // One byte, so many times.
            1 => 1,
            2 if COMPRESSED.contains(&length) => {
                literals.check(block.get(..length)?)?;
                length
            }
            _ => return None,
        };
        rest = block.get(stored..)?;
        if header & 1 == 1 {
            return rest.get(checksum..);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

    fn block(last: u32, kind: u32, length: u32, stored: &[u8]) -> Vec<u8> {
        let header = (length << 3 | kind << 1 | last).to_le_bytes();
        [&header[..3], stored].concat()
    }

    /// In a window of 2 MiB, its size unannounced.
    fn frame(blocks: &[Vec<u8>]) -> Vec<u8> {
        [&[0, 0x58][..], &blocks.concat()].concat()
    }

    /// Of many kinds: with literals of one and of four streams, and none.
    fn texts() -> Vec<Vec<u8>> {
        let text = |size: u32| -> Vec<u8> {
            (0..size)
                .flat_map(|i| format!("{} of {size}, ", i * i % 9973).into_bytes())
                .take(size as usize)
                .collect()
        };
        let skewed = (0..20_000_u32).map(|i| (i * i % 251 * (i % 7) / 9) as u8).collect();
        vec![text(0), text(1), text(200), text(5000), text(300_000), vec![7; 300_000], skewed]
    }

    #[test]
    fn what_compressors_make_is_read() {
        for plain in texts() {
            for level in [-7, -1, 1, 3, 9, 19] {
                let packed = zstd::bulk::compress(&plain, level).unwrap();
                assert!(is_read_by_zfs(&packed[4..]), "{} bytes at level {level}", plain.len());
            }
            let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
            encoder.include_checksum(true).unwrap();
            std::io::copy(&mut &plain[..], &mut encoder).unwrap();
            assert!(is_read_by_zfs(&encoder.finish().unwrap()[4..]));
        }
    }

    #[test]
    fn a_compressed_block_has_three_bytes_and_less_than_128_kib() {
        for (length, read) in [(0, false), (2, false), (3, true), ((128 << 10) - 1, true), (128 << 10, false)]
        {
            let data = frame(&[block(1, 2, length, &vec![0; length as usize])]);
            assert_eq!(is_read_by_zfs(&data), read, "{length}");
        }
        // One with nothing in it, after the data.
        let empty = frame(&[block(0, 1, 512, b"z"), block(1, 2, 2, &[0, 0])]);
        assert_eq!(zstd::bulk::decompress(&[MAGIC, &empty].concat(), 512).unwrap(), [b'z'; 512]);
        assert!(!is_read_by_zfs(&empty));
    }

    #[test]
    fn one_whole_frame_is_read() {
        let whole = frame(&[block(0, 0, 5, b"bytes"), block(0, 1, 100, b"z"), block(1, 0, 0, b"")]);
        assert!(is_read_by_zfs(&whole));
        for length in 0..whole.len() {
            assert!(!is_read_by_zfs(&whole[..length]), "{length}");
        }
        assert!(!is_read_by_zfs(&[&whole[..], &whole].concat()));
        assert!(!is_read_by_zfs(&frame(&[block(1, 3, 0, b"")])), "a kind of block that is reserved");
    }

    /// Corrupt literals: some end with their data all the same, as another text, others too early or too late.
    #[test]
    fn literals_end_with_their_data() {
        let packed = zstd::bulk::compress(&texts()[6], 19).unwrap();
        let corrupt = (200..packed.len() / 2).step_by(7).map(|at| {
            let mut corrupt = packed[4..].to_vec();
            corrupt[at] ^= 0x55;
            corrupt
        });
        let (read, refused): (Vec<_>, Vec<_>) = corrupt.partition(|data| is_read_by_zfs(data));
        assert!(!read.is_empty() && !refused.is_empty(), "{} read, {} refused", read.len(), refused.len());
    }
}
