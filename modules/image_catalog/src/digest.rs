// SPDX-License-Identifier: GPL-3.0-or-later

//! Checksums as pkg writes them, and readers that compute them in passing.

mod hasher;

use std::fmt;
use std::io::{self, Read, Write};

use anyhow::{Result, ensure};
use blake2::{Blake2b512, Blake2s256};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::zbase32::ZBASE32;

pub use hasher::Hasher;

/// A SHA-256 as 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256Hex(String);

impl Sha256Hex {
    /// The SHA-256 of bytes at hand.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_bytes(&Sha256::digest(bytes))
    }

    /// Writes raw bytes of a SHA-256 as digits.
    fn from_bytes(bytes: &[u8]) -> Self {
        Self(HEXLOWER.encode(bytes))
    }

    /// The 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sha256Hex {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        ensure!(
            text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
            "{text:?} is no SHA-256: expected 64 digits 0-9a-f"
        );
        Ok(Self(text))
    }
}

impl From<Sha256Hex> for String {
    fn from(digest: Sha256Hex) -> Self {
        digest.0
    }
}

impl fmt::Display for Sha256Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The hash function of a [`Sum`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SumKind {
    /// SHA-256, written by pkg up to 2.7 and by this crate.
    Sha256,
    /// BLAKE2b-512, written by pkg from 2.8 on.
    Blake2b,
    /// BLAKE2s-256, known to pkg and not written by default.
    Blake2s,
}

/// A checksum in one of pkg's spellings: `HEX`, `TYPE$DIGITS`, or `2$TYPE$DIGITS`.
///
/// Types are pkg's numbers: 0 SHA-256 and 2 BLAKE2b and 5 BLAKE2s in base 32, 1 SHA-256 in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sum {
    kind: SumKind,
    bytes: Vec<u8>,
}

impl Sum {
    /// The hash function.
    pub fn kind(&self) -> SumKind {
        self.kind
    }

    /// The digits as SHA-256, where the sum is one.
    pub fn sha256(&self) -> Option<Sha256Hex> {
        (self.kind == SumKind::Sha256).then(|| Sha256Hex::from_bytes(&self.bytes))
    }
}

impl From<Sha256Hex> for Sum {
    fn from(digest: Sha256Hex) -> Self {
        Self { kind: SumKind::Sha256, bytes: HEXLOWER.decode(digest.0.as_bytes()).unwrap_or_default() }
    }
}

impl TryFrom<String> for Sum {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        let known = match text.split('$').collect::<Vec<_>>()[..] {
            [digits] | ["1", digits] | ["2", "1", digits] => Some((SumKind::Sha256, &HEXLOWER, digits)),
            ["0", digits] | ["2", "0", digits] => Some((SumKind::Sha256, &ZBASE32, digits)),
            ["2", digits] | ["2", "2", digits] => Some((SumKind::Blake2b, &ZBASE32, digits)),
            ["5", digits] | ["2", "5", digits] => Some((SumKind::Blake2s, &ZBASE32, digits)),
            _ => None,
        };
        let decoded = known.and_then(|(kind, encoding, digits)| {
            encoding.decode(digits.as_bytes()).ok().map(|bytes| Self { kind, bytes })
        });
        match decoded {
            Some(sum) if sum.bytes.len() == sum.kind.length() => Ok(sum),
            _ => anyhow::bail!("{text:?} is not a checksum that pkg writes"),
        }
    }
}

impl From<Sum> for String {
    fn from(sum: Sum) -> Self {
        sum.to_string()
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            SumKind::Sha256 => f.write_str(&HEXLOWER.encode(&self.bytes)),
            SumKind::Blake2b => write!(f, "2${}", ZBASE32.encode(&self.bytes)),
            SumKind::Blake2s => write!(f, "5${}", ZBASE32.encode(&self.bytes)),
        }
    }
}

impl SumKind {
    fn length(self) -> usize {
        match self {
            Self::Sha256 | Self::Blake2s => 32,
            Self::Blake2b => 64,
        }
    }
}

/// A running checksum of one kind, computed where it is called.
#[derive(Clone)]
enum Running {
    Sha256(Sha256),
    Blake2b(Box<Blake2b512>),
    Blake2s(Blake2s256),
}

impl Running {
    fn new(kind: SumKind) -> Self {
        match kind {
            SumKind::Sha256 => Self::Sha256(Sha256::new()),
            SumKind::Blake2b => Self::Blake2b(Box::default()),
            SumKind::Blake2s => Self::Blake2s(Blake2s256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Blake2b(hash) => hash.update(bytes),
            Self::Blake2s(hash) => hash.update(bytes),
        }
    }

    fn finish(self) -> Sum {
        match self {
            Self::Sha256(hash) => Sum { kind: SumKind::Sha256, bytes: hash.finalize().to_vec() },
            Self::Blake2b(hash) => Sum { kind: SumKind::Blake2b, bytes: hash.finalize().to_vec() },
            Self::Blake2s(hash) => Sum { kind: SumKind::Blake2s, bytes: hash.finalize().to_vec() },
        }
    }
}

/// A reader that counts and hashes what is read through it. Nothing is judged until [`CheckingReader::finish`].
pub struct CheckingReader<R> {
    inner: R,
    hasher: Hasher,
    length: u64,
}

impl<R: Read> CheckingReader<R> {
    /// Hashes what will be read from `inner`.
    pub fn new(inner: R, kind: SumKind) -> Self {
        Self { inner, hasher: Hasher::new(kind), length: 0 }
    }

    /// Bytes read so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The sum of what was read, its length, and the reader that was wrapped.
    pub fn finish(self) -> (Sum, u64, R) {
        (self.hasher.finish(), self.length, self.inner)
    }
}

impl<R: Read> Read for CheckingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.length += count as u64;
        Ok(count)
    }
}

/// A writer that counts and hashes what is written through it.
pub struct CheckingWriter<W> {
    inner: W,
    hasher: Hasher,
    length: u64,
}

impl<W: Write> CheckingWriter<W> {
    /// Hashes what will be written to `inner`.
    pub fn new(inner: W, kind: SumKind) -> Self {
        Self { inner, hasher: Hasher::new(kind), length: 0 }
    }

    /// The sum of what was written, its length, and the writer that was wrapped.
    pub fn finish(self) -> (Sum, u64, W) {
        (self.hasher.finish(), self.length, self.inner)
    }
}

impl<W: Write> Write for CheckingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One file of pkg-repos: the sum that pkg 2.8.99 and pkg 2.4.2 recorded for the same content.
    #[test]
    fn reads_both_generations_of_sums() {
        for text in [
            "7c5ee659b73f0573ba130ba54a828672bdf44bbe6e69caab128b1a3d96055662",
            "1$7c5ee659b73f0573ba130ba54a828672bdf44bbe6e69caab128b1a3d96055662",
            "2$1$7c5ee659b73f0573ba130ba54a828672bdf44bbe6e69caab128b1a3d96055662",
        ] {
            let sum = Sum::try_from(text.to_owned()).unwrap();
            assert_eq!(sum.to_string(), "7c5ee659b73f0573ba130ba54a828672bdf44bbe6e69caab128b1a3d96055662");
        }
        let blake = "2$9odhbdjdu8e3r97bj67jfumjbijwn695i3rh14hifdjqw7fs6x149nrfzzkffxe7r4qxbzeozwe7fhiatujmpjcg8r5npd4osqqwkfd";
        let sum = Sum::try_from(blake.to_owned()).unwrap();
        assert_eq!((sum.kind(), sum.to_string().as_str()), (SumKind::Blake2b, blake));
        assert_eq!(Sum::try_from(format!("2${blake}")).unwrap(), sum);
    }

    #[test]
    fn refuses_what_is_no_sum() {
        let long = "a".repeat(63);
        for text in ["", "2$", "7c5e", "3$7c5e", "2$9odh", "1$2$3$4", long.as_str(), "0$lv2"] {
            assert_eq!(
                Sum::try_from(text.to_owned()).unwrap_err().to_string(),
                format!("{text:?} is not a checksum that pkg writes")
            );
        }
        assert_eq!(
            Sha256Hex::try_from("ABCD".to_owned()).unwrap_err().to_string(),
            "\"ABCD\" is no SHA-256: expected 64 digits 0-9a-f"
        );
    }

    #[test]
    fn hashes_in_passing() {
        let mut reader = CheckingReader::new(&b"abc"[..], SumKind::Sha256);
        io::copy(&mut reader, &mut io::sink()).unwrap();
        let (sum, length, _) = reader.finish();
        assert_eq!((sum, length), (Sha256Hex::of(b"abc").into(), 3));
    }
}
