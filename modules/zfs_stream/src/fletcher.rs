//! Fletcher4, the running checksum of a send stream: over little-endian 32-bit words, in four wrapping 64-bit sums.

/// The state of the checksum; zero at every BEGIN record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fletcher4([u64; 4]);

impl Fletcher4 {
    /// Adds `bytes`, whose length is a multiple of four wherever the format puts a checksum.
    pub fn update(&mut self, bytes: &[u8]) {
        let [mut a, mut b, mut c, mut d] = self.0;
        let (words, rest) = bytes.as_chunks::<4>();
        debug_assert!(rest.is_empty(), "fletcher4 is defined over whole words");
        for word in words {
            a = a.wrapping_add(u64::from(u32::from_le_bytes(*word)));
            b = b.wrapping_add(a);
            c = c.wrapping_add(b);
            d = d.wrapping_add(c);
        }
        self.0 = [a, b, c, d];
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
