// SPDX-License-Identifier: GPL-3.0-or-later

//! Fletcher4, the running checksum of a send stream: over little-endian 32-bit words, in four wrapping 64-bit sums.

mod lanes;

/// Bytes from which on lanes are faster: headers are shorter, payloads longer.
const WORTHWHILE: usize = 1024;

/// The state of the checksum; zero at every BEGIN record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fletcher4([u64; 4]);

impl Fletcher4 {
    /// Adds `bytes`, whose length is a multiple of four wherever the format puts a checksum.
    pub fn update(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<4>();
        debug_assert!(rest.is_empty(), "fletcher4 is defined over whole words");
        if bytes.len() < WORTHWHILE {
            return self.add_words(words);
        }
        let (sums, rest) = lanes::sum(words);
        self.append(sums, words.len() - rest.len());
        self.add_words(rest);
    }

    fn add_words(&mut self, words: &[[u8; 4]]) {
        let [mut a, mut b, mut c, mut d] = self.0;
        for word in words {
            a = a.wrapping_add(u64::from(u32::from_le_bytes(*word)));
            b = b.wrapping_add(a);
            c = c.wrapping_add(b);
            d = d.wrapping_add(c);
        }
        self.0 = [a, b, c, d];
    }

    /// Adds `count` words of which the sums alone are known: what was summed before is added to every one of them again.
    fn append(&mut self, [a, b, c, d]: [u64; 4], count: usize) {
        let n = count as u128;
        // The sums wrap, and so may these.
        let once = n as u64;
        let twice = (n * (n + 1) / 2) as u64;
        let thrice = (n * (n + 1) * (n + 2) / 6) as u64;
        let [before_a, before_b, before_c, before_d] = self.0;
        self.0 = [
            sum([before_a, a]),
            sum([before_b, before_a.wrapping_mul(once), b]),
            sum([before_c, before_b.wrapping_mul(once), before_a.wrapping_mul(twice), c]),
            sum([
                before_d,
                before_c.wrapping_mul(once),
                before_b.wrapping_mul(twice),
                before_a.wrapping_mul(thrice),
                d,
            ]),
        ];
    }

    /// The checksum as a record stores it.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (place, sum) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *place = sum.to_le_bytes();
        }
        bytes
    }
}

/// Adds up, wrapping.
fn sum<const N: usize>(values: [u64; N]) -> u64 {
    values.into_iter().fold(0, u64::wrapping_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sums_words_in_four_orders() {
        let mut sum = Fletcher4::default();
        sum.update(&[1, 0, 0, 0, 2, 0, 0, 0]);
        sum.update(&[3, 0, 0, 0]);
        assert_eq!(sum, Fletcher4([6, 10, 15, 21]));
        assert_eq!(&sum.to_bytes()[8..16], &10u64.to_le_bytes());
    }

    #[test]
    fn wraps() {
        let mut sum = Fletcher4([u64::MAX, 0, 0, 0]);
        sum.update(&[1, 0, 0, 0]);
        assert_eq!(sum, Fletcher4([0, 0, 0, 0]));
    }

    #[test]
    fn the_largest_block_sums_to_the_same_in_lanes() {
        let bytes = vec![0xff; 16 << 20];
        let [mut one_by_one, mut in_lanes] = [Fletcher4([u64::MAX / 3, u64::MAX / 5, u64::MAX / 7, 1]); 2];
        one_by_one.add_words(bytes.as_chunks::<4>().0);
        in_lanes.update(&bytes);
        assert_eq!(in_lanes, one_by_one);
    }

    proptest! {
        #[test]
        fn lanes_make_no_difference(
            before in any::<[u64; 4]>(),
            words in proptest::collection::vec(any::<[u8; 4]>(), 0..3000),
        ) {
            let [mut one_by_one, mut in_lanes] = [Fletcher4(before); 2];
            one_by_one.add_words(&words);
            in_lanes.update(words.as_flattened());
            prop_assert_eq!(in_lanes, one_by_one);
        }
    }
}
