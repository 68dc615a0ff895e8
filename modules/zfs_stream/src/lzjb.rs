// SPDX-License-Identifier: GPL-3.0-or-later

//! LZJB as ZFS stores it: a bitmap byte announces eight items, each a literal or a match of 6 bits length and 10 bits distance.

const MATCH_MIN: usize = 3;

/// Fills `target` exactly; `None` where the data end early or point before the start.
pub(crate) fn decompress(packed: &[u8], target: &mut [u8]) -> Option<()> {
    let mut source = packed.iter().copied();
    let mut items = 0;
    let mut map = 0;
    let mut filled = 0;
    while filled < target.len() {
        if items == 0 {
            map = source.next()?;
            items = 8;
        }
        if map & 1 == 0 {
            target[filled] = source.next()?;
            filled += 1;
        } else {
            let (high, low) = (source.next()?, source.next()?);
            let distance = usize::from(high & 3) << 8 | usize::from(low);
            let length = (usize::from(high >> 2) + MATCH_MIN).min(target.len() - filled);
            if distance == 0 || distance > filled {
                return None;
            }
            for _ in 0..length {
                target[filled] = target[filled - distance];
                filled += 1;
            }
        }
        map >>= 1;
        items -= 1;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_matches() {
        // "abc", then a match of six bytes at distance three.
        let packed = [0b1000, b'a', b'b', b'c', (6 - 3) << 2, 3];
        let mut target = [0; 9];
        assert_eq!(decompress(&packed, &mut target), Some(()));
        assert_eq!(&target, b"abcabcabc");
    }

    #[test]
    fn refuses_what_points_outside() {
        for packed in
            [&[][..], &[0], &[0b1, 0, 1], &[0b10, b'a', 0, 2], &[0b10, b'a', 0, 0], &[0b10, b'a', 0]]
        {
            assert_eq!(decompress(packed, &mut [0; 8]), None, "{packed:?}");
        }
    }
}
