// SPDX-License-Identifier: GPL-3.0-or-later

//! The compressions that are unpacked here, told apart by their first bytes, and how pkg has them: nothing may follow a
//! compressed stream.

use std::io::{self, BufRead, BufReader, Read};

use anyhow::{Context, Result, ensure};

use crate::web_page::refuse_web_page;

/// Buffer between the source and the decompressor.
const BUFFER_SIZE: usize = 128 << 10;
/// Largest zstd window taken, as a power of two: 32 MiB, four times that of level 19. A program stays under 64 MiB.
const WINDOW_LOG_LIMIT: u32 = 25;
/// Memory an xz decoder may ask for: enough for `xz -8`; pkg uses `-6`.
const XZ_MEMORY_LIMIT: u64 = 40 << 20;

/// A compression that is unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Of gzip(1).
    Gzip,
    /// Of bzip2(1).
    Bzip2,
    /// Of xz(1).
    Xz,
    /// Of zstd(1) and pzstd(1).
    Zstd,
}

impl Compression {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Gzip, Self::Bzip2, Self::Xz, Self::Zstd];
    /// How many bytes of a file tell it.
    pub const MAGIC: usize = 6;

    /// The one that a file with this beginning is packed in.
    pub fn of(head: &[u8]) -> Option<Self> {
        match behind_skippable(head) {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            // lz4 has such frames, too, and is told by the first that holds data.
            [0x04, 0x22, 0x4d, 0x18, ..] => None,
            behind => (behind.len() < head.len()).then_some(Self::Zstd),
        }
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }
}

/// What follows the skippable frames of zstd or lz4, where there are any: pzstd writes one before each of its own. Each has a
/// magic number, a length and as many bytes.
pub fn behind_skippable(head: &[u8]) -> &[u8] {
    let mut rest = head;
    while let [0x50..=0x5f, 0x2a, 0x4d, 0x18, length @ ..] = rest {
        let Some((length, content)) = length.split_first_chunk() else { return &[] };
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        rest = content.get(length..).unwrap_or_default();
    }
    rest
}

/// A reader of the content of a compressed or plain file.
pub(crate) struct Decompressor<R: Read>(Decoder<BufReader<R>>);

enum Decoder<B: BufRead> {
    Zstd(zstd::stream::read::Decoder<'static, B>),
    Xz(liblzma::bufread::XzDecoder<B>),
    Bzip2(bzip2::bufread::BzDecoder<B>),
    Gzip(flate2::bufread::GzDecoder<B>),
    Plain(B),
}

impl<R: Read> Decompressor<R> {
    /// Looks at the first bytes of `reader` and chooses the decoder.
    pub(crate) fn new(reader: R) -> Result<Self> {
        let mut buffered = BufReader::with_capacity(BUFFER_SIZE, reader);
        let magic = buffered.fill_buf().context("reading an archive")?;
        refuse_web_page(magic).context("reading an archive")?;
        let decoder = match Compression::of(magic) {
            Some(Compression::Zstd) => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered)
                    .context("starting the zstd decoder")?
                    .single_frame();
                decoder.window_log_max(WINDOW_LOG_LIMIT).context("starting the zstd decoder")?;
                Decoder::Zstd(decoder)
            }
            Some(Compression::Xz) => {
                let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_LIMIT, 0)
                    .context("starting the xz decoder")?;
                Decoder::Xz(liblzma::bufread::XzDecoder::new_stream(buffered, stream))
            }
            Some(Compression::Bzip2) => Decoder::Bzip2(bzip2::bufread::BzDecoder::new(buffered)),
            Some(Compression::Gzip) => Decoder::Gzip(flate2::bufread::GzDecoder::new(buffered)),
            None => Decoder::Plain(buffered),
        };
        Ok(Self(decoder))
    }

    /// Whether the file is what it holds.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.0, Decoder::Plain(_))
    }

    /// Ends reading where the content has ended: returns the source, which must have ended too.
    pub(crate) fn finish(self) -> Result<R> {
        let mut buffered = match self.0 {
            Decoder::Zstd(decoder) => decoder.finish(),
            Decoder::Xz(decoder) => decoder.into_inner(),
            Decoder::Bzip2(decoder) => decoder.into_inner(),
            Decoder::Gzip(decoder) => decoder.into_inner(),
            Decoder::Plain(buffered) => buffered,
        };
        let trailing = buffered.fill_buf().context("reading what follows an archive")?;
        ensure!(trailing.is_empty(), "bytes follow the end of the compressed archive");
        Ok(buffered.into_inner())
    }
}

impl<R: Read> Read for Decompressor<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Decoder::Zstd(decoder) => decoder.read(buffer),
            Decoder::Xz(decoder) => decoder.read(buffer),
            Decoder::Bzip2(decoder) => decoder.read(buffer),
            Decoder::Gzip(decoder) => decoder.read(buffer),
            Decoder::Plain(reader) => reader.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn packed(kind: &str, content: &[u8]) -> Vec<u8> {
        match kind {
            "zstd" => zstd::encode_all(content, 3).unwrap(),
            "xz" => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
            "bzip2" => {
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
            "gzip" => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
            _ => content.to_vec(),
        }
    }

    fn unpacked(bytes: &[u8]) -> Result<Vec<u8>> {
        let mut decompressor = Decompressor::new(bytes)?;
        let mut content = Vec::new();
        decompressor.read_to_end(&mut content)?;
        decompressor.finish()?;
        Ok(content)
    }

    #[test]
    fn reads_every_kind_and_nothing_behind_it() {
        let content = b"an archive ".repeat(20_000);
        for kind in ["zstd", "xz", "bzip2", "gzip", "plain"] {
            let mut bytes = packed(kind, &content);
            assert_eq!(unpacked(&bytes).unwrap(), content, "{kind}");
            if kind != "plain" {
                assert!(unpacked(&bytes[..bytes.len() - 1]).is_err(), "{kind} without its last byte");
                bytes.extend(packed(kind, b""));
                assert_eq!(
                    unpacked(&bytes).unwrap_err().to_string(),
                    "bytes follow the end of the compressed archive",
                    "{kind} twice"
                );
            }
        }
    }

    #[test]
    fn each_is_known_by_its_beginning() {
        let skippable = |content: &[u8]| [b"\x51\x2a\x4d\x18\x04\0\0\0abcd", content].concat();
        for compression in Compression::ALL {
            let bytes = packed(compression.name(), b"content");
            assert_eq!(Compression::of(&bytes[..Compression::MAGIC]), Some(compression));
        }
        for (head, expected) in [
            (skippable(b"\x28\xb5\x2f\xfd"), Some(Compression::Zstd)),
            (skippable(&skippable(b"\x28\xb5\x2f\xfd")), Some(Compression::Zstd)),
            // Whatever follows is not seen.
            (skippable(b"")[..Compression::MAGIC].to_vec(), Some(Compression::Zstd)),
            (skippable(b"\x04\x22\x4d\x18"), None),
            (b"\x04\x22\x4d\x18\x40".to_vec(), None),
            (b"BZhx".to_vec(), None),
            (Vec::new(), None),
        ] {
            assert_eq!(Compression::of(&head), expected, "{head:?}");
        }
    }

    #[test]
    fn refuses_windows_beyond_the_limit() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.window_log(28).unwrap();
        encoder.write_all(&[0; 1000]).unwrap();
        let error = unpacked(&encoder.finish().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "Frame requires too much memory for decoding");
    }
}
