// SPDX-License-Identifier: GPL-3.0-or-later

//! From bytes to text: byte order marks, UTF-16, quoted-printable, and bytes of Windows' and Latin code pages.

use std::borrow::Cow;

/// The text; what cannot be decoded is replaced, never refused.
pub(super) fn text(bytes: &[u8]) -> String {
    if let Some(text) = utf16(bytes) {
        return text;
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bytes = quoted_printable(bytes);
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text += chunk.valid();
        text.extend(chunk.invalid().iter().map(|&byte| windows_1252(byte)));
    }
    text
}

/// UTF-16 as PowerShell and Notepad write it, with its mark or known by the zeros of ASCII.
fn utf16(bytes: &[u8]) -> Option<String> {
    let zeros = |odd: usize| bytes.iter().skip(odd).step_by(2).filter(|&&byte| byte == 0).count();
    let mostly = |odd: usize| bytes.len() >= 4 && zeros(odd) > bytes.len() / 5 && zeros(1 - odd) == 0;
    let (little, body) = match bytes {
        [0xff, 0xfe, body @ ..] => (true, body),
        [0xfe, 0xff, body @ ..] => (false, body),
        body if mostly(1) => (true, body),
        body if mostly(0) => (false, body),
        _ => return None,
    };
    let units = body.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok());
    let units = units.map(|pair| if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) });
    Some(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

/// The few characters of code page 1252 that pastes have; blanks and dashes matter, the rest is not ours.
fn windows_1252(byte: u8) -> char {
    match byte {
        0xa0 => ' ',
        0x91 | 0x92 => '\'',
        0x93 | 0x94 => '"',
        0x95 => '\u{2022}',
        0x96 | 0x97 => '-',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// A mail as it was saved: `=C2=A0`, and lines that end with `=` go on.
fn quoted_printable(bytes: &[u8]) -> Cow<'_, [u8]> {
    let has = |pattern: &[u8]| bytes.windows(pattern.len()).any(|window| window == pattern);
    let marks: [&[u8]; 6] = [b"=C2=A0", b"=c2=a0", b"=A0", b"=20", b"=3D", b"=3d"];
    let soft = |at: &[u8]| matches!(at, [before, b'=', b'\n' | b'\r'] if before.is_ascii_alphanumeric());
    if !marks.iter().any(|mark| has(mark)) && !bytes.windows(3).any(soft) {
        return Cow::Borrowed(bytes);
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'=', [b'\n', next @ ..] | [b'\r', b'\n', next @ ..]) => rest = next,
            (b'=', [high, low, next @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                plain.push(hex(*high) << 4 | hex(*low));
                rest = next;
            }
            _ => plain.push(first),
        }
    }
    Cow::Owned(plain)
}

fn hex(digit: u8) -> u8 {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap_or(0)
}
