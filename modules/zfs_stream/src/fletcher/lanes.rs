// SPDX-License-Identifier: GPL-3.0-or-later

//! Sums in lanes. Word by word, each sum waits for the one before; so words are dealt out to lanes, which the processor sums side by
//! side, and the lanes' sums are put together at the end: each is a polynomial in the number of words that followed.

use super::sum as total;

/// The four sums of each of N lanes.
type Lanes<const N: usize> = [[u64; N]; 4];

/// The four sums over as many words as fill all lanes, and the words left over.
pub(super) fn sum(words: &[[u8; 4]]) -> ([u64; 4], &[[u8; 4]]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(processor) = pulp::x86::V3::try_new() {
        let (rounds, rest) = words.as_chunks::<{ avx2::LANES }>();
        return (together(&avx2::in_lanes(processor, rounds)), rest);
    }
    let (rounds, rest) = words.as_chunks::<4>();
    let mut lanes = Lanes::default();
    in_lanes(rounds, &mut lanes);
    (together(&lanes), rest)
}

/// Four lanes fit the vector registers that every amd64 and arm64 has. Not inlined, because what is known of the lanes afterwards
/// keeps the compiler from making vectors of them.
#[inline(never)]
fn in_lanes(rounds: &[[[u8; 4]; 4]], sums: &mut Lanes<4>) {
    for words in rounds {
        let [a, b, c, d] = sums;
        for lane in 0..4 {
            a[lane] = a[lane].wrapping_add(u64::from(u32::from_le_bytes(words[lane])));
            b[lane] = b[lane].wrapping_add(a[lane]);
            c[lane] = c[lane].wrapping_add(b[lane]);
            d[lane] = d[lane].wrapping_add(c[lane]);
        }
    }
}

/// Twice as many at once, where the processor has AVX2.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use pulp::x86::V3;
    use pulp::{NullaryFnOnce, bytemuck, u64x4};

    use super::Lanes;

    pub(super) const LANES: usize = 8;

    /// The four sums of four lanes.
    type Quarters = [u64x4; 4];

    /// Sums every lane by itself.
    pub(super) fn in_lanes(processor: V3, rounds: &[[[u8; 4]; LANES]]) -> Lanes<LANES> {
        let (even, odd) = processor.vectorize(Rounds { processor, rounds });
        let mut lanes = Lanes::default();
        for (sum, (even, odd)) in lanes.iter_mut().zip(even.into_iter().zip(odd)) {
            let [even, odd]: [[u64; 4]; 2] = [even, odd].map(|four| [four.0, four.1, four.2, four.3]);
            for (pair, values) in sum.as_chunks_mut::<2>().0.iter_mut().zip(even.into_iter().zip(odd)) {
                *pair = values.into();
            }
        }
        lanes
    }

    struct Rounds<'a> {
        processor: V3,
        rounds: &'a [[[u8; 4]; LANES]],
    }

    impl NullaryFnOnce for Rounds<'_> {
        /// The even and the odd lanes.
        type Output = (Quarters, Quarters);

        #[inline(always)]
        fn call(self) -> Self::Output {
            let Rounds { processor: v, rounds } = self;
            let zero = v.splat_u64x4(0);
            let low = v.splat_u64x4(u64::from(u32::MAX));
            let (mut even, mut odd) = ([zero; 4], [zero; 4]);
            for words in rounds {
                let pairs: u64x4 = bytemuck::pod_read_unaligned(words.as_flattened());
                even[0] = v.wrapping_add_u64x4(even[0], v.and_u64x4(pairs, low));
                odd[0] = v.wrapping_add_u64x4(odd[0], v.shr_const_u64x4::<32>(pairs));
                for sum in 1..4 {
                    even[sum] = v.wrapping_add_u64x4(even[sum], even[sum - 1]);
                    odd[sum] = v.wrapping_add_u64x4(odd[sum], odd[sum - 1]);
                }
            }
            (even, odd)
        }
    }
}

/// The sums over all words in their order. In lane i of N a word with y - 1 others behind it in its lane has Ny - i - 1 behind it in all; so
/// the weights of its lane, y, y(y+1)/2 and y(y+1)(y+2)/6, become those of Ny - i.
fn together<const N: usize>(lanes: &Lanes<N>) -> [u64; 4] {
    let n = N as u64;
    let mut all = [0; 4];
    let [a, b, c, d] = lanes;
    for lane in 0..N {
        let i = lane as u64;
        let times = |sums: &[u64; N], factor: u64| sums[lane].wrapping_mul(factor);
        let minus = |value: u64| value.wrapping_neg();
        let parts = [
            a[lane],
            total([times(b, n), minus(times(a, i))]),
            total([times(c, n * n), minus(times(b, (n * n + 2 * n * i - n) / 2)), times(a, pairs(i))]),
            total([
                times(d, n * n * n),
                minus(times(c, n * n * (n - 1 + i))),
                times(b, n * (n * n + 2 - 3 * n + 3 * i * (n - 2) + 3 * i * i) / 6),
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The way of processors that this one is not is tried, too.
        #[test]
        fn both_ways_sum_to_the_same(words in proptest::collection::vec(any::<[u8; 4]>(), 0..500)) {
            let eights = words.len() / 8 * 8;
            let mut lanes = Lanes::default();
            in_lanes(words[..eights].as_chunks::<4>().0, &mut lanes);
            let (sums, rest) = sum(&words[..eights]);
            prop_assert_eq!((together(&lanes), rest.len()), (sums, 0));
        }
    }
}
