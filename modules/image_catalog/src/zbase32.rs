// SPDX-License-Identifier: GPL-3.0-or-later

//! pkg's base 32: the z-base-32 alphabet over the bytes read as one little-endian number, low digits first.

use data_encoding::Encoding;
use data_encoding_macro::new_encoding;

pub(crate) const ZBASE32: Encoding = new_encoding! {
    symbols: "ybndrfg8ejkmcpqxot1uwisza345h769",
    bit_order: LeastSignificantFirst,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_digits_come_first() {
        assert_eq!(ZBASE32.encode(&[1]), "by");
        assert_eq!(ZBASE32.encode(&[0, 1]), "yeyy");
        assert_eq!(ZBASE32.decode(b"by").unwrap(), [1]);
    }

    #[test]
    fn other_digits_and_bits_left_over_are_refused() {
        for text in ["bl", "b", "99", "byy"] {
            ZBASE32.decode(text.as_bytes()).unwrap_err();
        }
    }
}
