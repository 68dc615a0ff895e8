// SPDX-License-Identifier: GPL-3.0-or-later

//! The XDR-encoded name-value list in the header of a package: strings, numbers and nested lists; other values are skipped.

use anyhow::{Context, Result, bail, ensure};

const MAX_DEPTH: u32 = 8;
const TYPE_UINT64: u32 = 8;
const TYPE_STRING: u32 = 9;
const TYPE_NVLIST: u32 = 19;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Number(u64),
    Text(String),
    List(Nvlist),
    Other,
}

/// Pairs in the order of the stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Nvlist(pub(crate) Vec<(String, Value)>);

impl Nvlist {
    /// Parses a packed list, its four encoding bytes included.
    pub(crate) fn parse(packed: &[u8]) -> Result<Nvlist> {
        let (encoding, rest) = packed.split_at_checked(4).context("property list is too short")?;
        ensure!(encoding[0] == 1, "property list in encoding {}, expected 1 (XDR)", encoding[0]);
        let mut cursor = Cursor(rest);
        let list = list(&mut cursor, 0)?;
        ensure!(cursor.0.is_empty(), "{} bytes follow the property list", cursor.0.len());
        Ok(list)
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        match self.get(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn list(&self, name: &str) -> Option<&Nvlist> {
        match self.get(name) {
            Some(Value::List(list)) => Some(list),
            _ => None,
        }
    }
}

/// What is left of the packed bytes; every value begins on a multiple of four.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).context("property list ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32> {
        let bytes = self.take(4)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from(self.u32()?) << 32 | u64::from(self.u32()?))
    }

    fn text(&mut self) -> Result<String> {
        let length = self.u32()? as usize;
        let text = self.take(length)?;
        self.take(length.next_multiple_of(4) - length)?;
        String::from_utf8(text.to_vec()).context("property list holds text that is not UTF-8")
    }
}

fn list(cursor: &mut Cursor, depth: u32) -> Result<Nvlist> {
    ensure!(depth < MAX_DEPTH, "property list is nested deeper than {MAX_DEPTH} levels");
    let version = cursor.u32()?;
    ensure!(version == 0, "property list of version {version}, expected 0");
    cursor.u32()?;
    let mut pairs = Vec::new();
    loop {
        let (encoded, decoded) = (cursor.u32()?, cursor.u32()?);
        if (encoded, decoded) == (0, 0) {
            return Ok(Nvlist(pairs));
        }
        // The two sizes just read count as part of the pair.
        let Some(length) = encoded.checked_sub(8) else {
            bail!("property list has a pair of {encoded} bytes")
        };
        pairs.push(pair(&mut Cursor(cursor.take(length as usize)?), depth)?);
    }
}

fn pair(cursor: &mut Cursor, depth: u32) -> Result<(String, Value)> {
    let name = cursor.text()?;
    let (value_type, _elements) = (cursor.u32()?, cursor.u32()?);
    let value = match value_type {
        TYPE_UINT64 => Value::Number(cursor.u64()?),
        TYPE_STRING => Value::Text(cursor.text()?),
        TYPE_NVLIST => Value::List(list(cursor, depth + 1)?),
        _ => Value::Other,
    };
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed_text(text: &str) -> Vec<u8> {
        let mut packed = (text.len() as u32).to_be_bytes().to_vec();
        packed.extend_from_slice(text.as_bytes());
        packed.resize(packed.len().next_multiple_of(4), 0);
        packed
    }

    fn packed_pair(name: &str, value_type: u32, value: &[u8]) -> Vec<u8> {
        let mut body = packed_text(name);
        body.extend_from_slice(&value_type.to_be_bytes());
        body.extend_from_slice(&1u32.to_be_bytes());
        body.extend_from_slice(value);
        let size = (body.len() as u32 + 8).to_be_bytes();
        [&size, &size, &body[..]].concat()
    }

    fn packed_list(pairs: &[Vec<u8>]) -> Vec<u8> {
        [&[0; 8][..], &pairs.concat(), &[0; 8]].concat()
    }

    fn with_encoding(list: &[u8]) -> Vec<u8> {
        [&[1, 1, 0, 0], list].concat()
    }

    #[test]
    fn reads_what_a_package_header_needs_and_skips_the_rest() {
        let inner = packed_list(&[packed_pair("guid", TYPE_UINT64, &7u64.to_be_bytes())]);
        let packed = with_encoding(&packed_list(&[
            packed_pair("tosnap", TYPE_STRING, &packed_text("v1")),
            packed_pair("strange", 99, &[1, 2, 3]),
            packed_pair("fss", TYPE_NVLIST, &inner),
        ]));
        let list = Nvlist::parse(&packed).unwrap();
        assert_eq!(list.text("tosnap"), Some("v1"));
        assert_eq!(list.list("fss").and_then(|fss| fss.number("guid")), Some(7));
        assert_eq!((list.number("tosnap"), list.text("none")), (None, None));
    }

    #[test]
    fn refuses_every_truncation_and_endless_nesting() {
        let mut packed = packed_list(&[packed_pair("a", TYPE_STRING, &packed_text("b"))]);
        for length in 0..packed.len() {
            Nvlist::parse(&with_encoding(&packed[..length])).unwrap_err();
        }
        for _ in 0..MAX_DEPTH {
            packed = packed_list(&[packed_pair("n", TYPE_NVLIST, &packed)]);
        }
        let error = Nvlist::parse(&with_encoding(&packed)).unwrap_err();
        assert_eq!(error.to_string(), "property list is nested deeper than 8 levels");
    }

    #[test]
    fn whole_error_texts() {
        let table: [(&[u8], &str); 5] = [
            (&[1], "property list is too short"),
            (&[0, 1, 0, 0], "property list in encoding 0, expected 1 (XDR)"),
            (&[1, 1, 0, 0, 0, 0, 0, 1], "property list of version 1, expected 0"),
            (
                &[1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 4],
                "property list has a pair of 4 bytes",
            ),
            (&[&[1, 1, 0, 0][..], &[0; 20]].concat(), "4 bytes follow the property list"),
        ];
        for (packed, expected) in table {
            assert_eq!(Nvlist::parse(packed).unwrap_err().to_string(), expected);
        }
    }
}
