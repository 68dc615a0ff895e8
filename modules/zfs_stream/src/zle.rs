// SPDX-License-Identifier: GPL-3.0-or-later

//! ZLE, ZFS's zero-length encoding: a control byte below 64 announces literals, any other a run of zeros.

const LITERALS: usize = 64;

/// Fills `target` exactly; `None` where the data end early or run over.
pub(crate) fn decompress(mut packed: &[u8], target: &mut [u8]) -> Option<()> {
    let mut filled = 0;
    while filled < target.len() {
        let (control, rest) = packed.split_first()?;
        let length = usize::from(*control) + 1;
        if length <= LITERALS {
            let (literals, rest) = rest.split_at_checked(length)?;
            target.get_mut(filled..filled + length)?.copy_from_slice(literals);
            packed = rest;
            filled += length;
        } else {
            target.get_mut(filled..filled + length - LITERALS)?.fill(0);
            packed = rest;
            filled += length - LITERALS;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_zeros() {
        let mut target = [9; 7];
        assert_eq!(decompress(&[1, b'x', b'y', 64 + 3, 0, b'z'], &mut target), Some(()));
        assert_eq!(&target, b"xy\0\0\0\0z");
    }

    #[test]
    fn refuses_short_and_long_runs() {
        for packed in [&[][..], &[2, b'x'], &[64], &[255], &[7, 1, 2, 3, 4, 5, 6, 7, 8]] {
            assert_eq!(decompress(packed, &mut [0; 4]), None, "{packed:?}");
        }
    }
}
