// SPDX-License-Identifier: GPL-3.0-or-later

//! Checksums as those who hand out disks write them: digits alone, whose number says which they are.

use std::io::{self, Read};

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// Bytes hashed at a time.
const BLOCK: usize = 256 << 10;

/// A running checksum.
pub enum Summing {
    /// Only where nobody else could have written it, as in an archive that was verified.
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Summing {
    /// That which digits are of.
    pub fn like(digits: &str) -> Option<Self> {
        match digits.len() {
            40 => Some(Self::Sha1(Sha1::new())),
            64 => Some(Self::Sha256(Sha256::new())),
            128 => Some(Self::Sha512(Sha512::new())),
            _ => None,
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hash) => hash.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    /// The digits.
    pub fn finish(self) -> String {
        let digits = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Sha1(hash) => digits(&hash.finalize()),
            Self::Sha256(hash) => digits(&hash.finalize()),
            Self::Sha512(hash) => digits(&hash.finalize()),
        }
    }

    /// The digits of all that comes.
    pub fn of(mut self, mut content: impl Read) -> io::Result<String> {
        let mut block = vec![0; BLOCK];
        loop {
            match content.read(&mut block) {
                Ok(0) => return Ok(self.finish()),
                Ok(count) => self.update(&block[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
