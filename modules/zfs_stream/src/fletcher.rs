//! Fletcher4, the running checksum of a send stream: over little-endian 32-bit words, in four wrapping 64-bit sums.
//!
//! Word by word, each sum waits for the one before. So words are dealt out to lanes, which the processor sums side by side, and the
//! lanes' sums are put together at the end: each is a polynomial in the number of words that followed.

/// Lanes that words are dealt out to: their sums fit the vector registers that every amd64 and arm64 has, and are twice as fast as 8.
const LANES: usize = 4;

/// Bytes from which on lanes are faster: headers are shorter, payloads longer.
const WORTHWHILE: usize = 1024;

/// The four sums of each lane.
type Lanes = [[u64; LANES]; 4];

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
        let (rounds, rest) = words.as_chunks::<LANES>();
        let mut lanes = Lanes::default();
        sum_in_lanes(rounds, &mut lanes);
        self.append(together(&lanes), rounds.len() * LANES);
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

/// Sums every lane by itself. Not inlined, because what is known of the lanes afterwards keeps the compiler from making vectors of them.
#[inline(never)]
fn sum_in_lanes(rounds: &[[[u8; 4]; LANES]], sums: &mut Lanes) {
    for words in rounds {
        let [a, b, c, d] = sums;
        for lane in 0..LANES {
            a[lane] = a[lane].wrapping_add(u64::from(u32::from_le_bytes(words[lane])));
            b[lane] = b[lane].wrapping_add(a[lane]);
            c[lane] = c[lane].wrapping_add(b[lane]);
            d[lane] = d[lane].wrapping_add(c[lane]);
        }
    }
}

/// The sums over all words in their order, from those of 4 lanes. In lane i a word with y - 1 others behind it in its lane has 4y - i - 1
/// behind it in all; so the weights of its lane, y, y(y+1)/2 and y(y+1)(y+2)/6, become those of 4y - i.
fn together(sums: &Lanes) -> [u64; 4] {
    const { assert!(LANES == 4, "the factors are those of 4 lanes") };
    let mut all = [0; 4];
    let [a, b, c, d] = sums;
    for lane in 0..LANES {
        let i = lane as u64;
        let times = |lanes: &[u64; LANES], factor: u64| lanes[lane].wrapping_mul(factor);
        let minus = |value: u64| value.wrapping_neg();
        let parts = [
            a[lane],
            sum([times(b, 4), minus(times(a, i))]),
            sum([times(c, 16), minus(times(b, 6 + 4 * i)), times(a, pairs(i))]),
            sum([
                times(d, 64),
                minus(times(c, 48 + 16 * i)),
                times(b, 4 + 4 * i + 2 * i * i),
                minus(times(a, triples(i))),
            ]),
        ];
        for (whole, part) in all.iter_mut().zip(parts) {
            *whole = part.wrapping_add(*whole);
        }
    }
    all
}

/// i(i-1)/2
fn pairs(i: u64) -> u64 {
    i * i.saturating_sub(1) / 2
}

/// i(i-1)(i-2)/6
fn triples(i: u64) -> u64 {
    pairs(i) * i.saturating_sub(2) / 3
}

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
