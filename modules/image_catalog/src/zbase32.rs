//! pkg's base 32: the z-base-32 alphabet over the bytes read as one little-endian number, low digits first.

const ALPHABET: &[u8; 32] = b"ybndrfg8ejkmcpqxot1uwisza345h769";

pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity((bytes.len() * 8).div_ceil(5));
    let (mut pending, mut bits) = (0u32, 0);
    for byte in bytes {
        pending |= u32::from(*byte) << bits;
        bits += 8;
        while bits >= 5 {
            text.push(digit(pending));
            pending >>= 5;
            bits -= 5;
        }
    }
    if bits > 0 {
        text.push(digit(pending));
    }
    text
}

/// Decodes to exactly `length` bytes; `None` for other digits, another length, or bits left over.
pub(crate) fn decode(text: &str, length: usize) -> Option<Vec<u8>> {
    if text.len() != (length * 8).div_ceil(5) {
        return None;
    }
    let mut bytes = Vec::with_capacity(length);
    let (mut pending, mut bits) = (0u32, 0);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        pending |= u32::try_from(value).ok()? << bits;
        bits += 5;
        if bits >= 8 {
            bytes.push(pending as u8);
            pending >>= 8;
            bits -= 8;
        }
    }
    (pending == 0 && bytes.len() == length).then_some(bytes)
}

fn digit(pending: u32) -> char {
    char::from(ALPHABET[(pending & 31) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_digits_come_first() {
        assert_eq!(encode(&[1]), "by");
        assert_eq!(encode(&[0, 1]), "yeyy");
        assert_eq!(decode("by", 1), Some(vec![1]));
    }

    #[test]
    fn every_length_returns() {
        for length in 0..70 {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 37 + 11) as u8).collect();
            assert_eq!(decode(&encode(&bytes), bytes.len()), Some(bytes));
        }
    }

    #[test]
    fn refuses_other_digits_and_bits_left_over() {
        assert_eq!(decode("bl", 1), None);
        assert_eq!(decode("b", 1), None);
        assert_eq!(decode("99", 1), None);
    }
}
