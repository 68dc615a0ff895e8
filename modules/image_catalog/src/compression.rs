// SPDX-License-Identifier: GPL-3.0-or-later

//! The compressions pkg knows, told apart by their first bytes, and what must follow a compressed stream: nothing.

use std::io::{self, BufRead, BufReader, Read};

use anyhow::{Context, Result, ensure};

/// Buffer between the source and the decompressor.
const BUFFER_SIZE: usize = 128 << 10;
/// Largest zstd window taken, as a power of two: 32 MiB, four times that of level 19. A program stays under 64 MiB.
const WINDOW_LOG_LIMIT: u32 = 25;
/// Memory an xz decoder may ask for: enough for `xz -8`; pkg uses `-6`.
const XZ_MEMORY_LIMIT: u64 = 40 << 20;

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
        let decoder = match magic {
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered)
                    .context("starting the zstd decoder")?
                    .single_frame();
                decoder.window_log_max(WINDOW_LOG_LIMIT).context("starting the zstd decoder")?;
                Decoder::Zstd(decoder)
            }
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
                let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_LIMIT, 0)
                    .context("starting the xz decoder")?;
                Decoder::Xz(liblzma::bufread::XzDecoder::new_stream(buffered, stream))
            }
            [b'B', b'Z', b'h', ..] => Decoder::Bzip2(bzip2::bufread::BzDecoder::new(buffered)),
            [0x1f, 0x8b, ..] => Decoder::Gzip(flate2::bufread::GzDecoder::new(buffered)),
            _ => Decoder::Plain(buffered),
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

/// Says so where a web page came instead of a file.
pub(crate) fn refuse_web_page(bytes: &[u8]) -> Result<()> {
    let text = bytes.trim_ascii_start();
    let begins =
        |word: &str| text.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word.as_bytes()));
    ensure!(
        !["<!doctype", "<html", "<?xml", "<head", "<body"].into_iter().any(begins),
        "it is a web page: a network that wants a login, a proxy or an error page answered in its place"
    );
    Ok(())
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
    fn refuses_windows_beyond_the_limit() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.window_log(28).unwrap();
        encoder.write_all(&[0; 1000]).unwrap();
        let error = unpacked(&encoder.finish().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "Frame requires too much memory for decoding");
    }
}
