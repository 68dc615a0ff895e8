// SPDX-License-Identifier: GPL-3.0-or-later

//! LZ4 blocks by the rules of ZFS's own decoder (OpenZFS `lz4.c`), which keeps some at a block's end that others do not.

/// The last bytes of a block are literals (`LASTLITERALS`).
const LAST_LITERALS: usize = 5;
/// Literals that end nearer to the block's end than this are the last ones (`MFLIMIT`).
const MATCH_LIMIT: usize = 12;
/// So are those that end nearer to the data's end: an offset, a token and the last literals would not find room.
const DATA_LIMIT: usize = 2 + 1 + LAST_LITERALS;
const MATCH_MIN: usize = 4;
/// In the four bits of a token: more of the length follows.
const MORE: u8 = 15;

/// Fills `block`; `None` where ZFS could not read it, or would leave a part of it as it finds the memory.
pub(crate) fn decompress(packed: &[u8], block: &mut [u8]) -> Option<usize> {
    walk(packed, block.len())?;
    lz4_flex::block::decompress_into(packed, block).ok()
}

/// Goes over the sequences of literals and matches, without unpacking them.
fn walk(packed: &[u8], size: usize) -> Option<()> {
    let mut data = Data(packed);
    let mut filled = 0_usize;
    loop {
        let token = data.byte()?;
        let literals = data.length(token >> 4)?;
        data.skip(literals)?;
        filled = filled.checked_add(literals)?;
        if filled.checked_add(MATCH_LIMIT)? > size || data.0.len() < DATA_LIMIT {
            return (filled == size && data.0.is_empty()).then_some(());
        }
        let offset = u16::from_le_bytes([data.byte()?, data.byte()?]);
        let matched = data.length(token & MORE)?.checked_add(MATCH_MIN)?;
        filled = filled.checked_add(matched)?;
        // At distance 0 stands whatever was in the memory before.
        if offset == 0 || filled.checked_add(LAST_LITERALS)? > size {
            return None;
        }
    }
}

/// What is left of the data.
struct Data<'a>(&'a [u8]);

impl Data<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        self.0 = self.0.get(length..)?;
        Some(())
    }

    /// A length that begins in a token.
    fn length(&mut self, bits: u8) -> Option<usize> {
        let mut length = usize::from(bits);
        let mut last = if bits == MORE { u8::MAX } else { 0 };
        while last == u8::MAX {
            last = self.byte()?;
            length = length.checked_add(usize::from(last))?;
        }
        Some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 64;

    fn unpacks(packed: &[u8]) -> bool {
        decompress(packed, &mut [0; SIZE]) == Some(SIZE)
    }

    /// One literal, a match at this distance up to `tail` bytes before the end, and `tail` literals.
    fn block(distance: u8, tail: u8) -> Vec<u8> {
        let matched = SIZE as u8 - 1 - tail;
        let mut packed = vec![0x1f, b'a', distance, 0, matched - 4 - 15, tail << 4];
        packed.extend(vec![b'z'; usize::from(tail)]);
        packed
    }

    #[test]
    fn the_last_bytes_are_literals() {
        assert!(unpacks(&block(1, 5)) && unpacks(&block(1, 14)));
        for tail in 0..5 {
            assert!(!unpacks(&block(1, tail)), "{tail} literals at the end");
        }
        // Others read it, with a match up to the end.
        let to_the_end = [0x1f, b'a', 1, 0, SIZE as u8 - 1 - 4 - 15];
        assert_eq!(lz4_flex::block::decompress_into(&block(1, 4), &mut [0; SIZE]).ok(), Some(SIZE));
        assert!(!unpacks(&to_the_end));
    }

    #[test]
    fn a_match_has_a_distance_and_stays_inside() {
        assert!(!unpacks(&block(0, 5)));
        assert!(!unpacks(&block(2, 5)), "before the block");
        let mut far = block(1, 5);
        far[4] += 1;
        assert!(!unpacks(&far), "beyond the block");
    }

    #[test]
    fn literals_near_the_end_are_the_last_ones() {
        // 53 literals leave 11 bytes: room for a match of six and five literals, which ZFS does not take.
        let near = [&[0xf2, 53 - 15][..], &[b'a'; 53], &[1, 0, 5 << 4], &[b'z'; 5]].concat();
        assert_eq!(lz4_flex::block::decompress_into(&near, &mut [0; SIZE]).ok(), Some(SIZE));
        assert!(!unpacks(&near));
        let whole = [&[0xf0, 64 - 15][..], &[b'a'; 64]].concat();
        assert!(unpacks(&whole));
        assert!(!unpacks(&whole[..whole.len() - 1]) && !unpacks(&[&whole[..], &[0]].concat()));
    }

    #[test]
    fn what_compressors_make_is_taken() {
        for step in [1, 3, 7, 50, 255] {
            let plain: Vec<u8> = (0..4096_u32).map(|i| (i / step % 251) as u8).collect();
            let packed = lz4_flex::block::compress(&plain);
            let mut block = vec![0; plain.len()];
            assert_eq!(decompress(&packed, &mut block), Some(plain.len()));
            assert!(block == plain);
        }
    }
}
