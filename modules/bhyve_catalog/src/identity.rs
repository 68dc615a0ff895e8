// SPDX-License-Identifier: GPL-3.0-or-later

//! The guid of an image made from a disk: derived from its name and content, so that the same disk published
//! twice is the same image, and another one never is.

use std::io::{self, Write};

use image_catalog::digest::{CheckingWriter, Sha256Hex, Sum, SumKind};
use image_catalog::name::ImageId;
use sha2::{Digest, Sha256};

/// Derives the guid from the image's name and the SHA-256 of its stream as it would be with guid 1.
pub fn guid(id: &ImageId, stream: &Sha256Hex) -> u64 {
    let digest = Sha256::new()
        .chain_update(b"apiary.bhyve image\0")
        .chain_update(id.to_string())
        .chain_update(b"\0")
        .chain_update(stream.as_str())
        .finalize();
    let first = digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    // 0 means "no snapshot" in a stream.
    first.max(1)
}

/// Takes a stream for its size and checksum alone.
pub fn summing() -> CheckingWriter<io::Sink> {
    CheckingWriter::new(io::sink(), SumKind::Sha256)
}

/// The size and checksum of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSum {
    pub size: u64,
    pub sha256: Sha256Hex,
}

impl StreamSum {
    /// What a writer made by [`summing`] has taken.
    pub fn of(sum: CheckingWriter<impl Write>) -> anyhow::Result<Self> {
        let (sum, size, _) = sum.finish();
        Self::from_sum(&sum, size)
    }

    /// From a sum, which must be SHA-256.
    pub fn from_sum(sum: &Sum, size: u64) -> anyhow::Result<Self> {
        use anyhow::Context;
        Ok(Self { size, sha256: sum.sha256().context("hashing a stream")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_content_make_the_guid() {
        let demo = ImageId::new("demo", "1").unwrap();
        let content = Sha256Hex::of(b"content");
        let first = guid(&demo, &content);
        assert_eq!(first, guid(&demo, &content));
        assert_ne!(first, guid(&ImageId::new("demo", "2").unwrap(), &content));
        assert_ne!(first, guid(&demo, &Sha256Hex::of(b"Content")));
    }
}
